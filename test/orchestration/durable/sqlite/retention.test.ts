import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Json } from "../../../../src/json.ts";
import type { Flow } from "../../../../src/orchestration/durable/durable.ts";
import { openSqliteEngine } from "../../../../src/orchestration/durable/sqlite/engine.ts";

const folders: string[] = [];
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

const LARGE = 1_100_000;
/** A step over the bound of a row; the run's number makes it another text each time. */
const large: Flow<Json, Json> = {
  name: "large",
  version: "1",
  run: (d, input) => d.step("s", async () => `${JSON.stringify(input)} ${"x".repeat(LARGE)}`),
};

const small: Flow<Json, Json> = { name: "small", version: "1", run: async () => null };

async function runAll(folder: string, ids: readonly string[]): Promise<void> {
  await using engine = openSqliteEngine(folder, { keepRuns: 2 });
  for (const id of ids) await (await engine.start(large, id, { id })).result();
}

function blobsIn(folder: string): number {
  const names = readdirSync(join(folder, "blobs"), { recursive: true, encoding: "utf8" });
  return names.filter((name) => statSync(join(folder, "blobs", name)).isFile()).length;
}

describe("the journal's retention", () => {
  it("keeps the newest runs, and removes the others with their blobs when the file is opened", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bosun-retention-"));
    folders.push(folder);
    await runAll(folder, ["a", "b", "c", "d", "e"]);
    const before = blobsIn(folder);

    await using engine = openSqliteEngine(folder, { keepRuns: 2 });
    const left = await engine.list();

    expect(left.map(({ id }) => id)).toEqual(["e", "d"]);
    expect(before).toBeGreaterThanOrEqual(5);
    expect(blobsIn(folder)).toBe((before / 5) * 2);
    expect(await engine.steps("e")).toMatchObject([{ key: "s", status: "done" }]);
  });

  it("never removes a run that has not ended", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bosun-retention-"));
    folders.push(folder);
    {
      await using engine = openSqliteEngine(folder, { keepRuns: 1 });
      await engine.start(large, "held", { id: "held", queue: "q" });
    }
    await runAll(folder, ["a", "b", "c"]);

    await using engine = openSqliteEngine(folder, { keepRuns: 1 });

    expect((await engine.list()).map(({ id }) => id)).toEqual(["c", "held"]);
  });

  it("removes while it is open as many as end", async () => {
    const folder = mkdtempSync(join(tmpdir(), "bosun-retention-"));
    folders.push(folder);
    await using engine = openSqliteEngine(folder, { keepRuns: 50 });

    const counts: number[] = [];
    for (let index = 0; index < 1_500; index++) {
      await (await engine.start(small, null, { id: `r-${index}` })).result();
      if (index % 500 === 499) counts.push((await engine.list({ limit: 2_000 })).length);
    }

    expect(Math.max(...counts)).toBeLessThan(50 + 200);
  });
});
