import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { wait } from "../../src/test/index.ts";
import { newFolder, runBosun, startBosun } from "./bosun-process.ts";
import { placesOf, reportOf, serverOf, THREE_ANSWERS, THREE_TASKS } from "./kill-scene.ts";

describe("a run whose events cannot be kept", () => {
  it.each([
    ["amid it", "TEXT", 0],
    ["at its end", "SUM", 1],
  ])(
    "(%s) has no end: it stops with what to do, and is finished when they can be",
    async (_, mark, turn) => {
      const gate = Promise.withResolvers<void>();
      const answers = [...(THREE_ANSWERS[mark] ?? [])];
      answers[turn] = [wait(gate.promise), ...(answers[turn] ?? [])];
      await using server = await serverOf({ ...THREE_ANSWERS, [mark]: answers });
      const cwd = newFolder({ "crew.ts": THREE_TASKS });
      const args = ["run", ".", "--run-id", "r1", "--model", server.url];
      await using run = startBosun(args, { cwd });
      await server.received(mark === "TEXT" ? 2 : 5);
      const store = new DatabaseSync(join(cwd, ".bosun/runs.db"), { timeout: 5_000 });
      store.exec("BEGIN IMMEDIATE"); // as a process that holds the file for long
      gate.resolve();
      const { code, err } = await run.ended;
      store.exec("ROLLBACK");
      store.close();

      expect([code, err]).toEqual([1, expect.stringContaining("Error [store/failed]")]);
      expect(err).toContain("runs resume r1");
      const resumed = await runBosun(["runs", "resume", "r1"], { cwd });
      expect(resumed).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
      expect(await reportOf(cwd)).toMatchObject({
        status: "done",
        usage: { input: { total: 66 } },
      });
      expect(placesOf(server).filter((call) => call === "FACTS 1")).toHaveLength(1);
    },
  );
});
