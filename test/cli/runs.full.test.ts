import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { errorReply, startFaultServer, textReply } from "../../src/test/index.ts";
import { newFolder, runBosun, TWO_AGENTS } from "./bosun-process.ts";

/** A folder with the runs ok-1 (done), ok-2 (done) and bad-1 (failed). */
async function folderWithRuns(): Promise<string> {
  await using server = await startFaultServer({
    replies: (_request, index) =>
      index < 4 ? textReply(`answer ${index}`) : errorReply(400, "no"),
  });
  const cwd = newFolder({ "crew.ts": TWO_AGENTS });
  for (const id of ["ok-1", "ok-2", "bad-1"])
    await runBosun(["run", ".", "--run-id", id, "--model", server.url, "--show-prompts"], { cwd });
  return cwd;
}

/** The first column of a table. */
function idsIn(out: string): readonly string[] {
  return out
    .split("\n")
    .slice(1, -1)
    .map((line) => line.split(" ")[0] ?? "");
}

describe("bosun runs", () => {
  it("lists the newest first, by status and up to a limit", async () => {
    const cwd = await folderWithRuns();

    const all = await runBosun(["runs", "list"], { cwd });
    const failed = await runBosun(["runs", "list", "--status", "failed"], { cwd });
    const one = await runBosun(["runs", "list", "--limit", "1", "--json"], { cwd });

    expect(all.out).toMatch(/^run +crew or flow +status /);
    expect(idsIn(all.out)).toEqual(["bad-1", "ok-2", "ok-1"]);
    expect(idsIn(failed.out)).toEqual(["bad-1"]);
    expect(JSON.parse(one.out)).toMatchObject({ runs: [{ runId: "bad-1", status: "failed" }] });
  });

  it("shows a run by its id or the beginning of it, with the tables of its events", async () => {
    const cwd = await folderWithRuns();

    const { code, out } = await runBosun(["runs", "show", "ok-1"], { cwd });
    const byPrefix = await runBosun(["runs", "show", "bad"], { cwd });

    expect(code).toBe(0);
    expect(out).toMatch(/^answer 1\n/);
    expect(out).toMatch(/Analyst +1 +0 +0 +11/);
    expect(byPrefix.code).toBe(0);
    expect(byPrefix.out).toContain("Error [model/bad-request]");
  });

  it("shows the latest", async () => {
    const cwd = await folderWithRuns();

    const { code, out } = await runBosun(["runs", "show", "latest", "--json"], { cwd });

    expect([code, JSON.parse(out)]).toMatchObject([0, { runId: "bad-1" }]);
  });

  it("shows the events with their prompts, and everything as JSON", async () => {
    const cwd = await folderWithRuns();

    const events = await runBosun(["runs", "show", "ok-1", "--events"], { cwd });
    const json = await runBosun(["runs", "show", "ok-1", "--events", "--json"], { cwd });

    expect(events.out).toContain("task write: Writer starts");
    expect(events.out).toContain("prompt of Analyst");
    expect(JSON.parse(json.out)).toMatchObject({
      runId: "ok-1",
      status: "done",
      raw: "answer 1",
      tasks: { write: { status: "done" } },
      events: expect.arrayContaining([expect.objectContaining({ type: "run-end" })]),
    });
  });

  it("names the nearest ids for one that is not there, and those that a beginning could mean", async () => {
    const cwd = await folderWithRuns();

    const unknown = await runBosun(["runs", "show", "ok-9"], { cwd });
    const several = await runBosun(["runs", "show", "ok"], { cwd });

    expect(unknown.err).toMatch(
      /^Error \[run\/unknown\] there is no run "ok-9" .*The nearest: ok-[12], ok-[12], bad-1\n$/,
    );
    expect(several.err).toContain('"ok" is the beginning of 2 runs: ok-2, ok-1');
    expect([unknown.code, several.code]).toEqual([2, 2]);
  });

  it("says when there are none", async () => {
    const cwd = newFolder();

    const list = await runBosun(["runs", "list"], { cwd });
    const show = await runBosun(["runs", "show", "x"], { cwd });

    expect([list.code, list.out]).toEqual([0, expect.stringContaining("No such runs in")]);
    expect(show.err).toContain("There are no runs");
    expect(readdirSync(cwd)).toEqual([]); // to look writes nothing
  });

  it("says that the store is no store", async () => {
    const cwd = newFolder({
      ".bosun/runs.db": "this is a text file, long enough to be no database",
    });

    const { code, err } = await runBosun(["runs", "list"], { cwd });

    expect([code, err]).toEqual([1, expect.stringContaining("Error [store/failed]")]);
  });
});
