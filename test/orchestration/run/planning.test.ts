import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { defineCrew } from "../../../src/orchestration/crew/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import type { Script, ScriptedReply } from "../../../src/test/scripted-model.ts";
import {
  costing,
  eventsOf,
  job,
  only,
  promptOf,
  requestsOf,
  scene,
  thrownBy,
  worker,
} from "./scenario.ts";
import { led } from "./team-scene.ts";

const plan = (plans: Readonly<Record<string, string>>): string =>
  JSON.stringify({
    plans: Object.entries(plans).map(([name, text]) => ({ task: name, plan: text })),
  });

/** The planner's answers in order, and one for all other calls. */
const planned = (plans: readonly ScriptedReply[], other: ScriptedReply = "x"): Script => {
  const left = [...plans];
  return ({ hints }) => (hints.purpose === "plan" ? (left.shift() ?? "nothing left") : other);
};

const planning = (script: Script, options = {}) => {
  const { bosun, model } = scene(script, options);
  return { model, made: crew({ name: "c", tasks: [job("a"), job("b")], planning: true, bosun }) };
};

describe("planning", () => {
  it("has a plan made once, before the first task, of all tasks", async () => {
    const { made, model } = planning(planned([plan({ a: "PLAN A", b: "PLAN B" })]));

    await made.kickoff();

    expect(model.requests.map(({ hints }) => hints.purpose)).toEqual(["plan", "work", "work"]);
    const asked = promptOf(model.requests[0]);
    for (const part of ["## a", "agent of a", "Do a", "## b", "Do b"])
      expect(asked).toContain(part);
  });

  it("shows each task its own part, apart from the task's text", async () => {
    const { made, model } = planning(planned([plan({ a: "PLAN A", b: "PLAN B" })]));

    await made.kickoff();

    const seen = promptOf(requestsOf(model, "a")[0]);
    expect(seen).toContain("## plan for this task\nPLAN A");
    expect(seen).not.toContain("PLAN B");
    expect(seen).toMatch(/# Task\nDo a\n/);
    expect(promptOf(requestsOf(model, "b")[0])).toContain("PLAN B");
  });

  it("tells the plans in an event", async () => {
    const { made } = planning(planned([plan({ a: "PLAN A" })]));

    const { events } = await eventsOf(made.stream());

    expect(only(events, "plan-end")).toMatchObject([{ status: "done", plans: { a: "PLAN A" } }]);
    const types = events.map(({ type }) => type);
    expect(types.indexOf("plan-end")).toBeLessThan(types.indexOf("task-start"));
  });

  it("lets a task go without a part where the plan has none, or an empty one", async () => {
    const { made, model } = planning(planned([plan({ b: "  " })]));

    await made.kickoff();

    for (const name of ["a", "b"])
      expect(promptOf(requestsOf(model, name)[0])).not.toContain("plan for this task");
  });

  it("shows the plan to every attempt of a task", async () => {
    const answers: Record<string, string> = { "task:a": "" };
    const { bosun, model } = scene(({ hints }) =>
      hints.purpose === "plan" ? plan({ a: "PLAN A" }) : (answers[hints.path[0] ?? ""] ?? "x"),
    );
    const tasks = [job("a", { onError: "retry" })];

    await crew({ name: "c", tasks, planning: true, bosun }).kickoff();

    expect(requestsOf(model, "a").every((request) => promptOf(request).includes("PLAN A"))).toBe(
      true,
    );
    expect(model.requests.filter(({ hints }) => hints.purpose === "plan")).toHaveLength(1);
  });

  it("fills placeholders before the planner sees the tasks", async () => {
    const { bosun, model } = scene(planned([plan({})]));
    const one = task({
      name: "a",
      description: "About {topic}",
      expectedOutput: "On {topic}",
      agent: worker("A"),
    });

    await crew({ name: "c", tasks: [one], planning: true, bosun }).kickoff({
      inputs: { topic: "whales" },
    });

    expect(promptOf(model.requests[0])).toContain("About whales");
    expect(promptOf(model.requests[0])).toContain("On whales");
  });

  it("is done by planningModel where it is given, else by the run's model", async () => {
    const planner = scene(planned([plan({ a: "BIG PLAN" })])).model;
    const { bosun, model } = scene(() => "x", { models: { planner } });
    const given = { name: "c", tasks: [job("a")], planning: true, planningModel: "planner", bosun };

    await crew(given).kickoff();

    expect(planner.requests).toHaveLength(1);
    expect(model.requests).toHaveLength(1);
    expect(promptOf(model.requests[0])).toContain("BIG PLAN");
  });

  it("is shown to the manager of a hierarchical crew", async () => {
    const { made, model } = led(planned([plan({ report: "ASK AROUND" })]), {
      agents: [worker("A")],
      planning: true,
    });

    await made.kickoff();

    expect(promptOf(model.requests[1])).toContain("ASK AROUND");
  });

  it("counts what it costs apart, and in the run's sum, not in a task's (C2)", async () => {
    const { made } = planning(
      planned([{ text: plan({}), usage: costing(1_000) }], { text: "x", usage: costing(10) }),
    );

    const result = await made.kickoff();

    expect(result.purposes).toMatchObject({
      plan: { calls: 1, usage: { input: { total: 1_000 } } },
    });
    expect(result.agents["Crew planner"]?.usage.input.total).toBe(1_000);
    expect(result.usage.input.total).toBe(1_020);
    expect(result.tasks.a.usage.input.total).toBe(10);
  });
});

describe("a plan that fails", () => {
  it("is asked for once more when it cannot be read, with what is wrong", async () => {
    const { made, model } = planning(planned(["First, we…", plan({ a: "PLAN A" })]));

    await made.kickoff();

    expect(model.requests[1]?.messages.at(-1)?.content).toContain("the answer holds no JSON");
    expect(promptOf(requestsOf(model, "a")[0])).toContain("PLAN A");
  });

  it.each<[string, ScriptedReply, string]>([
    ["cannot be read twice", "no plan", "task/output-invalid"],
    ["is for tasks that there are not", plan({ z: "PLAN" }), "task/output-invalid"],
    ["meets a model's error", new BosunError("model/bad-request", "no"), "model/bad-request"],
  ])("does not stop the run when it %s: an event says why", async (_, reply, code) => {
    const { made } = planning(planned([reply, reply]));

    const { events, error } = await eventsOf(made.stream());

    expect(error).toBeUndefined();
    expect(only(events, "plan-end")).toMatchObject([
      { status: "failed", plans: {}, error: { code } },
    ]);
    expect(only(events, "run-end")).toMatchObject([{ status: "done" }]);
  });

  it("because the run was cancelled ends the run, and no task starts", async () => {
    const controller = new AbortController();
    const { made } = planning(() => {
      controller.abort();
      return plan({});
    });

    const { events, error } = await eventsOf(made.stream({ signal: controller.signal }));

    expect(error).toMatchObject({ code: "run/cancelled" });
    expect(only(events, "run-end")).toMatchObject([{ status: "cancelled" }]);
    expect(only(events, "task-start")).toEqual([]);
    expect(only(events, "task-end").map(({ status }) => status)).toEqual([
      "cancelled",
      "cancelled",
    ]);
  });

  it("that takes longer than the crew may ends the run as timed out", async () => {
    const { bosun } = scene(() => ({ text: plan({}), delayMs: 5_000 }), { auto: true });
    const made = crew({ name: "c", tasks: [job("a")], planning: true, timeoutMs: 1_000, bosun });

    const { events, error } = await eventsOf(made.stream());

    expect(error).toMatchObject({ code: "run/timed-out" });
    expect(only(events, "run-end")).toMatchObject([{ status: "timed-out" }]);
  });
});

describe("a planningModel without planning", () => {
  it("is refused: it would do nothing", () => {
    const error = thrownBy(() => defineCrew({ name: "c", tasks: [job("a")], planningModel: "m" }));

    expect(error).toMatchObject({ code: "crew/invalid" });
    expect(error.message).toContain("planningModel counts only with planning: true");
  });
});
