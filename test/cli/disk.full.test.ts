import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, describe, expect, it } from "vitest";
import { type FaultServer, wait } from "../../src/test/index.ts";
import { newFolder, type ProcessOptions, runBosun, startBosun } from "./bosun-process.ts";
import { killAtEvent, namesOf, startAnswering, THREE_ANSWERS, threeTasks } from "./kill-crew.ts";

type Scene = ProcessOptions & { readonly cwd: string; readonly env: Record<string, string> };

function sceneOf(server: FaultServer): Scene {
  const cwd = newFolder({ "crew.ts": threeTasks("sequential") });
  return { cwd, env: { SERVER_URL: server.url } };
}

/** Small disks of this test. */
const disks: string[] = [];
afterEach(() => {
  for (const disk of disks.splice(0)) execFileSync("umount", [disk]);
});

function mount(kibibytes: number): string {
  const folder = newFolder();
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${kibibytes}k`, "tmpfs", folder]);
  disks.push(folder);
  return folder;
}

const canMount = ((): boolean => {
  try {
    execFileSync("umount", [mount(64)], { stdio: "ignore" });
    disks.pop();
    return true;
  } catch {
    disks.length = 0;
    console.warn("not tested here, because this user may not mount: a full and a read-only disk");
    return false;
  }
})();

describe.skipIf(!canMount)("a data folder on a small disk", () => {
  it("that becomes full ends the run with what to do; once there is room it goes on, and no kept call is repeated", async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await startAnswering(THREE_ANSWERS, (answer, index) =>
      index === 2 ? [wait(gate.promise), ...answer] : answer,
    );
    const scene = sceneOf(server);
    const disk = mount(2_048);
    const data = join(disk, "data");
    await using bosun = startBosun(["run", ".", "--run-id", "r1", "--data", data], scene);
    await server.received(2);
    fill(join(disk, "filler"));
    gate.resolve();

    const full = await bosun.ended;
    const stillFull = await runBosun(["runs", "resume", "r1", "--data", data], scene);
    rmSync(join(disk, "filler"));
    const before = server.calls.length;
    const resumed = await runBosun(["runs", "resume", "r1", "--data", data], scene);

    expect(full.code).toBe(1);
    expect(full.err).toMatch(/Error \[store\/failed\] .*disk is full: free some space/);
    expect(stillFull.code).toBe(1);
    expect(stillFull.err).toContain("Error [store/failed]");
    expect(resumed).toMatchObject({ code: 0, out: '{"grade":1}\n' });
    expect(namesOf(server, before).filter((name) => name.startsWith("facts"))).toEqual([]);
    for (const file of ["journal.db", "runs.db"]) {
      const database = new DatabaseSync(join(data, file));
      expect(database.prepare("PRAGMA integrity_check").get()).toEqual({ integrity_check: "ok" });
      database.close();
    }
  });

  it("that is read-only is told, and its files are left as they are", async () => {
    await using server = await startAnswering(THREE_ANSWERS);
    const scene = sceneOf(server);
    const disk = mount(4_096);
    await killAtEvent(["run", ".", "--run-id", "r1", "--data", join(disk, "data")], scene, {
      type: "task-end",
      n: 1,
    });
    const bytes = readFileSync(join(disk, "data/journal.db"));
    execFileSync("mount", ["-o", "remount,ro", disk]);

    const resumed = await runBosun(["runs", "resume", "r1", "--data", join(disk, "data")], scene);
    const run = await runBosun(["run", ".", "--data", join(disk, "data")], scene);

    for (const { code, err } of [resumed, run]) {
      expect(code).toBe(1);
      expect(err).toMatch(/Error \[store\/failed\] .*give another path/);
    }
    expect(readFileSync(join(disk, "data/journal.db")).equals(bytes)).toBe(true);
  });
});

/** Takes all the room that is left. */
function fill(path: string): void {
  for (const size of [65_536, 4_096, 1])
    try {
      for (;;) writeFileSync(path, Buffer.alloc(size), { flag: "a" });
    } catch {
      // full
    }
}
