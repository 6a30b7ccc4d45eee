import { describe, expect, it } from "vitest";
import { projectNoteLines } from "../../src/cli/project-note.ts";
import type { ProjectNote } from "../../src/orchestration/crew/project/place.ts";

const plain = (_colour: string, text: string): string => text;
const noteOf = (level: ProjectNote["level"], key: string, line = 1): ProjectNote => ({
  file: "p/agents.yaml",
  line,
  column: 3,
  key,
  level,
  message: "why",
});
const NOTES = [
  noteOf("note", "a"),
  noteOf("warning", "b", 2),
  noteOf("note", "c"),
  noteOf("warning", "b", 9),
];

describe("projectNoteLines", () => {
  it("prints warnings in full, and says how many notes there are where there are several", () => {
    expect(projectNoteLines(NOTES, plain, { withNotes: false })).toEqual([
      "Warning: p/agents.yaml:2:3 b: why (and 1 more like this)",
      "2 notes; --notes prints them",
    ]);
    expect(projectNoteLines([noteOf("note", "a")], plain, { withNotes: false })).toEqual([
      "Note: p/agents.yaml:1:3 a: why",
    ]);
  });

  it("prints notes too when they are asked for", () => {
    expect(projectNoteLines(NOTES, plain, { withNotes: true })).toEqual([
      "Note: p/agents.yaml:1:3 a: why",
      "Warning: p/agents.yaml:2:3 b: why (and 1 more like this)",
      "Note: p/agents.yaml:1:3 c: why",
    ]);
  });

  it("has no line for a project without notes", () => {
    expect(projectNoteLines([], plain, { withNotes: false })).toEqual([]);
  });

  it("bounds its lines", () => {
    const many = Array.from({ length: 100 }, (_, index) => noteOf("warning", `k${index}`));

    const lines = projectNoteLines(many, plain, { withNotes: false });

    expect([lines.length, lines.at(-1)]).toEqual([61, "Note: and 40 more"]);
  });
});
