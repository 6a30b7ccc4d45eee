import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { Hooks } from "../../../src/orchestration/crew/hook.ts";
import { tool, type ToolOptions } from "../../../src/orchestration/tool/tool.ts";
import type { Schema } from "../../../src/schema.ts";
import type { Script } from "../../../src/test/scripted-model.ts";
import { errorOf, eventsOf, job, only, scene, worker } from "./scenario.ts";
import { calling, delegate, led, resultsIn, whoIn } from "./team-scene.ts";

const look = (run: ToolOptions<Schema>["run"] = () => "seen", more = {}) =>
  tool({ name: "look", description: "d", parameters: { type: "object" }, run, ...more });
const lookAt = (what: string) => calling({ tool: "look", arguments: { what } });

const hooked = (script: Script, hooks: Hooks, tools: readonly ReturnType<typeof look>[] = []) => {
  const { bosun, model } = scene(script);
  return { model, made: crew({ name: "c", tasks: [job("a", { tools })], hooks, bosun }) };
};

describe("beforeModelCall", () => {
  it("sees who asks, for which task and purpose, and every message", async () => {
    const seen: unknown[] = [];
    const { made, model } = hooked(() => "x", { beforeModelCall: (call) => void seen.push(call) });

    await made.kickoff();

    expect(seen).toEqual([
      { agent: "agent of a", task: "a", purpose: "work", messages: model.requests[0]?.messages },
    ]);
  });

  it("may change the messages that are sent, of this call only", async () => {
    const { made, model } = hooked(
      [lookAt("x"), "done"],
      {
        beforeModelCall: ({ messages }) =>
          messages.length > 2
            ? undefined
            : { messages: [...messages, { role: "user", content: "Be brief." }] },
      },
      [look()],
    );

    const { events } = await eventsOf(made.stream());

    expect(model.requests[0]?.messages.at(-1)).toEqual({ role: "user", content: "Be brief." });
    expect(model.requests[1]?.messages.map(({ content }) => content)).not.toContain("Be brief.");
    expect(only(events, "hook-end")).toMatchObject([
      { hook: "beforeModelCall", status: "changed" },
    ]);
  });

  it("that makes the messages too long for the context is refused before the call (M1)", async () => {
    const { bosun, model } = scene(() => "x", { contextTokens: 4_000 });
    const hooks: Hooks = {
      beforeModelCall: ({ messages }) => ({
        messages: [...messages, { role: "user", content: "word ".repeat(10_000) }],
      }),
    };

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], hooks, bosun }).kickoff());

    expect(error.code).toBe("model/context-length");
    expect(model.requests).toEqual([]);
  });

  it("that blocks fails the task before anything is sent", async () => {
    const { made, model } = hooked(() => "x", {
      beforeModelCall: () => ({ block: "over budget" }),
    });

    const { events, error } = await eventsOf(made.stream());

    expect(error).toMatchObject({ code: "hook/blocked" });
    expect(model.requests).toEqual([]);
    expect(only(events, "hook-end")).toMatchObject([{ status: "blocked", reason: "over budget" }]);
    expect(only(events, "task-end")).toMatchObject([
      { status: "failed", error: { code: "hook/blocked" } },
    ]);
  });

  it("also stands before the calls of managers, workers, judges and the planner", async () => {
    const seen: string[] = [];
    const { made } = led(
      (request) => {
        const { purpose } = request.hints;
        if (purpose === "plan") return '{"plans":[]}';
        if (purpose === "guardrail") return '{"ok":true}';
        if (whoIn(request) !== "lead") return "w";
        return resultsIn(request).length > 0 ? "done" : calling(delegate("W", "t"));
      },
      {
        agents: [worker("W")],
        tasks: [job("a", { guardrail: "Good.", agent: worker("Other") })],
        planning: true,
        hooks: {
          beforeModelCall: ({ purpose, agent, task }) =>
            void seen.push(`${purpose} ${agent} ${task}`),
        },
      },
    );

    await made.kickoff();

    expect(seen).toEqual([
      "plan Crew planner ",
      "manage Crew manager a",
      "work W a",
      "manage Crew manager a",
      "guardrail Guardrail judge a",
    ]);
  });
});

describe("afterModelCall", () => {
  it("may change the text, which then counts as the answer and in the conversation", async () => {
    const { bosun, model } = scene(["my secret", "a secret, again"]);
    const hooks: Hooks = {
      afterModelCall: ({ text }) => ({ text: text.replace("secret", "***") }),
    };
    const tasks = [
      job("a", {
        guardrail: ({ raw }) => (raw.includes("again") ? { ok: true } : { ok: false, reason: "r" }),
      }),
    ];

    const result = await crew({ name: "c", tasks, hooks, bosun }).kickoff();

    expect(result.raw).toBe("a ***, again");
    expect(model.requests[1]?.messages[2]).toMatchObject({ content: "my ***" });
  });

  it("sees the calls that the model asks for and what it cost", async () => {
    const seen: unknown[] = [];
    const { made } = hooked(
      [lookAt("x"), "done"],
      {
        afterModelCall: ({ calls, usage, purpose }) =>
          void seen.push([calls.map((call) => call.tool), usage.source, purpose]),
      },
      [look()],
    );

    await made.kickoff();

    expect(seen).toEqual([
      [["look"], "estimated", "work"],
      [[], "estimated", "work"],
    ]);
  });

  it("that blocks fails the task; what the call cost is counted", async () => {
    const { made } = hooked(() => "x", { afterModelCall: () => ({ block: "no" }) });

    const { events, error } = await eventsOf(made.stream());

    expect(error).toMatchObject({ code: "hook/blocked" });
    expect(only(events, "model-end")).toMatchObject([{ status: "done" }]);
  });
});

describe("onStep", () => {
  it("is told of each turn of an agent, its tools run", async () => {
    const seen: string[] = [];
    const { made } = hooked(
      [lookAt("up"), "done"],
      {
        onStep: ({ turn, text, calls }) => void seen.push(`${turn} ${text} ${calls.length}`),
      },
      [look(() => void seen.push("look"))],
    );

    await made.kickoff();

    expect(seen).toEqual(["look", "1  1", "2 done 0"]);
  });

  it("that blocks fails the task", async () => {
    const { made, model } = hooked([lookAt("up"), "done"], { onStep: () => ({ block: "stop" }) }, [
      look(),
    ]);

    expect((await errorOf(made.kickoff())).code).toBe("hook/blocked");
    expect(model.requests).toHaveLength(1);
  });
});
