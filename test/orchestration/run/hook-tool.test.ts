import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { Hooks } from "../../../src/orchestration/crew/hook.ts";
import { tool, type ToolOptions } from "../../../src/orchestration/tool/tool.ts";
import type { Schema } from "../../../src/schema.ts";
import type { Script } from "../../../src/test/scripted-model.ts";
import { eventsOf, job, only, promptOf, scene, worker } from "./scenario.ts";
import { byWho, calling, delegate, led, resultsIn, whoIn } from "./team-scene.ts";

const broken = (): never => {
  throw new Error("the hook is broken");
};

const look = (run: ToolOptions<Schema>["run"] = () => "seen", more = {}) =>
  tool({ name: "look", description: "d", parameters: { type: "object" }, run, ...more });
const lookAt = (what: string) => calling({ tool: "look", arguments: { what } });

const hooked = (script: Script, hooks: Hooks, tools: readonly ReturnType<typeof look>[] = []) => {
  const { bosun, model } = scene(script);
  return { model, made: crew({ name: "c", tasks: [job("a", { tools })], hooks, bosun }) };
};

describe("beforeToolCall", () => {
  it("sees the model's own arguments and may change them", async () => {
    const [seen, got]: unknown[][] = [[], []];
    const { made } = hooked(
      [lookAt("up"), "done"],
      {
        beforeToolCall: (call) => {
          seen?.push(call);
          return { arguments: { what: "down" } };
        },
      },
      [look((args) => got?.push(args))],
    );

    await made.kickoff();

    expect(seen).toEqual([
      { agent: "agent of a", task: "a", tool: "look", arguments: '{"what":"up"}' },
    ]);
    expect(got).toEqual([{ what: "down" }]);
  });

  it("has its changed arguments checked as the model's are", async () => {
    const { made, model } = hooked(
      [lookAt("up"), "done"],
      { beforeToolCall: () => ({ arguments: [1, 2] }) },
      [look()],
    );

    await made.kickoff();

    expect(resultsIn(model.requests[1])[0]).toMatch(/the arguments must be a JSON object/);
  });

  it("that blocks refuses the call: the tool is not run, the model reads why and goes on", async () => {
    let ran = 0;
    const { made, model } = hooked(
      [lookAt("up"), "done"],
      { beforeToolCall: ({ tool: name }) => ({ block: `${name} is closed` }) },
      [look(() => ++ran)],
    );

    const { events, error } = await eventsOf(made.stream());

    expect(error).toBeUndefined();
    expect(ran).toBe(0);
    expect(resultsIn(model.requests[1])[0]).toMatch(/^Error: .*look is closed/);
    expect(only(events, "tool-start")).toEqual([]);
  });

  it("that throws is an event, and the tool is run; with failClosed it is not", async () => {
    const ran: string[] = [];
    const runs = async (hook: Hooks["beforeToolCall"], name: string): Promise<string> => {
      const { made, model } = hooked([lookAt("up"), "done"], { beforeToolCall: hook }, [
        look(() => ran.push(name)),
      ]);
      await made.kickoff();
      return resultsIn(model.requests[1])[0] ?? "";
    };

    await runs(broken, "open");
    const closed = await runs({ run: broken, failClosed: true }, "closed");

    expect(ran).toEqual(["open"]);
    expect(closed).toContain("the hook is broken");
  });

  it("stands before a delegation too, and may change or refuse it", async () => {
    const { made, model } = led(
      byWho({
        lead: [calling(delegate("A", "t"), delegate("B", "t")), "done"],
        A: "a",
      }),
      {
        agents: [worker("A"), worker("B")],
        hooks: {
          beforeToolCall: ({ arguments: given }) =>
            given.includes('"B"')
              ? { block: "B is on leave" }
              : { arguments: { coworker: "A", task: "another piece" } },
        },
      },
    );

    await made.kickoff();

    const brief = model.requests.filter((request) => whoIn(request) === "A");
    expect(promptOf(brief[0])).toContain("another piece");
    expect(resultsIn(model.requests.at(-1))).toEqual([
      "[d1] A answers:\na",
      expect.stringContaining("B is on leave"),
    ]);
  });
});

describe("afterToolCall", () => {
  it("sees what the tool brought, and may change what the model reads", async () => {
    const seen: unknown[] = [];
    const { made, model } = hooked(
      [lookAt("up"), "done"],
      {
        afterToolCall: (call) => {
          seen.push(call);
          return { content: "nothing to see" };
        },
      },
      [look(() => "a secret")],
    );

    await made.kickoff();

    expect(seen).toMatchObject([
      { tool: "look", arguments: '{"what":"up"}', status: "done", content: "a secret" },
    ]);
    expect(resultsIn(model.requests[1])).toEqual(["nothing to see"]);
  });

  it("sees the arguments that the tool got, also where another hook changed them", async () => {
    const seen: string[] = [];
    const { made } = hooked(
      [lookAt("up"), "done"],
      {
        beforeToolCall: () => ({ arguments: { what: "down" } }),
        afterToolCall: ({ arguments: given }) => void seen.push(given),
      },
      [look()],
    );

    await made.kickoff();

    expect(seen).toEqual(['{"what":"down"}']);
  });

  it("that blocks takes the result away: the model reads why", async () => {
    const { made, model } = hooked(
      [lookAt("up"), "done"],
      { afterToolCall: () => ({ block: "classified" }) },
      [look(() => "a secret")],
    );

    await made.kickoff();

    const messages = JSON.stringify(model.requests[1]?.messages);
    expect(messages).toContain("classified");
    expect(messages).not.toContain("a secret");
  });

  it("sees a tool's failure, and a delegation's result", async () => {
    const seen: string[] = [];
    const { made } = led(
      byWho({
        lead: [calling(delegate("A", "t"), { tool: "nope", arguments: {} }), "done"],
        A: "a",
      }),
      {
        agents: [worker("A")],
        hooks: { afterToolCall: ({ tool: name, status }) => void seen.push(`${name} ${status}`) },
      },
    );

    await made.kickoff();

    expect(seen.toSorted()).toEqual(["delegate_work done", "nope failed"]);
  });

  it("changes an answer that is a tool's result, and can take it away", async () => {
    const answer = look(() => "the secret answer", { resultAsAnswer: true });
    const changing: Hooks = { afterToolCall: () => ({ content: "the public answer" }) };
    const blocking: Hooks = { afterToolCall: () => ({ block: "no" }) };

    const changed = await hooked([lookAt("x")], changing, [answer]).made.kickoff();
    const blocked = await hooked([lookAt("x"), "my own"], blocking, [answer]).made.kickoff();

    expect(changed.raw).toBe("the public answer");
    expect(blocked.raw).toBe("my own");
  });
});
