import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { textReply } from "../../src/test/index.ts";
import { newFolder, runBosun, startBosun } from "./bosun-process.ts";
import { killAtCall, placesOf, reportOf, serverOf } from "./kill-scene.ts";

/** Two crews, a loop through a router, and a wait for somebody outside. */
const REPORT = `
import { agent, crew, task } from "bosun";
import { and, flow, listen, or, router, start } from "bosun/flow";
const one = (name, mark) => crew({ name, tasks: [task({ name: "t", description: "Do " + mark + " about {topic}",
  expectedOutput: "x", agent: agent({ role: "R", goal: "g" }) })] });
const facts = one("facts", "FACTS");
const text = one("text", "TEXT");
export const inputs = { topic: "ships" };
export default flow("report", { initial: { topic: "", drafts: 0 } }, {
  research: start(async ({ run, state }) => (await run(facts, { topic: state.topic })).raw, { crews: [facts] }),
  write: listen(or("research", "again"), async ({ run, state, call }) => {
    state.drafts = call;
    return (await run(text, { topic: state.topic })).raw;
  }, { crews: [text] }),
  check: router("write", ["good", "again"], ({ state }) => (state.drafts < 2 ? "again" : "good"), { crews: [] }),
  pay: start(({ waitFor }) => waitFor("paid", { timeoutMs: 60_000, otherwise: "unpaid" }), { crews: [] }),
  publish: listen(and("good", "pay"), ({ inputs }) => inputs["good"] + ", " + JSON.stringify(inputs["pay"]), { crews: [] }),
});
`;
const ANSWERS = { FACTS: [textReply("the facts")], TEXT: [textReply("the text")] };
const PAID = ["runs", "signal", "r1", "paid", '{"euros":5}'];

describe("a flow that is killed with -9", () => {
  it.each([0, 1, 2])(
    "at call %i is resumed, makes no call again that was answered, and hears what was said meanwhile",
    async (n) => {
      await using server = await serverOf(ANSWERS);
      const cwd = newFolder({ "flow.ts": REPORT });

      await killAtCall(server, n, { cwd });
      const answered = placesOf(server).slice(0, n);
      const signalled = await runBosun(PAID, { cwd });
      const resumed = await runBosun(["runs", "resume", "r1"], { cwd });

      expect(signalled.code, signalled.err).toBe(0);
      expect(resumed, resumed.err).toMatchObject({ code: 0, out: 'the text, {"euros":5}\n' });
      expect(placesOf(server).slice(0, n)).toEqual(answered);
      expect(placesOf(server).filter((call) => call === "FACTS 0")).toHaveLength(n === 0 ? 2 : 1);
      expect(placesOf(server)).toHaveLength(4); // three calls, and the one that was cut off
      expect(await reportOf(cwd)).toMatchObject({ status: "done" });
    },
  );
});

describe("a flow's run", () => {
  it("that Ctrl-C gives back while it waits can be given what it waits for by another process", async () => {
    await using server = await serverOf(ANSWERS);
    const cwd = newFolder({ "flow.ts": REPORT });
    await using run = startBosun(["run", ".", "--run-id", "r1", "--model", server.url], { cwd });
    await run.said("step check: done, emits good");
    run.kill("SIGINT");
    const { code } = await run.ended;
    const listed = await runBosun(["runs", "list", "--status", "waiting"], { cwd });
    await runBosun(PAID, { cwd });
    const resumed = await runBosun(["runs", "resume", "r1"], { cwd });

    expect(code).toBe(130);
    expect(listed.out).toContain("r1");
    expect(resumed).toMatchObject({ code: 0, out: 'the text, {"euros":5}\n' });
    expect(placesOf(server)).toHaveLength(3);
  });

  it("is rerun from a step, whose earlier ones are taken over", async () => {
    await using server = await serverOf(ANSWERS);
    const cwd = newFolder({ "flow.ts": REPORT });
    await using run = startBosun(["run", ".", "--run-id", "r1", "--model", server.url], { cwd });
    await run.said("step check: done, emits good");
    await runBosun(PAID, { cwd });
    await run.ended;

    const args = ["runs", "rerun", "r1", "--from", "write~2", "--run-id", "r2"];
    await using again = startBosun(args, { cwd });
    await again.said("step check: done, emits good");
    await runBosun(["runs", "signal", "r2", "paid", "6"], { cwd }); // it was given after that step
    const { code, out } = await again.ended;

    expect([code, out]).toEqual([0, "the text, 6\n"]);
    expect(placesOf(server)).toEqual(["FACTS 0", "TEXT 0", "TEXT 0", "TEXT 0"]);
  });

  it("is drawn, and looked at before it runs", async () => {
    await using server = await serverOf(ANSWERS);
    const cwd = newFolder({ "flow.ts": REPORT });
    const dry = await runBosun(["run", ".", "--dry-run", "--model", server.url], { cwd });
    const plot = await runBosun(["flow", "plot", ".", "--out", "p.html"], { cwd });
    const mermaid = await runBosun(["flow", "plot", ".", "--mermaid"], { cwd });
    const page = readFileSync(join(cwd, "p.html"), "utf8");

    expect(dry.out).toContain("calls at once  at most 1");
    expect(dry.out).toContain("longest chain  research → write");
    expect(plot.code, plot.err).toBe(0);
    expect(page).toContain("publish");
    expect(mermaid.out).toMatch(/^flowchart TD/);
    expect(server.calls.filter(({ method }) => method === "POST")).toEqual([]);
  });

  it("whose file has a crew is no flow to draw", async () => {
    const crew =
      'import { agent } from "bosun";\nexport default agent({ role: "R", goal: "g" });\n';
    const cwd = newFolder({ "crew.ts": crew });

    const { code, err } = await runBosun(["flow", "plot", "."], { cwd });

    expect(code).toBe(2);
    expect(err).toContain("has a crew, and no flow");
  });

  it("that a handler's error fails says where in the user's file it was thrown, and that the rest can be done later", async () => {
    const cwd = newFolder({
      "flow.ts": `
import { flow, listen, start } from "bosun/flow";
const helper = (given) => given.foo.bar;
export default flow("throws", {}, {
  first: start(() => 1, { crews: [] }),
  a: listen("first", () => helper({}), { crews: [] }),
});
`,
    });

    const { code, err } = await runBosun(["run", ".", "--model", "extractive"], { cwd });

    expect(code).toBe(1);
    expect(err).toContain('Error [run/failed] flow.ts:3: step "a": Cannot read properties');
    expect(err).toContain("What is done is kept");
  });

  it("leaves its questions open with --wait, when nobody sits at a terminal", async () => {
    const cwd = newFolder({
      "flow.ts": `
import { flow, start } from "bosun/flow";
export default flow("asks", {}, { approve: start(({ ask }) => ask("Pay 100?"), { crews: [] }) });
`,
    });

    await using run = startBosun(
      ["run", ".", "--run-id", "r1", "--wait", "--model", "extractive"],
      { cwd },
    );
    await run.said("the question stays open");
    const signalled = await runBosun(["runs", "signal", "r1", "step:approve", '{"ok":true}'], {
      cwd,
    });
    const waited = await run.ended;
    const refused = await runBosun(["run", ".", "--model", "extractive"], { cwd });

    expect(signalled.code, signalled.err).toBe(0);
    expect([waited.code, waited.out]).toEqual([0, '{"ok":true}\n']);
    expect(refused.out).toContain("nobody can answer");
  });
});
