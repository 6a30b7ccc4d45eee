import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../src/orchestration/run/event.ts";
import { applyEvents, EMPTY_RUN } from "../../src/orchestration/run/state.ts";
import { newFolder, runBosun } from "./bosun-process.ts";
import {
  comparable,
  killAtCall,
  linesOf,
  placesOf,
  reportOf,
  serverOf,
  storedEvents,
  THREE_ANSWERS,
  THREE_TASKS,
} from "./kill-scene.ts";

const CALLS = ["FACTS 0", "FACTS 1", "TEXT 0", "TEXT 1", "SUM 0", "SUM 1"];

describe("bosun runs resume after kill -9", () => {
  it("finishes the run as if it had never been interrupted, whichever model call was under way", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const files = { "crew.ts": THREE_TASKS };
    const [quiet, ...cut] = [newFolder(files), ...CALLS.map(() => newFolder(files))];
    const whole = await runBosun(["run", ".", "--run-id", "r1", "--model", server.url], {
      cwd: quiet,
    });
    expect(placesOf(server)).toEqual(CALLS);
    const expected = [await reportOf(quiet), comparable(storedEvents(quiet), quiet)];

    for (const [n, cwd] of cut.entries()) {
      const before = server.calls.length;
      await killAtCall(server, n, { cwd });
      const resumed = await runBosun(["runs", "resume", "r1"], { cwd });

      const where = `killed at ${CALLS[n]}`;
      expect(resumed, where).toMatchObject({ code: 0, out: whole.out });
      const made = placesOf(server).slice(before);
      expect(made, where).toEqual([...CALLS.slice(0, n + 1), ...CALLS.slice(n)]);
      const [report, events] = [await reportOf(cwd), comparable(storedEvents(cwd), cwd)];
      expect([report, events], where).toEqual(expected);
      expect(linesOf(join(cwd, "looked.txt")), where).toEqual(["sail"]);
      expect(readFileSync(join(cwd, "out/sum.json"), "utf8"), where).toBe('{"title":"T"}');
    }
  }, 60_000);

  it("is told the run's id at the start of the run, and says what is done and what is not", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    await killAtCall(server, 2, { cwd });

    const list = await runBosun(["runs", "list", "--status", "interrupted", "--json"], { cwd });
    const steps = await runBosun(["runs", "show", "latest", "--steps", "--json"], { cwd });

    expect(JSON.parse(list.out)).toMatchObject({ runs: [{ runId: "r1", status: "interrupted" }] });
    expect(steps.out).toContain("task:facts/turn:2");
    expect(steps.out).not.toContain("task:text/turn:2");
  });

  it("brings the stored events back as replayed, and folds that saw them ignore them", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    await killAtCall(server, 3, { cwd });
    const stored = storedEvents(cwd);

    const { code, out, err } = await runBosun(["runs", "resume", "r1", "--json"], { cwd });

    const events = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as RunEvent);
    expect([code, err]).toEqual([0, expect.stringContaining("run r1")]);
    const replayed = events.filter((event) => event.replayed);
    expect(replayed.map(({ seq }) => seq)).toEqual(stored.map(({ seq }) => seq));
    const seen = applyEvents(applyEvents(EMPTY_RUN, stored), events);
    expect(seen).toEqual(applyEvents(EMPTY_RUN, events));
    expect(seen).toMatchObject({ status: "done", raw: '{"title":"T"}' });
  });

  it("can be killed again and again: each execution does at least one call more", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    await killAtCall(server, 1, { cwd });
    for (let n = 0; n < 3; n++)
      await killAtCall(server, 1, { cwd, args: ["runs", "resume", "r1"] });

    const last = await runBosun(["runs", "resume", "r1"], { cwd });

    expect(last).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
    const counts = CALLS.map((call) => placesOf(server).filter((one) => one === call).length);
    expect(counts).toEqual([1, 2, 2, 2, 2, 1]);
  });

  it("refuses a run that has ended, and one that is not there", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    await runBosun(["run", ".", "--run-id", "r1", "--model", server.url], { cwd });

    const ended = await runBosun(["runs", "resume", "r1"], { cwd });
    const unknown = await runBosun(["runs", "resume", "other"], { cwd });

    expect([ended.code, ended.err]).toEqual([2, expect.stringContaining("Error [run/ended]")]);
    expect([unknown.code, unknown.err]).toEqual([2, expect.stringContaining("[run/unknown]")]);
  });
});
