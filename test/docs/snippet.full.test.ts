import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";

const ROOT = join(import.meta.dirname, "../..");

/** The TypeScript blocks of a page. */
function blocksOf(page: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), "utf8");
  return [...text.matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code);
}

describe.each([
  ["docs/crews.md", 5],
  ["docs/twin.md", 2],
  ["docs/gateway.md", 1],
  ["docs/context.md", 1],
  ["docs/durable-runs.md", 1],
  ["docs/flows.md", 4],
])("%s", (page, least) => {
  it("has only code that the compiler takes", async () => {
    const folder = mkdtempSync(join(ROOT, "test/docs/.snippets-"));
    try {
      const blocks = blocksOf(page);
      for (const [index, code] of blocks.entries())
        writeFileSync(join(folder, `block-${index}.ts`), `${code}\nexport {};\n`);
      // A user's project, not ours: nobody else writes declarations of everything that they export.
      const compilerOptions = { isolatedDeclarations: false, declaration: false };
      const config = { extends: "../../../tsconfig.json", compilerOptions, include: ["*.ts"] };
      writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));

      const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
      const checked = promisify(execFile)(process.execPath, [tsc, "--noEmit", "-p", folder]);
      const { stdout } = await checked.catch((error: { stdout: string }) => error);

      expect(blocks.length).toBeGreaterThanOrEqual(least);
      expect(stdout).toBe("");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
