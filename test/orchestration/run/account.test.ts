import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import type { Model, ModelRequest } from "../../../src/inference/model/model.ts";
import type { Usage } from "../../../src/inference/model/usage.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { bosunOf, costing, errorOf, job, scene, worker } from "./scenario.ts";

const small = { maxTokens: 100 };

const PRICE = { input: 1_000, output: 10_000 };

const priced = (
  script: Parameters<typeof scriptedModel>[0],
): Model & { requests: readonly ModelRequest[] } =>
  Object.assign(scriptedModel(script), { usdPerMillionTokens: PRICE });

describe("a run with usdPerRun", () => {
  it("does not make the call whose worst cost could pass it", async () => {
    const model = priced(() => ({ text: "x", usage: costing(100, 10) })); // 0.1 + 0.1 USD
    const made = crew({
      name: "c",
      tasks: ["a", "b", "c"].map((name) => job(name, small)),
      limits: { usdPerRun: 1.4 },
      bosun: bosunOf(model),
    });

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("run/over-budget");
    expect(error.details).toMatchObject({ limit: "usdPerRun", most: 1.4 });
    expect(model.requests).toHaveLength(2);
    expect(partialResult(error)?.cost.amount).toBeCloseTo(0.4);
  });

  it("is refused before any call when a model that it can reach has no price", async () => {
    const { bosun, model } = scene(() => "x", {
      models: { dear: endpoint({ url: "http://h/v1", usdPerMillionTokens: PRICE }) },
    });
    const tasks = [job("a", { agent: worker("w", { model: ["dear", "http://other/v1"] }) })];
    const limits = { usdPerRun: 1 };

    const agents = await errorOf(crew({ name: "c", tasks, limits, bosun }).kickoff());
    const judge = job("a", {
      agent: worker("w", { model: "dear" }),
      guardrail: { judge: "is short", model: "http://other/v1" },
    });
    const judges = await errorOf(crew({ name: "c", tasks: [judge], limits, bosun }).kickoff());

    expect(agents.code).toBe("config/invalid");
    expect(agents.message).toMatch(/agent "w".*other.*no price.*usdPerMillionTokens/);
    expect(judges.message).toMatch(/guardrail of task "a".*no price/);
    expect(model.requests).toHaveLength(0);
  });
});

describe("the cost of a run", () => {
  it("is the sum of its calls, with the source and the date of each price, and of its agents'", async () => {
    const model = priced(() => ({ text: "x", usage: costing(100, 10) }));
    const clock = createVirtualClock({ auto: true });
    const tasks = [job("a"), job("b")];

    const result = await crew({ name: "c", tasks, bosun: bosunOf(model, { clock }) }).kickoff();

    expect(result.cost).toEqual({
      currency: "USD",
      amount: 0.4,
      unpriced: 0,
      sources: ["given, 1970-01-01"],
    });
    const agents = Object.values(result.agents).map(({ cost }) => cost.amount);
    expect(agents).toEqual([0.2, 0.2]);
    expect(result.tasks.a.cost.amount).toBe(0.2);
  });

  it("counts cached prompt tokens at their own price", async () => {
    const usage: Usage = { ...costing(100, 0), input: { total: 100, cached: 60 } };
    const model = Object.assign(scriptedModel([{ text: "x", usage }]), {
      usdPerMillionTokens: {
        input: 1_000,
        output: 0,
        cached: 100,
        source: "page",
        date: "2026-11",
      },
    });

    const result = await crew({ name: "c", tasks: [job("a")], bosun: bosunOf(model) }).kickoff();

    expect(result.cost.amount).toBeCloseTo(0.04 + 0.006);
    expect(result.cost.sources).toEqual(["page, 2026-11"]);
  });

  it("is that of the model that answered, where the first one failed", async () => {
    const dead = Object.assign(
      scriptedModel(() => new BosunError("model/bad-request", "no")),
      { usdPerMillionTokens: { input: 1_000_000, output: 0 } },
    );
    const bosun = bosunOf(dead, {
      models: { dead, good: priced([{ text: "x", usage: costing(100, 0) }]) },
    });
    const agent = worker("w", { model: ["dead", "good"] });

    const result = await crew({ name: "c", tasks: [job("a", { agent })], bosun }).kickoff();

    expect(result.cost.amount).toBeCloseTo(0.1);
  });

  it("is not known where a model has no price", async () => {
    const { bosun } = scene(() => "x");

    const result = await crew({ name: "c", tasks: [job("a")], bosun }).kickoff();

    expect(result.cost).toMatchObject({ amount: 0, unpriced: 1, sources: [] });
  });
});
