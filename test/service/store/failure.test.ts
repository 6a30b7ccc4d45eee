import { hostname } from "node:os";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, vi } from "vitest";
import { openStore } from "../../../src/service/store/store.ts";
import { errorOf, thrownBy } from "../../orchestration/run/scenario.ts";
import { END, eventOf, folder, keep, START } from "./probe.ts";

describe("a store where something fails", () => {
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

  it("never keeps events of a run in another run, when the first ones could not be kept (E3)", async () => {
    const data = folder();
    const store = openStore(data);
    const cyclic: Record<string, unknown> = {};
    cyclic["self"] = cyclic;
    const unwritable = { type: "model-queued", agent: "A", reason: "r", cyclic } as const;
    const failed = await Promise.allSettled([
      keep(store, eventOf("a", 1, START)),
      keep(store, eventOf("a", 2, unwritable)),
    ]);
    await keep(store, eventOf("b", 1, START));
    await keep(store, eventOf("b", 2, { type: "model-queued", agent: "B", reason: "r" }));

    const late = await keep(store, eventOf("a", 3, END)).catch((error: unknown) => error);

    expect(failed.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(late).toMatchObject({ code: "store/failed" });
    expect(store.events("b").map(({ runId, seq }) => [runId, seq])).toEqual([
      ["b", 1],
      ["b", 2],
    ]);
    expect(store.list()).toMatchObject([{ runId: "b", status: "running" }]);
    store.close();
  });

  it("keeps of a run nothing after an event that could not be kept (E3)", async () => {
    const store = openStore(folder());
    const note = { type: "model-queued", agent: "A", reason: "r" } as const;
    await keep(store, eventOf("a", 1, START));
    await keep(store, eventOf("b", 1, START));

    const outcomes = await Promise.allSettled([
      keep(store, eventOf("a", 1, note)), // a seq that is taken
      keep(store, eventOf("b", 2, note)),
    ]);
    const late = await keep(store, eventOf("a", 3, END)).catch((error: unknown) => error);
    await keep(store, eventOf("b", 3, END));

    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled"]);
    expect(late).toMatchObject({ code: "store/failed" });
    expect(store.events("a").map(({ seq }) => seq)).toEqual([1]);
    expect(store.events("b").map(({ seq }) => seq)).toEqual([1, 2, 3]);
    store.close();
  });

  it("says the cause at the first event that could not be kept", async () => {
    const store = openStore(folder());
    await keep(store, eventOf("a", 1, START));

    const first = await errorOf(keep(store, eventOf("a", 1, END))); // a seq that is taken
    const later = await errorOf(keep(store, eventOf("a", 2, END)));

    expect(first.message).toContain("UNIQUE");
    expect(later.message).toContain("an earlier one could not be");
    store.close();
  });

  it("does not give the row of a removed run to another", async () => {
    const data = folder();
    const store = openStore(data);
    await keep(store, eventOf("first", 1, START));
    using database = new DatabaseSync(store.path);
    database.exec("DELETE FROM runs");

    await keep(store, eventOf("second", 1, START));

    expect(database.prepare("SELECT id FROM runs").get()).toEqual({ id: 2 });
    store.close();
  });

  it("begins no transaction when nothing waits", async () => {
    const store = openStore(folder());
    const executed = vi.spyOn(DatabaseSync.prototype, "exec");
    for (const id of ["a", "b", "c"]) store.record(eventOf(id, 1, START), () => undefined);

    await Promise.all(["a", "b", "c"].map((id) => keep(store, eventOf(id, 2, END))));
    await new Promise(setImmediate);
    await new Promise(setImmediate);
    store.close();

    const begun = executed.mock.calls.filter(([sql]) => sql.startsWith("BEGIN"));
    executed.mockRestore();
    expect(begun).toHaveLength(1);
  });

  it("shows a run of an earlier process with the same pid as interrupted (E2)", async () => {
    const store = openStore(folder());
    await keep(store, eventOf("before", 1, START));
    await keep(store, eventOf("now", 1, START));
    using database = new DatabaseSync(store.path);
    const earlier = `${process.pid}@${hostname()}#another-token`;
    database.prepare("UPDATE runs SET owner = ? WHERE run_id = 'before'").run(earlier);

    const runs = store.list().map(({ runId, status }) => [runId, status]);

    expect(runs).toEqual([
      ["now", "running"],
      ["before", "interrupted"],
    ]);
    store.close();
  });

  it("says that it is closed to whoever uses it after that", async () => {
    const store = openStore(folder());
    store.close();
    store.close();

    const errors = [
      thrownBy(() => store.list()),
      thrownBy(() => store.find("r1")),
      thrownBy(() => store.events("r1")),
      await errorOf(keep(store, eventOf("r1", 1, START))),
    ];

    for (const error of errors) {
      expect(error.code).toBe("store/failed");
      expect(error.message).toContain("this store is closed");
      expect(error.message).not.toContain("Look at the file");
    }
  });
});
