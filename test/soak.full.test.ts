import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const MAIN = join(import.meta.dirname, "../bench/soak/main.ts");

describe("crews against a server that fails at random", () => {
  it("end in a result or a typed error each, and leave nothing behind", () => {
    const flags = ["--runs", "60", "--block", "30", "--in-flight", "30", "--seed", "3", "--json"];

    const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...flags], {
      encoding: "utf8",
      timeout: 110_000,
    });

    const { outcomes, wrong } = JSON.parse(stdout || "{}") as {
      outcomes: Record<string, number>;
      wrong: string[];
    }; // `as`: checked below
    expect(wrong, stderr).toEqual([]);
    expect(Object.values(outcomes).reduce((sum, count) => sum + count, 0)).toBe(60);
    expect(outcomes["done"]).toBeGreaterThan(0);
    expect(status).toBe(0);
  }, 120_000);
});
