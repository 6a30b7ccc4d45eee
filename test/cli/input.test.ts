import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  checkAllInputs,
  inputNamesOf,
  isInputs,
  parseInputs,
  unusedInputs,
} from "../../src/cli/input.ts";
import { agent, crew, task } from "../../src/index.ts";

const stand = task({
  name: "stand",
  description: "Say {fallback}",
  expectedOutput: "text",
  agent: agent({ role: "Stand-in", goal: "help" }),
});
const writer = agent({ role: "{kind} writer", goal: "write about {topic}" });
const report = crew({
  name: "report",
  tasks: [
    task({
      name: "write",
      description: "Write {words} words about {topic}",
      expectedOutput: "text",
      agent: writer,
      onError: stand,
    }),
  ],
});

describe("parseInputs", () => {
  it("keeps values as texts, also with = in them, and the last of two", () => {
    expect(parseInputs(["n=5", "q=a=b", "empty=", "n=6"])).toEqual({ n: "6", q: "a=b", empty: "" });
  });

  it("reads a file for @ and takes @@ as @", () => {
    const path = join(mkdtempSync(join(tmpdir(), "bosun-input-")), "notes.md");
    writeFileSync(path, "# Notes\n");

    expect(parseInputs([`notes=@${path}`, "user=@@me"])).toEqual({
      notes: "# Notes\n",
      user: "@me",
    });
  });

  it.each(["topic", "=x", " =x"])("refuses %j with usage", (pair) => {
    expect(() => parseInputs([pair])).toThrow(expect.objectContaining({ code: "usage" }));
  });

  it.each(["/nowhere/x.md", tmpdir()])("refuses a file that cannot be read: %s", (path) => {
    expect(() => parseInputs([`a=@${path}`])).toThrow(expect.objectContaining({ code: "usage" }));
  });
});

describe("a crew's inputs", () => {
  it("are the placeholders of its tasks, stand-ins and agents, each once", () => {
    expect(inputNamesOf(report)).toEqual(["words", "topic", "kind", "fallback"]);
  });

  it("are all listed when they are missing, with the flags to give them", () => {
    expect(() => checkAllInputs(report, { topic: "x" })).toThrow(
      expect.objectContaining({
        code: "crew/input-missing",
        message:
          'the crew "report" needs the inputs words, kind, fallback; given: topic. Add --input words=… --input kind=… --input fallback=…',
        details: { missing: ["words", "kind", "fallback"] },
      }),
    );
  });

  it("that are given and asked for by nobody are found", () => {
    expect(unusedInputs(report, { topic: "x", tpoic: "y" })).toEqual(["tpoic"]);
  });
});

describe("isInputs", () => {
  it.each([
    [{}, true],
    [{ a: "x", b: 1, c: true, d: [1, null], e: { f: null } }, true],
    [{ a: null }, false],
    [{ a: Number.POSITIVE_INFINITY }, false],
    [{ a: () => 1 }, false],
    [[1], false],
    ["a", false],
    [null, false],
  ])("of %j is %s", (value, is) => {
    expect(isInputs(value)).toBe(is);
  });

  it("refuses a value so deep that it would overflow the stack", () => {
    const deep = JSON.parse(`${"[".repeat(5_000)}${"]".repeat(5_000)}`) as unknown;

    expect(isInputs({ deep })).toBe(false);
  });
});
