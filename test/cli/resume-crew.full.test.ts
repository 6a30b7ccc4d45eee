import { describe, expect, it } from "vitest";
import {
  chunk,
  DONE,
  finishChunk,
  streamReply,
  textReply,
  usageChunk,
  wait,
  type WireReply,
} from "../../src/test/index.ts";
import { newFolder, runBosun, startBosun } from "./bosun-process.ts";
import {
  type Answers,
  callReply,
  comparable,
  killAtCall,
  placesOf,
  reportOf,
  serverOf,
  storedEvents,
} from "./kill-scene.ts";

/** A manager who gives two pieces away, each of which takes a tool. */
const LED = `
import { agent, crew, task, tool } from "bosun";
const look = tool({ name: "look", description: "Looks", parameters: { type: "object" }, run: () => "seen" });
const reader = agent({ role: "Reader", goal: "read", tools: [look] });
const lead = task({ name: "lead", description: "Do LEAD", expectedOutput: "text" });
export default crew({ name: "led", tasks: [lead], agents: [reader], process: "hierarchical" });
`;

const give = (work: string) =>
  callReply("delegate_work", { coworker: "Reader", task: `Do ${work}`, context: "" });

const LED_ANSWERS: Answers = {
  LEAD: [give("FIRST"), give("SECOND"), textReply("all is done")],
  FIRST: [callReply("look", {}), textReply("first is done")],
  SECOND: [callReply("look", {}), textReply("second is done")],
};

const LED_CALLS = ["LEAD 0", "FIRST 0", "FIRST 1", "LEAD 1", "SECOND 0", "SECOND 1", "LEAD 2"];

/** Two at once, and one after them. */
const WIDE = `
import { agent, crew, task } from "bosun";
const one = (name, role, context) => task({ name, description: "Do " + name.toUpperCase() + " of {topic}", expectedOutput: "text",
  agent: agent({ role, goal: "write" }), context });
const [left, right] = [one("left", "Left writer"), one("right", "Right writer")];
export const inputs = { topic: "ships" };
export default crew({ name: "wide", process: "parallel", tasks: [left, right, one("both", "Editor", [left, right])] });
`;

describe("a hierarchical crew that is killed", () => {
  it("comes to the same, whoever was at work: manager or coworker", async () => {
    await using server = await serverOf(LED_ANSWERS);
    const files = { "crew.ts": LED };
    const quiet = newFolder(files);
    const whole = await runBosun(["run", ".", "--run-id", "r1", "--model", server.url], {
      cwd: quiet,
    });
    expect(whole).toMatchObject({ code: 0, out: "all is done\n" });
    expect(placesOf(server)).toEqual(LED_CALLS);
    const expected = [await reportOf(quiet), comparable(storedEvents(quiet), quiet)];

    for (const [n, call] of LED_CALLS.entries()) {
      const [cwd, before] = [newFolder(files), server.calls.length];
      await killAtCall(server, n, { cwd });
      const resumed = await runBosun(["runs", "resume", "r1"], { cwd });

      expect(resumed, call).toMatchObject({ code: 0, out: whole.out });
      const made = placesOf(server).slice(before);
      expect(made, call).toEqual([...LED_CALLS.slice(0, n + 1), ...LED_CALLS.slice(n)]);
      const came = [await reportOf(cwd), comparable(storedEvents(cwd), cwd)];
      expect(came, call).toEqual(expected);
    }
  }, 60_000);
});

describe("a parallel crew that is killed", () => {
  it("keeps the branch that is done, and repeats the other one's call alone", async () => {
    const gate = Promise.withResolvers<void>();
    const answers: Answers = {
      LEFT: [textReply("the left")],
      RIGHT: [[wait(gate.promise), ...textReply("the right")]],
      BOTH: [textReply("left and right")],
    };
    await using server = await serverOf(answers);
    const cwd = newFolder({ "crew.ts": WIDE });
    await using run = startBosun(["run", ".", "--run-id", "r1", "--model", server.url], { cwd });
    await run.said("task left: done");
    await server.received(1);
    run.kill("SIGKILL");
    await run.ended;
    gate.resolve();

    const resumed = await runBosun(["runs", "resume", "r1"], { cwd });

    expect(resumed).toMatchObject({ code: 0, out: "left and right\n" });
    const counts = ["LEFT 0", "RIGHT 0", "BOTH 0"].map(
      (call) => placesOf(server).filter((one) => one === call).length,
    );
    expect(counts).toEqual([1, 2, 1]);
    expect(await reportOf(cwd)).toMatchObject({ usage: { input: { total: 33 } } });
  });
});

/** An answer whose server counts 600 tokens. */
function costlyReply(text: string): WireReply {
  const usage = { prompt_tokens: 500, completion_tokens: 100, total_tokens: 600 };
  return streamReply(chunk({ content: text }), finishChunk(), usageChunk(usage), DONE);
}

describe("what a run may use", () => {
  it("counts what was used before it was resumed", async () => {
    const LEFT = [costlyReply("the left")];
    await using server = await serverOf({ LEFT, RIGHT: LEFT, BOTH: LEFT });
    // Two calls of 600 tokens are within it, and no third one, however short.
    const crew = WIDE.replace('process: "parallel"', "limits: { tokensPerRun: 1300 }").replaceAll(
      'goal: "write"',
      'goal: "write", maxTokens: 100',
    );
    const [quiet, cwd] = [newFolder({ "crew.ts": crew }), newFolder({ "crew.ts": crew })];
    const args = ["run", ".", "--run-id", "r1", "--model", server.url];
    const whole = await runBosun(args, { cwd: quiet });
    expect(whole.err).toContain("Error [run/over-budget]");
    await killAtCall(server, 1, { cwd });

    const resumed = await runBosun(["runs", "resume", "r1"], { cwd });

    expect([resumed.code, resumed.out]).toEqual([whole.code, whole.out]);
    expect(await reportOf(cwd)).toEqual(await reportOf(quiet));
  });
});

describe("a conversation", () => {
  it("has a run that was killed and resumed as one turn, with what was said before it", async () => {
    await using server = await serverOf({
      LEFT: [textReply("the left")],
      RIGHT: [textReply("the right")],
      BOTH: [textReply("both are said")],
    });
    const cwd = newFolder({ "crew.ts": WIDE.replace('process: "parallel", ', "") });
    const args = (id: string) =>
      ["run", ".", "--run-id", id, "--session", "talk", "--model", server.url] as const;
    await runBosun(args("r0"), { cwd });
    await killAtCall(server, 1, { cwd, args: args("r1") });
    await runBosun(["runs", "resume", "r1"], { cwd });
    const before = server.calls.length;

    await runBosun(args("r2"), { cwd });

    const [right, first] = [server.calls[before - 2], server.calls[before]].map((call) =>
      JSON.stringify(call?.body),
    );
    expect(right?.match(/both are said/g)).toHaveLength(1);
    expect(first?.match(/both are said/g)).toHaveLength(2);
  });
});
