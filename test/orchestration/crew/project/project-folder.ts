// Folders with a project for tests of its files.

import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type LoadScene, loadProject } from "../../../../src/orchestration/crew/project/load.ts";
import type { Located } from "../../../../src/orchestration/crew/project/value.ts";

/** The folder of one of the projects under test/fixtures/crewai. */
export function fixture(name: string): string {
  return fileURLToPath(new URL(`../../../fixtures/crewai/${name}`, import.meta.url));
}

/** When projects of tests are read: 25 November 2026, 08:05:03, here. */
export const NOW_MS: number = new Date(2026, 10, 25, 8, 5, 3, 42).getTime();

/** Loads a project in an empty environment. */
export function load(
  folder: string,
  scene: Partial<LoadScene> = {},
): ReturnType<typeof loadProject> {
  return loadProject(folder, { nowMs: NOW_MS, env: {}, ...scene });
}

/** A new folder with these files. */
export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), "bosun-project-"));
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), content);
  }
  return folder;
}

/** Files of a small project in YAML; what is given replaces them. */
export function yamlProject(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  return folderWith({
    "agents.yaml": "one:\n  role: One\n  goal: Be one\n",
    "tasks.yaml": "first:\n  description: Do it\n  expected_output: It\n  agent: one\n",
    ...files,
  });
}

/** A located value without its places. */
export function plain(value: Located | undefined): unknown {
  if (!value) return undefined;
  switch (value.type) {
    case "scalar":
      return value.value;
    case "list":
      return value.items.map(plain);
    case "map":
      return Object.fromEntries(value.entries.map((entry) => [entry.key, plain(entry.value)]));
    case "python":
      return { python: value.text };
    default:
      return value satisfies never;
  }
}
