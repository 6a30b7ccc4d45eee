import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createBosun } from "../../../src/bosun.ts";
import { crew } from "../../../src/crew.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { byTask, errorOf, eventsOf, job, settle } from "../../orchestration/run/scenario.ts";
import { folder } from "./probe.ts";

const bosunIn = (data: string) =>
  createBosun({
    data,
    env: {},
    retry: { baseMs: 0, capMs: 0 },
    model: scriptedModel(byTask({ a: { deltas: ["a ", "text"] }, b: "b text" })),
  });

describe("a run with a store", () => {
  it("has in the store exactly what was yielded, without the deltas", async () => {
    const bosun = bosunIn(folder());

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("a"), job("b")], bosun }).stream(),
    );
    const stored = (await bosun.store())?.events(events[0]?.runId ?? "");

    expect(stored).toEqual(
      JSON.parse(JSON.stringify(events.filter(({ type }) => type !== "model-delta"))),
    );
    await bosun.close();
  });

  it("yields no event that the store does not have (L1)", async () => {
    const bosun = bosunIn(folder());

    for await (const event of crew({ name: "c", tasks: [job("a"), job("b")], bosun }).stream()) {
      if (event.type === "model-delta") continue;
      const stored = (await bosun.store())?.events(event.runId) ?? [];
      expect(stored.length).toBeGreaterThanOrEqual(event.seq);
    }
    await bosun.close();
  });

  it("is in the list as done when kickoff returns", async () => {
    const bosun = bosunIn(folder());

    const { runId } = await crew({ name: "report", tasks: [job("a"), job("b")], bosun }).kickoff();

    expect((await bosun.store())?.list()).toMatchObject([
      { runId, crew: "report", status: "done" },
    ]);
    await bosun.close();
  });

  it("refuses an id that the store has, and a beginning of one is free", async () => {
    const data = folder();
    const first = bosunIn(data);
    await crew({ name: "c", tasks: [job("a")], bosun: first }).kickoff({ runId: "my-run" });
    await first.close();
    const second = bosunIn(data);
    const again = crew({ name: "c", tasks: [job("a")], bosun: second });

    const error = await errorOf(again.kickoff({ runId: "my-run" }));
    const { runId } = await again.kickoff({ runId: "my" });

    expect(error.code).toBe("usage");
    expect(error.message).toContain("my-run");
    expect(runId).toBe("my");
    await second.close();
  });

  it("keeps fifty runs at once apart", async () => {
    const bosun = bosunIn(folder());
    const many = crew({ name: "c", tasks: [job("a"), job("b")], bosun });

    const results = await Promise.all(Array.from({ length: 50 }, () => many.kickoff()));
    await settle();

    const store = await bosun.store();
    for (const { runId } of results) {
      const events = store?.events(runId) ?? [];
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      expect(events.at(-1)?.type).toBe("run-end");
    }
    await bosun.close();
  });

  it("says store/failed with the path when the data folder is a file", async () => {
    const data = join(folder(), "file");
    writeFileSync(data, "x");
    const bosun = bosunIn(data);

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

    expect(error.code).toBe("store/failed");
    expect(error.message).toContain(data);
  });

  it.each(["kickoff", "stream"] as const)(
    "throws store/failed that carries what there was by then, from %s, and can be resumed",
    async (how) => {
      const [data, tasks] = [folder(), [job("a"), job("b")]];
      const bosun = bosunIn(data);
      const made = crew({ name: "c", tasks, bosun });
      (await bosun.store())?.close();
      const running =
        how === "kickoff"
          ? made.kickoff()
          : eventsOf(made.stream()).then(({ error }) => Promise.reject(error));
      const error = await errorOf(running);
      await bosun.close();
      const later = bosunIn(data);
      const runId = partialResult(error)?.runId ?? "";
      const resumed = await (await later.resume(crew({ name: "c", tasks }), runId)).ended;
      await later.close();

      expect(error.code).toBe("store/failed");
      expect(resumed).toMatchObject({ status: "done", raw: "b text" });
      expect(resumed.tasks["a"]?.raw).toBe("a text");
    },
  );

  it("is given back when its Bosun is closed amid it", async () => {
    const opened = Promise.withResolvers<string>();
    const bosun = createBosun({
      data: folder(),
      env: {},
      model: scriptedModel(() => opened.promise),
    });
    const running = crew({ name: "c", tasks: [job("a")], bosun }).kickoff();
    await settle();

    await bosun.close();
    opened.resolve("late");
    const error = await errorOf(running);

    expect(error.code).toBe("run/suspended");
  });
});
