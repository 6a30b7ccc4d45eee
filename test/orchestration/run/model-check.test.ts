import { describe, expect, it } from "vitest";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import { crew } from "../../../src/crew.ts";
import { errorOf, job, scene, worker } from "./scenario.ts";

describe("a model that nobody can call", () => {
  const keyed = endpoint({ url: "http://h/v1", apiKeyEnv: "NO_SUCH_KEY" });

  it.each([
    ["an alias that nobody defined", "larg", "model/unknown"],
    ["a key that is not set", keyed, "config/invalid"],
  ])("is found before the tasks before it are paid for: %s", async (_, model, code) => {
    const { bosun, model: scripted } = scene(() => "x");
    const late = worker("Late", { model });
    const made = crew({ name: "c", tasks: [job("a"), job("b", { agent: late })], bosun });

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe(code);
    expect(error.message).toContain('agent "Late"');
    expect(scripted.requests).toEqual([]);
  });

  it("is no error as long as a fallback can be called", async () => {
    const { bosun } = scene(() => "x", { models: { good: scene(() => "y").model } });
    const late = worker("Late", { model: ["larg", "good"] });

    const { raw } = await crew({ name: "c", tasks: [job("a", { agent: late })], bosun }).kickoff();

    expect(raw).toBe("y");
  });

  it("is an error when a fallback's key is not set: it would be found when it is needed", async () => {
    const { bosun, model: scripted } = scene(() => "x", {
      models: { good: scene(() => "y").model },
    });
    const late = worker("Late", { model: ["good", keyed] });

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a"), job("b", { agent: late })], bosun }).kickoff(),
    );

    expect(error.code).toBe("config/invalid");
    expect(error.message).toMatch(/agent "Late".*NO_SUCH_KEY/);
    expect(scripted.requests).toEqual([]);
  });

  it.each([
    ["the manager's", { process: "hierarchical", agents: [worker("W")], managerModel: "larg" }],
    ["the planner's", { planning: true, planningModel: "larg" }],
  ] as const)("is found for %s", async (_, options) => {
    const { bosun, model } = scene(() => "x");

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a")], ...options, bosun }).kickoff(),
    );

    expect(error.code).toBe("model/unknown");
    expect(model.requests).toEqual([]);
  });

  it("is found for a judge", async () => {
    const { bosun, model } = scene(() => "x");
    const guardrail = { judge: "Good?", model: "larg" };

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { guardrail })], bosun }).kickoff(),
    );

    expect(error.message).toContain('a guardrail of task "a"');
    expect(model.requests).toEqual([]);
  });
});
