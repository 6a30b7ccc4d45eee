import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openStore } from "../../../src/service/store/store.ts";
import { thrownBy } from "../../orchestration/run/scenario.ts";
import { END, eventOf, folder, keep, START } from "./probe.ts";

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
