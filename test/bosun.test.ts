import { describe, expect, it } from "vitest";
import { createBosun } from "../src/bosun.ts";
import { crew } from "../src/crew.ts";
import type { Model } from "../src/inference/model/model.ts";
import { scriptedModel } from "../src/test/scripted-model.ts";
import {
  byTask,
  errorOf,
  gate,
  job,
  QUICK,
  scene,
  settle,
  worker,
} from "./orchestration/run/scenario.ts";

describe("a Bosun", () => {
  it("is what several crews run on, and each kickoff is a run of its own", async () => {
    const { bosun, model } = scene(() => "x");

    await Promise.all(
      ["one", "two", "three"].map((name) => crew({ name, tasks: [job("a")], bosun }).kickoff()),
    );

    expect(new Set(model.requests.map(({ hints }) => hints.runId)).size).toBe(3);
  });

  it("takes models by alias before every other meaning of a name", async () => {
    const bosun = createBosun({
      data: false,
      env: { OPENAI_BASE_URL: "http://127.0.0.1:9/v1" },
      models: { large: scriptedModel(() => "from the alias") },
      retry: QUICK,
    });

    const { raw } = await crew({
      name: "c",
      tasks: [job("a", { agent: worker("A", { model: "large" }) })],
      bosun,
    }).kickoff();

    expect(raw).toBe("from the alias");
  });

  it("has the environment's model as its default, and the embedded one without", () => {
    const [set, unset] = [
      createBosun({
        data: false,
        env: { OPENAI_BASE_URL: "http://gpu:8000/v1", OPENAI_MODEL_NAME: "qwen" },
      }),
      createBosun({ data: false, env: {} }),
    ];

    expect(set.defaultModel).toMatchObject({
      type: "endpoint",
      url: "http://gpu:8000/v1",
      model: "qwen",
    });
    expect(unset.defaultModel).toBe("extractive");
  });

  it("has no store when it keeps nothing", async () => {
    const { bosun } = scene([]);

    expect(await bosun.store()).toBeUndefined();
  });

  it("can be closed twice, and while nothing was ever run", async () => {
    const { bosun } = scene([]);

    await bosun.close();
    await expect(bosun.close()).resolves.toBeUndefined();
  });

  it("lets a started run be followed by several readers, and cancelled", async () => {
    const opened = gate<string>();
    const { bosun } = scene(byTask({ a: "a text", b: () => opened.promise }));
    const made = crew({ name: "c", tasks: [job("a"), job("b")], bosun });
    const live = new AbortController().signal;

    const run = await bosun.start(made, { inputs: {} });
    const readers = [1, 2].map(() => Array.fromAsync(run.log.read(0, live)));
    await settle();
    const late = Array.fromAsync(run.log.read(3, live));
    run.cancel("enough of it");
    const state = await run.ended;
    const [first, second] = await Promise.all(readers);

    expect(state).toMatchObject({
      status: "cancelled",
      error: { code: "run/cancelled", message: expect.stringContaining("enough of it") },
    });
    expect(second).toEqual(first);
    expect(first?.at(-1)).toMatchObject({ type: "run-end", status: "cancelled" });
    expect((await late)[0]?.seq).toBe(4);
  });

  it("frees a run's id when it has ended", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    await made.kickoff({ runId: "again" });
    const { status } = await made.kickoff({ runId: "again" });

    expect(status).toBe("done");
  });

  it("gives ids that sort by time and can be typed", async () => {
    const { bosun } = scene(() => "x");

    const { runId } = await crew({ name: "c", tasks: [job("a")], bosun }).kickoff();

    expect(runId).toMatch(/^19700101-000000-[a-z0-9]{10}$/);
  });

  it("ends a run whose model throws whatever can be thrown", async () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    for (const thrown of [
      undefined,
      null,
      "text",
      10n,
      circular,
      new TypeError("x is undefined"),
    ]) {
      const rude: Model = {
        // oxlint-disable-next-line require-yield -- a model that breaks before it says anything
        async *call() {
          throw thrown;
        },
        contextTokens: async () => undefined,
      };
      const bosun = createBosun({ data: false, env: {}, model: rude, retry: QUICK });

      const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

      expect(error.code).toBe("model/server");
    }
  });

  it("ends a run whose model ends its events without an end", async () => {
    const silent: Model = {
      async *call() {
        yield { type: "text-delta", text: "half" };
      },
      contextTokens: async () => undefined,
    };
    const bosun = createBosun({ data: false, env: {}, model: silent, retry: QUICK });

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

    expect(error.code).toBe("model/cut");
  });
});
