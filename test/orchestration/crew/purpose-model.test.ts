import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import { chooseModels } from "../../../src/orchestration/crew/purpose-model.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { bosunOf, errorOf, job, thrownBy, worker } from "../run/scenario.ts";

const answer = ({ hints }: ModelRequest): string => {
  if (hints.purpose === "guardrail") return '{"ok": true}';
  return hints.purpose === "repair" ? '{"n": 1}' : "x";
};

/** Models that note who was asked for what. */
const placed = (...names: readonly string[]) => {
  const asked: string[] = [];
  const modelOf = (name: string) =>
    scriptedModel((request) => {
      asked.push(`${request.hints.purpose} by ${name}`);
      return answer(request);
    });
  const models = Object.fromEntries(names.map((name) => [name, modelOf(name)]));
  return { asked, bosun: bosunOf(modelOf("default"), { models }) };
};

describe("a crew's models by use", () => {
  it("are asked for what they are there for; an agent's own does its work", async () => {
    const { asked, bosun } = placed("planner", "judge", "doer", "own", "mender");
    const output = { type: "object", properties: { n: { type: "number" } }, required: ["n"] };
    const tasks = [
      job("a", { guardrail: "is good" }),
      job("b", { agent: worker("w", { model: "own" }), output } as never),
    ];

    await crew({
      name: "c",
      tasks,
      planning: true,
      models: { plan: "planner", guardrail: "judge", worker: "doer", repair: "mender" },
      bosun,
    }).kickoff();

    expect(asked).toEqual([
      "plan by planner",
      "plan by planner",
      "work by doer",
      "guardrail by judge",
      "work by own",
      "repair by mender",
    ]);
  });

  it("lead a hierarchical crew, where its manager has no model of its own", async () => {
    const { asked, bosun } = placed("leader", "own", "doer");
    const options = { name: "c", process: "hierarchical", agents: [worker("w")], bosun } as const;
    const tasks = [job("a", { agent: undefined } as never)];
    const models = { manager: "leader", worker: "doer" };

    await crew({ ...options, tasks, models }).kickoff();
    await crew({ ...options, tasks, models, managerModel: "own" }).kickoff();

    expect(asked).toEqual(["manage by leader", "manage by own"]);
  });

  it("give way to the guardrail's, the plan's and the run's own model", async () => {
    const { asked, bosun } = placed("planner", "judge", "doer", "near", "run");
    const made = crew({
      name: "c",
      tasks: [job("a", { guardrail: { judge: "is good", model: "near" } })],
      planning: true,
      planningModel: "near",
      models: { plan: "planner", guardrail: "judge", worker: "doer" },
      bosun,
    });

    await made.kickoff();
    expect(new Set(asked)).toEqual(new Set(["plan by near", "work by doer", "guardrail by near"]));

    asked.length = 0;
    await made.kickoff({ model: "run" });
    expect(new Set(asked)).toEqual(new Set(["plan by run", "work by run", "guardrail by run"]));
  });

  it("are chains: the next one is asked when the first fails", async () => {
    const dead = scriptedModel(() => new BosunError("model/bad-request", "no"));
    const bosun = bosunOf(scriptedModel([]), { models: { dead, good: scriptedModel(["fine"]) } });

    const result = await crew({
      name: "c",
      tasks: [job("a")],
      models: { worker: ["dead", "good"] },
      bosun,
    }).kickoff();

    expect(result.raw).toBe("fine");
  });

  it("that nobody can call are found before anything is paid for", async () => {
    const { asked, bosun } = placed();
    const made = crew({ name: "c", tasks: [job("a")], models: { summary: "nobody" }, bosun });

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("model/unknown");
    expect(error.message).toMatch(/models\.summary of crew "c"/);
    expect(asked).toEqual([]);
  });

  it("of an unknown use are an error that names the uses", () => {
    const error = thrownBy(() =>
      crew({ name: "c", tasks: [job("a")], models: { mangaer: "x" } as never }),
    );

    expect(error.message).toMatch(/models must be an object of manager, worker/);
  });
});

describe("the models of a use", () => {
  it("are, for work, the agent's own, else the crew's; beside it the crew's, else the agent's", () => {
    const models = { worker: ["w"], summary: ["s"] };

    expect(chooseModels(models, "worker", ["own"])).toEqual(["own"]);
    expect(chooseModels(models, "worker", [])).toEqual(["w"]);
    expect(chooseModels(models, "summary", ["own"])).toEqual(["s"]);
    expect(chooseModels({}, "summary", ["own"])).toEqual(["own"]);
    expect(chooseModels({ worker: ["w"] }, "summary", [])).toEqual(["w"]);
    expect(chooseModels(models, "manager", [])).toEqual([]);
    expect(chooseModels(models, "plan", [])).toEqual([]);
  });
});

describe("a model for summaries", () => {
  it("is asked to shorten what is too long, in the place of the agent's own", async () => {
    const asked: string[] = [];
    const modelOf = (name: string) =>
      scriptedModel(
        ({ hints }) => {
          asked.push(`${hints.purpose} by ${name}`);
          return hints.purpose === "summary" ? "short" : "word ".repeat(900);
        },
        { contextTokens: 1_500 },
      );
    const bosun = bosunOf(modelOf("default"), { models: { short: modelOf("short") } });
    const tasks = [job("a", { maxTokens: 300 }), job("b", { maxTokens: 300 })];

    await crew({ name: "c", tasks, fit: "summary", models: { summary: "short" }, bosun }).kickoff();

    expect(new Set(asked)).toEqual(new Set(["work by default", "summary by short"]));
  });
});
