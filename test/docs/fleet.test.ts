import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseFleet } from "../../src/inference/fleet/fleet-file.ts";
import { DIALECTS, ORDERS, PROVIDERS, ROUTES } from "../../src/inference/fleet/fleet.ts";
import { keysOfFleet } from "../../src/inference/fleet/fleet-key.ts";
import { DIALECT_FACTS } from "../../src/inference/pool/dialect.ts";

const PAGE = readFileSync(join(import.meta.dirname, "../../docs/fleet.md"), "utf8");

/** The cells of the page's rows that begin with this word in code. */
const rowOf = (name: string): readonly string[] | undefined =>
  PAGE.split("\n")
    .filter((line) => line.startsWith(`| \`${name}\` |`))
    .map((line) =>
      line
        .split("|")
        .slice(2, -1)
        .map((cell) => cell.trim()),
    )[0];

describe("docs/fleet.md", () => {
  it("explains every key of the file in a row of its own", () => {
    const keys = keysOfFleet().filter((key) => !["type", "seconds", "requests"].includes(key));

    expect(keys.length).toBeGreaterThan(50);
    expect(keys.filter((key) => rowOf(key) === undefined)).toEqual([]);
  });

  it.each([
    ["dialect", DIALECTS],
    ["provider", PROVIDERS],
    ["route", ROUTES],
    ["order", ORDERS],
    ["scaler", ["type", "QUEUE_DELAY", "seconds", "REQUEST_COUNT", "requests"]],
  ])("names every value of %s", (key, names) => {
    const row = rowOf(key)?.join(" ") ?? "";

    expect(names.filter((name) => !row.includes(name))).toEqual([]);
  });

  it.each(Object.entries(DIALECT_FACTS))(
    "shows the facts of %s as the code has them",
    (name, facts) => {
      const cells = [
        facts.context,
        facts.capacity,
        facts.queue,
        facts.health,
        facts.wake,
        facts.unknown,
      ];

      expect(rowOf(name)).toEqual(cells.map((cell) => cell || "–"));
    },
  );

  it("has examples that are right", () => {
    const examples = [...PAGE.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text = ""]) => text);

    expect(examples.length).toBeGreaterThan(1);
    for (const text of examples)
      expect(Object.keys(parseFleet("docs/fleet.md", text).models).length).toBeGreaterThan(0);
  });
});
