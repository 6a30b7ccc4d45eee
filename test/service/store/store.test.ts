import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { createBosun } from "../../../src/bosun.ts";
import type { RunEvent, RunFact } from "../../../src/orchestration/run/event.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { openStore, type Store } from "../../../src/service/store/store.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import {
  byTask,
  errorOf,
  eventsOf,
  job,
  settle,
  thrownBy,
} from "../../orchestration/run/scenario.ts";

const folders: string[] = [];
const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "bosun-store-"));
  folders.push(made);
  return made;
};
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

const START: RunFact = {
  type: "run-start",
  crew: "report",
  process: "sequential",
  inputs: {},
  tasks: [],
  width: 1,
};
const END: RunFact = { type: "run-end", status: "done", raw: "" };
const eventOf = (runId: string, seq: number, fact: RunFact): RunEvent => ({
  ...fact,
  runId,
  path: [],
  attempt: 1,
  n: 0,
  seq,
  at: 1_000 + seq,
  replayed: false,
});

/** Records and waits until it is kept. */
const keep = (store: Store, event: RunEvent): Promise<void> =>
  new Promise((resolve, reject) =>
    store.record(event, (error) => (error ? reject(error) : resolve())),
  );

describe("a store", () => {
  it("calls an event kept only after its transaction was committed (E1)", async () => {
    const data = folder();
    const store = openStore(data);
    const other = openStore(data);
    let seenByOther = 0;

    await new Promise<void>((resolve) =>
      store.record(eventOf("r1", 1, START), () => {
        seenByOther = other.events("r1").length;
        resolve();
      }),
    );

    expect(seenByOther).toBe(1);
    store.close();
    other.close();
  });

  it("keeps the events of a run in the order of seq, over thousands in one turn (E1)", async () => {
    const store = openStore(folder());
    const kept: number[] = [];
    const note = (seq: number) => (): void => void kept.push(seq);
    store.record(eventOf("r1", 1, START), note(1));
    for (let seq = 2; seq <= 5_000; seq++)
      store.record(
        eventOf("r1", seq, { type: "model-queued", agent: "A", reason: `${seq}` }),
        note(seq),
      );

    await keep(store, eventOf("r1", 5_001, END));

    const seqs = Array.from({ length: 5_001 }, (_, n) => n + 1);
    expect(kept).toEqual(seqs.slice(0, 5_000));
    expect(store.events("r1").map(({ seq }) => seq)).toEqual(seqs);
    store.close();
  });

  it("gives back each event as it was", async () => {
    const store = openStore(folder());
    const event = eventOf("r1", 1, {
      ...START,
      inputs: { topic: "ü 字 🙂", n: 1.5, list: [null, true] },
    });

    await keep(store, event);

    expect(store.events("r1")).toEqual([event]);
    store.close();
  });

  it("lists runs, the newest first, with how they ended", async () => {
    const store = openStore(folder());
    for (const id of ["one", "two", "three"]) await keep(store, eventOf(id, 1, START));
    await keep(store, eventOf("two", 2, { ...END, status: "failed" }));

    expect(store.list().map(({ runId, status }) => [runId, status])).toEqual([
      ["three", "running"],
      ["two", "failed"],
      ["one", "running"],
    ]);
    expect(store.list({ status: "failed" }).map(({ runId }) => runId)).toEqual(["two"]);
    expect(store.list({ limit: 1 }).map(({ runId }) => runId)).toEqual(["three"]);
    store.close();
  });

  it("finds a run by its id or by a beginning that is unique, and nothing else", async () => {
    const store = openStore(folder());
    for (const id of ["abc", "abcdef", "abxyz", "100%_x"]) await keep(store, eventOf(id, 1, START));

    expect(store.find("abc")?.runId).toBe("abc");
    expect(store.find("abx")?.runId).toBe("abxyz");
    expect(store.find("ab")).toBeUndefined();
    expect(store.find("%")).toBeUndefined();
    expect(store.find("zzz")).toBeUndefined();
    store.close();
  });

  it("keeps what was waiting when it is closed", () => {
    const data = folder();
    const store = openStore(data);
    store.record(eventOf("r1", 1, START), () => undefined);
    store.record(eventOf("r1", 2, END), () => undefined);

    store.close();
    const again = openStore(data);

    expect(again.events("r1")).toHaveLength(2);
    again.close();
  });

  it("fails only the run whose events cannot be kept, not the others of the same moment", async () => {
    const data = folder();
    const store = openStore(data);
    const other = openStore(data);
    await keep(other, eventOf("taken", 1, START));

    const outcomes = await Promise.allSettled([
      keep(store, eventOf("innocent", 1, START)),
      keep(store, eventOf("taken", 1, START)),
      keep(store, eventOf("innocent", 2, END)),
    ]);

    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
    expect(store.events("innocent")).toHaveLength(2);
    store.close();
    other.close();
  });

  it("goes on after a failed transaction: the next run is kept whole", async () => {
    const data = folder();
    const store = openStore(data);
    const other = openStore(data);
    await keep(other, eventOf("taken", 1, START));
    await keep(store, eventOf("taken", 1, START)).catch(() => undefined);

    await keep(store, eventOf("next", 1, START));
    await keep(store, eventOf("next", 2, END));

    expect(store.events("next").map(({ seq }) => seq)).toEqual([1, 2]);
    expect(store.events("taken").map(({ seq }) => seq)).toEqual([1]);
    store.close();
    other.close();
  });

  it("says what to do when its file is no database", () => {
    const data = folder();
    writeFileSync(join(data, "runs.db"), "this is a text file and no database ".repeat(50));

    const error = thrownBy(() => openStore(data));

    expect(error.code).toBe("store/failed");
    expect(error.message).toContain("runs.db");
  });

  it("makes its folder for this user alone", () => {
    const data = join(folder(), "deep", "inside");
    openStore(data).close();

    expect(statSync(data).mode & 0o077).toBe(0);
  });
});

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

  it("throws store/failed that carries what was finished, from kickoff and from stream", async () => {
    const errors: unknown[] = [];
    for (const run of ["kickoff", "stream"] as const) {
      const bosun = bosunIn(folder());
      const made = crew({ name: "c", tasks: [job("a"), job("b")], bosun });
      (await bosun.store())?.close();
      const running =
        run === "kickoff"
          ? made.kickoff()
          : eventsOf(made.stream()).then(({ error }) => Promise.reject(error));
      errors.push(await running.catch((error: unknown) => error));
      await bosun.close();
    }

    expect(errors).toMatchObject([{ code: "store/failed" }, { code: "store/failed" }]);
    expect(errors.map((error) => partialResult(error)?.tasks["a"]?.raw)).toEqual([
      "a text",
      expect.any(String),
    ]);
  });

  it("ends also when its Bosun is closed amid it", async () => {
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

    expect(error.code).toBe("store/failed");
  });
});
