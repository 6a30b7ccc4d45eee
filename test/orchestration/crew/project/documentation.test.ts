import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { AGENT_KEYS } from "../../../../src/orchestration/crew/project/agent-key.ts";
import { CREW_KEYS } from "../../../../src/orchestration/crew/project/crew-key.ts";
import {
  knownTool,
  knownToolNames,
} from "../../../../src/orchestration/crew/project/known-tool.ts";
import { TASK_KEYS } from "../../../../src/orchestration/crew/project/task-key.ts";

const TEXT = readFileSync(new URL("../../../../docs/crewai-projects.md", import.meta.url), "utf8");

/** The rows of a section's tables: names in the first column, and the rest. */
function rowsOf(heading: string): ReadonlyMap<string, string> {
  const [, section = ""] = TEXT.split(`\n## ${heading}\n`);
  const [own = ""] = section.split("\n## ");
  const rows = own.split("\n").flatMap((line) => {
    const [, names = "", ...rest] = line.split(" | ").length > 1 ? ["", ...line.split(" | ")] : [];
    return [...names.matchAll(/`([^`]+)`/g)].map(
      ([, name = ""]) => [name, rest.join(" | ")] as const,
    );
  });
  return new Map(rows);
}

/** What starts a server with the tool; "" for one that has a built-in counterpart. */
function commandOf(name: string): string {
  return /npx .*?(?= \(|$)/.exec(knownTool(name)?.hint ?? "")?.[0] ?? "";
}

describe("docs/crewai-projects.md", () => {
  it.each([
    ["Agents", AGENT_KEYS],
    ["Tasks", TASK_KEYS],
    ["Crews", CREW_KEYS],
  ] as const)(
    "lists under %s each key that has a rule, and what becomes of it",
    (heading, rules) => {
      const rows = rowsOf(heading);

      expect([...rows.keys()].toSorted()).toEqual(Object.keys(rules).toSorted());
      for (const [key, { type }] of Object.entries(rules))
        expect([key, rows.get(key)]).toEqual([
          key,
          expect.stringMatching(
            type === "told" ? /\btold\b/ : /\b(?:used|told)\b|nothing to carry/,
          ),
        ]);
    },
  );

  it("lists each tool that is known, with its server's command", () => {
    const rows = rowsOf("Tools");

    expect([...rows.keys()].toSorted()).toEqual([...knownToolNames()].toSorted());
    const commands = knownToolNames().map((name) => [name, commandOf(name)] as const);
    for (const [name, command] of commands)
      expect([name, rows.get(name)]).toEqual([name, expect.stringContaining(command)]);
  });
});
