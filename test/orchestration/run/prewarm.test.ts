import { describe, expect, it } from "vitest";
import type { ModelRef } from "../../../src/inference/model/endpoint.ts";
import type { CallWish, Model } from "../../../src/inference/model/model.ts";
import { type Crew, defineCrew } from "../../../src/orchestration/crew/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { planCrew } from "../../../src/orchestration/plan/plan.ts";
import { prewarm } from "../../../src/orchestration/run/prewarm.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { crew as runnable } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { bosunOf, errorOf, job as jobOf, worker } from "./scenario.ts";

const NEVER = new AbortController().signal;

/** What a model is told when each of a crew's tasks starts, in their order: models that are called now, and after the task. */
function toldOf(crew: Crew): readonly (readonly CallWish[])[] {
  const told: CallWish[] = [];
  const model: Model = { ...scriptedModel([]), prewarm: (wish) => void told.push(wish) };
  const run = {
    crew,
    plan: planCrew(crew),
    modelsFor: (_use: string, own?: { readonly models: readonly ModelRef[] }) =>
      [own?.models[0] ?? "main"] as const,
  };
  return crew.tasks.map(({ name }) => {
    told.length = 0;
    prewarm(model, run, { name, signal: NEVER });
    return [...told];
  });
}

/** The models that come after each task. */
const nextOf = (crew: Crew): readonly (readonly ModelRef[])[] =>
  toldOf(crew).map((wishes) =>
    wishes.filter(({ after }) => after !== undefined).flatMap(({ models }) => models),
  );

const job = (name: string, options: object = {}) =>
  task({
    name,
    description: name,
    expectedOutput: "text",
    agent: worker(name, { model: `${name}-model` }),
    ...options,
  });

describe("prewarm", () => {
  it("tells the model of the next task when its predecessor starts", () => {
    const crew = defineCrew({ name: "c", tasks: [job("a"), job("b"), job("c")] });

    expect(nextOf(crew)).toEqual([["b-model"], ["c-model"], []]);
  });

  it("does not tell one early that needs the first task, but comes after the others", () => {
    const first = job("a");
    const crew = defineCrew({
      name: "c",
      tasks: [first, job("b"), job("c"), job("d", { context: [first] })],
    });

    expect(nextOf(crew)).toEqual([["b-model"], ["c-model"], ["d-model"], []]);
  });

  it("tells all that start together, each model once", () => {
    const first = job("a");
    const same = worker("same", { model: "shared" });
    const crew = defineCrew({
      name: "c",
      process: "parallel",
      tasks: [
        first,
        job("b", { context: [first], agent: same }),
        job("c", { context: [first], agent: same }),
        job("d", { context: [first] }),
      ],
    });

    expect(nextOf(crew)).toEqual([["shared", "d-model"], [], [], []]);
  });

  it("tells the model of a task itself when it starts, as called now: its worker may leave between two calls", () => {
    const crew = defineCrew({ name: "c", tasks: [job("a"), job("b")] });

    expect(toldOf(crew)).toEqual([
      [
        { models: ["a-model"], signal: NEVER },
        { models: ["b-model"], after: "c/a", signal: NEVER },
      ],
      [{ models: ["b-model"], signal: NEVER }],
    ]);
  });

  it("does not tell the model that the task itself begins with a second time", () => {
    const same = worker("same", { model: "shared" });
    const crew = defineCrew({
      name: "c",
      tasks: [job("a", { agent: same }), job("b", { agent: same }), job("c")],
    });

    expect(nextOf(crew)).toEqual([[], ["c-model"], []]);
  });

  it("does nothing for a model that cannot be woken", () => {
    const crew = defineCrew({ name: "c", tasks: [job("a"), job("b")] });
    const run = { crew, plan: planCrew(crew), modelsFor: () => ["main"] as const };

    expect(() => prewarm(scriptedModel([]), run, { name: "a", signal: NEVER })).not.toThrow();
  });
});

describe("what a run tells of its models", () => {
  it("holds until its task ends, however that ends, and never after the run", async () => {
    const told: (CallWish & { readonly standing: number })[] = [];
    const standing = (): number => told.filter(({ signal }) => !signal.aborted).length;
    const scripted = scriptedModel(({ hints }) =>
      hints.path[0] === "task:b" ? new BosunError("model/bad-request", "no") : "done",
    );
    const model: Model = {
      ...scripted,
      prewarm: (wish) => void told.push({ ...wish, standing: standing() }),
    };
    const bosun = bosunOf(model);
    const tasks = ["a", "b", "c"].map((name) => jobOf(name));

    await runnable({ name: "c", tasks: tasks.slice(0, 1), bosun }).kickoff();
    const afterOne = [told.length, standing()];
    await errorOf(runnable({ name: "c", tasks, bosun }).kickoff());

    expect(afterOne).toEqual([1, 0]);
    expect(told.length).toBeGreaterThan(2);
    expect(told.slice(1).map((one) => one.standing)).toEqual(told.slice(1).map(() => 0));
    expect(standing()).toBe(0);
  });
});
