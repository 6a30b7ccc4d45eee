import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, it } from "vitest";
import { openSqlite } from "../src/sqlite.ts";

it("lets eight processes open, migrate and write one new file at the same moment", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-sqlite-"));
  const path = join(folder, "made-by-all", "store.sqlite");
  const migrations = ["CREATE TABLE note (writer INTEGER)", "CREATE TABLE other (x)"];
  const script = `
    const { openSqlite } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../src/sqlite.ts")).href)});
    process.stdout.write("ready");
    await new Promise((resolve) => process.stdin.once("data", resolve));
    using store = openSqlite(${JSON.stringify(path)}, ${JSON.stringify(migrations)});
    store.transaction(() => store.database.exec("INSERT INTO note VALUES (1)"));
    process.exit(0);`;
  try {
    const writers = Array.from({ length: 8 }, () =>
      spawn(process.execPath, ["--input-type=module", "--eval", script], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    await Promise.all(writers.map((writer) => once(writer.stdout, "data")));

    const ends = writers.map((writer) => once(writer, "exit"));
    for (const writer of writers) writer.stdin.write("go");
    const codes = (await Promise.all(ends)).map(([code]: unknown[]) => code);

    expect(codes).toEqual([0, 0, 0, 0, 0, 0, 0, 0]);
    using store = openSqlite(path, migrations);
    expect(store.database.prepare("SELECT count(*) AS n FROM note").get()).toEqual({ n: 8 });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}, 30_000);

// In a process of its own: making directories there with `recursive` never returns in Node 24.
it.skipIf(process.platform !== "linux")(
  "says store/failed for a path where no directory can be made, such as below /proc",
  async () => {
    const script = `
      const { openSqlite } = await import(${JSON.stringify(pathToFileURL(join(import.meta.dirname, "../src/sqlite.ts")).href)});
      for (const path of ["/proc/x/runs.db", "/proc/x/y/z/runs.db", "/sys/x/runs.db"])
        try { openSqlite(path, []); } catch (error) { process.stdout.write(error.code + " " + error.message + "\\n"); }`;
    const child = spawn(process.execPath, ["--input-type=module", "--eval", script], {
      stdio: ["ignore", "pipe", "inherit"],
      timeout: 20_000,
      killSignal: "SIGKILL",
    });
    let said = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => (said += text));

    const [code]: unknown[] = await once(child, "close");

    const lines = said.trim().split("\n");
    expect(code).toBe(0);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(
      /^store\/failed cannot open \/proc\/x\/runs\.db: the directory \/proc\/x cannot be made/,
    );
    for (const line of lines)
      expect(line).toMatch(/^store\/failed .*Give a folder that this user may write/);
  },
  30_000,
);
