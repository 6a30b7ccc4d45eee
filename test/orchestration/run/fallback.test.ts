import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { errorOf, eventsOf, job, only, QUICK, scene, worker } from "./scenario.ts";

const down = (name: string): BosunError =>
  new BosunError("model/unreachable", `${name} is down`, { retryable: true });

const threeModels = (third: string | Error) => {
  const models = {
    first: scriptedModel(() => down("first"), { name: "first" }),
    second: scriptedModel(() => new BosunError("model/bad-request", "second refuses"), {
      name: "second",
    }),
    third: scriptedModel(() => third, { name: "third" }),
  };
  const asked = worker("A", { model: ["first", "second", "third"] });
  return { models, asked, ...scene([], { models, retry: { ...QUICK, maxAttempts: 2 } }) };
};

describe("fallback models", () => {
  it("are tried in their order, each after the one before gave up, all of it visible in events", async () => {
    const { bosun, asked, models } = threeModels("from the third");

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("a", { agent: asked })], bosun }).stream(),
    );

    const said = events.flatMap((event) => {
      switch (event.type) {
        case "model-start":
          return [`start ${event.model} ${event.call}`];
        case "model-retry":
          return [`retry ${event.code}`];
        case "model-fallback":
          return [`fallback ${event.from} > ${event.to}: ${event.code}`];
        case "model-end":
          return [`end ${event.status === "done" ? event.model : event.status}`];
        default:
          return [];
      }
    });
    expect(said).toEqual([
      "start first 1",
      "retry model/unreachable",
      "start first 2",
      "fallback first > second: model/unreachable",
      "start second 1",
      "fallback second > third: model/bad-request",
      "start third 1",
      "end third",
    ]);
    expect(models.first.requests).toHaveLength(2);
  });

  it("end with the error of the last one when none answers", async () => {
    const { bosun, asked } = threeModels(new BosunError("model/unauthorized", "third may not"));

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { agent: asked })], bosun }).kickoff(),
    );

    expect(error.code).toBe("model/unauthorized");
    expect(error.message).toContain("third may not");
  });

  it("are asked anew for each call: a model that was down is the first again", async () => {
    let isDown = true;
    const models = {
      first: scriptedModel(() =>
        isDown ? new BosunError("model/bad-request", "not now") : "from first",
      ),
      second: scriptedModel(() => {
        isDown = false;
        return "from second";
      }),
    };
    const { bosun } = scene([], { models });
    const agent = worker("A", { model: ["first", "second"] });

    const result = await crew({
      name: "c",
      tasks: [job("a", { agent }), job("b", { agent })],
      bosun,
    }).kickoff();

    expect([result.tasks.a.raw, result.tasks.b.raw]).toEqual(["from second", "from first"]);
  });

  it("are not tried when the run was cancelled", async () => {
    const controller = new AbortController();
    const models = {
      first: scriptedModel(() => {
        controller.abort();
        return down("first");
      }),
      second: scriptedModel(() => "never"),
    };
    const { bosun } = scene([], { models });

    const error = await errorOf(
      crew({
        name: "c",
        tasks: [job("a", { agent: worker("A", { model: ["first", "second"] }) })],
        bosun,
      }).kickoff({
        signal: controller.signal,
      }),
    );

    expect(error.code).toBe("run/cancelled");
    expect(models.second.requests).toHaveLength(0);
  });

  it("meet the smallest context of all, so that the fallback fits too", async () => {
    const models = {
      wide: scriptedModel(() => new BosunError("model/bad-request", "no"), {
        contextTokens: 100_000,
      }),
      narrow: scriptedModel(() => "fine", { contextTokens: 1_000 }),
    };
    const { bosun } = scene(() => "x ".repeat(4_000), { models });
    const tasks = [
      job("long"),
      job("short", { agent: worker("B", { model: ["wide", "narrow"] }) }),
    ] as const;

    const { events } = await eventsOf(crew({ name: "c", tasks, bosun }).stream());

    expect(only(events, "context-trim")).toMatchObject([{ part: "context:long" }]);
    expect(only(events, "run-end")).toMatchObject([{ raw: "fine" }]);
  });

  it("give way to the run's own model when a kickoff names one", async () => {
    const { bosun, asked, models } = threeModels("from the third");

    const result = await crew({ name: "c", tasks: [job("a", { agent: asked })], bosun }).kickoff({
      model: "third",
    });

    expect(result.raw).toBe("from the third");
    expect(models.first.requests).toHaveLength(0);
  });
});

describe("a model that nobody knows", () => {
  it("is model/unknown with what can be written instead", async () => {
    const { bosun } = scene([]);

    const error = await errorOf(
      crew({
        name: "c",
        tasks: [job("a", { agent: worker("A", { model: "llamaa" }) })],
        bosun,
      }).kickoff(),
    );

    expect(error.code).toBe("model/unknown");
    expect(error.message).toMatch(/llamaa.*http:\/\//s);
  });

  it("that is called like a member of every object is unknown too", async () => {
    const { bosun } = scene([]);

    const error = await errorOf(
      crew({
        name: "c",
        tasks: [job("a", { agent: worker("A", { model: "constructor" }) })],
        bosun,
      }).kickoff(),
    );

    expect(error.code).toBe("model/unknown");
  });
});
