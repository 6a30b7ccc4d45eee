import { execFileSync, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import { startFaultServer, textReply } from "../../src/test/index.ts";
import { type Ended, newFolder, ROOT, runBosun } from "./bosun-process.ts";
import { killAtCall, placesOf, serverOf, THREE_ANSWERS, THREE_TASKS } from "./kill-scene.ts";

/** A folder with a run that was killed amid it, with its server. */
async function killedRun() {
  const server = await serverOf(THREE_ANSWERS);
  const cwd = newFolder({ "crew.ts": THREE_TASKS });
  await killAtCall(server, 3, { cwd });
  inJournal(cwd, (journal) => {
    // The log is written into the file; it is empty then.
    for (const sql of ["SELECT count(*) FROM steps", "PRAGMA wal_checkpoint(TRUNCATE)"])
      journal.prepare(sql).all();
  });
  return { server, cwd };
}

function inJournal<T>(cwd: string, work: (journal: DatabaseSync) => T): T {
  using journal = new DatabaseSync(join(cwd, ".bosun/journal.db"));
  return work(journal);
}

const resume = (cwd: string): Promise<Ended> => runBosun(["runs", "resume", "r1"], { cwd });

const hashOf = (path: string): string =>
  createHash("sha256").update(readFileSync(path)).digest("hex");

const isRoot = process.getuid?.() === 0;

/** Whether this process may mount file systems. */
const canMount = ((): boolean => {
  const folder = newFolder();
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=64k", "tmpfs", folder]);
  if (mounted.status !== 0) return false;
  execFileSync("umount", [folder]);
  return true;
})();

describe("a journal that cannot be used", () => {
  it("from a newer version is refused and left as it was, and the run goes on with that version", async () => {
    const { server, cwd } = await killedRun();
    await using _ = server;
    const path = join(cwd, ".bosun/journal.db");
    const setVersion = (version: number): number =>
      inJournal(cwd, (journal) => {
        const row = journal.prepare("PRAGMA user_version").get();
        journal.exec(`PRAGMA user_version = ${version}`);
        return Number(row?.["user_version"]);
      });
    const version = setVersion(999);
    const before = hashOf(path);

    const { code, err } = await resume(cwd);

    expect([code, err]).toEqual([1, expect.stringContaining("its schema is version 999")]);
    expect(err).toContain("Error [store/failed]");
    expect(hashOf(path)).toBe(before);
    setVersion(version);
    expect(await resume(cwd)).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
    expect(placesOf(server).filter((call) => call === "FACTS 1")).toHaveLength(1);
  });

  it.each([
    ["is no database", (path: string) => writeFileSync(path, "no database, but long ".repeat(400))],
    ["is damaged at its beginning", (path: string) => damage(path)],
    ["has lost its end", (path: string) => truncateSync(path, statSync(path).size - 16_384)],
  ])("that %s is a typed error, and no call is made", async (_how, spoil) => {
    const { server, cwd } = await killedRun();
    await using _ = server;
    const path = join(cwd, ".bosun/journal.db");
    spoil(path);
    const [before, calls] = [hashOf(path), server.calls.length];

    const { code, err } = await resume(cwd);

    expect([code, err]).toEqual([1, expect.stringContaining("Error [store/failed]")]);
    expect(err).toMatch(/journal\.db.*(damaged|not an SQLite database)/);
    expect(server.calls).toHaveLength(calls);
    expect(hashOf(path)).toBe(before);
  });

  it("whose values are damaged is a typed error, and the run goes on once they are mended", async () => {
    const { server, cwd } = await killedRun();
    await using _ = server;
    const set = (value: string): string =>
      inJournal(cwd, (journal) => {
        const at = "key = 'task:facts/turn:2'";
        const row = journal.prepare(`SELECT value FROM steps WHERE ${at}`).get();
        journal.prepare(`UPDATE steps SET value = ? WHERE ${at}`).run(value);
        return String(row?.["value"]);
      });
    const good = set('{"broken');

    const { code, err } = await resume(cwd);

    expect([code, err]).toEqual([1, expect.stringContaining("store/failed")]);
    expect(err).toContain("a value in the journal is damaged");
    set(good);
    expect(await resume(cwd)).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
  });
});

describe("a data folder", () => {
  it("that is read-only says so before anything is paid for", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    mkdirSync(join(cwd, "data"));
    if (isRoot && !canMount) return; // nothing is read-only for this user
    if (isRoot) execFileSync("mount", ["-t", "tmpfs", "-o", "ro", "tmpfs", join(cwd, "data")]);
    else chmodSync(join(cwd, "data"), 0o500);
    try {
      const args = ["run", ".", "--model", server.url, "--data", "data"];
      const { code, err } = await runBosun(args, { cwd });

      expect([code, err]).toEqual([1, expect.stringContaining("Error [store/failed]")]);
      expect(err).toMatch(/data\/(journal|runs)\.db/);
      expect(server.calls).toHaveLength(0);
    } finally {
      if (isRoot) execFileSync("umount", [join(cwd, "data")]);
    }
  });

  it.runIf(canMount)(
    "on a disk that gets full ends the run with what to do; what was kept is whole, and goes on when there is room",
    async () => {
      await using server = await serverOf({
        ...THREE_ANSWERS,
        TEXT: [textReply(`good ${"x".repeat(900_000)}`)],
      });
      const cwd = newFolder({ "crew.ts": THREE_TASKS });
      const data = join(cwd, "data");
      mkdirSync(data);
      execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", data]);
      try {
        const args = ["run", ".", "--run-id", "r1", "--model", server.url, "--data", "data"];
        const full = await runBosun(args, { cwd });
        expect([full.code, full.err]).toEqual([1, expect.stringContaining("store/failed")]);
        expect(full.err).toContain("The disk is full: free some space");

        execFileSync("mount", ["-o", "remount,size=64m", data]);
        const resumed = await runBosun(["runs", "resume", "r1", "--data", "data"], { cwd });

        expect(resumed).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
        expect(placesOf(server).filter((call) => call.startsWith("FACTS"))).toHaveLength(2);
      } finally {
        execFileSync("umount", [data]);
      }
    },
  );

  it("whose files may not grow any more is a typed error too", async () => {
    await using server = await serverOf({
      ...THREE_ANSWERS,
      TEXT: [textReply(`good ${"x".repeat(900_000)}`)],
    });
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    const command = `ulimit -f 512; exec "${process.execPath}" "${join(ROOT, "src/cli/main.ts")}" run . --run-id r1 --model ${server.url}`;
    const { promise, resolve } = Promise.withResolvers<Ended>();
    const child = spawn("bash", ["-c", command], { cwd, stdio: ["ignore", "ignore", "pipe"] });
    let err = "";
    child.stderr.on("data", (text: Buffer) => (err += String(text)));
    child.once("close", (code) => resolve({ code, out: "", err }));

    const ended = await promise;

    expect([ended.code, ended.err]).toEqual([1, expect.stringContaining("store/failed")]);
    const resumed = await resume(cwd);
    expect(resumed).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
    expect(placesOf(server).filter((call) => call.startsWith("FACTS"))).toHaveLength(2);
  });
});

function damage(path: string): void {
  const bytes = readFileSync(path);
  bytes.fill(0x55, 0, 200);
  writeFileSync(path, bytes);
}
