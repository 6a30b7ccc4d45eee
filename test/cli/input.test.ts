import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import {
  checkAllInputs,
  inputNamesOf,
  inputsFor,
  isInputs,
  readPairs,
  toInputs,
  unusedInputs,
} from "../../src/cli/input.ts";
import { flow, start } from "../../src/flow.ts";
import { agent, crew, task } from "../../src/index.ts";

const parseInputs = (pairs: readonly string[]) => toInputs(readPairs(pairs));

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

describe("inputs of the command line", () => {
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

  it("takes JSON after :=, whatever it is", () => {
    const pairs = ["n:=4", 't:="4"', "l:=[1, null]", 'o : ={"a":1}', "no:=null", "q=a:=b"];
    const path = join(mkdtempSync(join(tmpdir(), "bosun-input-")), "list.json");
    writeFileSync(path, "[1]\n");

    expect(parseInputs([...pairs, `file:=@${path}`])).toEqual({
      n: 4,
      t: "4",
      l: [1, null],
      o: { a: 1 },
      no: null,
      q: "a:=b",
      file: [1],
    });
  });

  it("refuses a text after := that is no JSON, with its beginning", () => {
    expect(() => parseInputs([`n:=four${"x".repeat(1_000)}`])).toThrow(
      expect.objectContaining({
        code: "usage",
        message: `--input n:=four${"x".repeat(76)}…: the text after := is no JSON`,
      }),
    );
  });

  it.each(["topic", "=x", " =x", ":=x", " :=x"])("refuses %j with usage", (pair) => {
    expect(() => parseInputs([pair])).toThrow(expect.objectContaining({ code: "usage" }));
  });

  it.each(["/nowhere/x.md", tmpdir()])("refuses a file that cannot be read: %s", (path) => {
    expect(() => parseInputs([`a=@${path}`])).toThrow(expect.objectContaining({ code: "usage" }));
  });
});

describe("a flow's inputs", () => {
  const initial = { n: 0, text: "", on: false, list: [1], more: {}, open: null };
  const untyped = flow("untyped", { initial }, { begin: start(() => null) });
  const state = z.object({
    n: z.number(),
    whole: z.number().int().default(1),
    maybe: z.boolean().nullable().optional(),
    either: z.union([z.number(), z.string()]),
    list: z.array(z.string()),
    tree: z.looseObject({}),
    level: z.literal([1, 2]),
    any: z.unknown(),
  });
  const typed = flow("typed", { state }, { begin: start(() => null) });

  it("are read as JSON where its initial state has no text", async () => {
    const pairs = ["n=4", "text=4", "on=true", "list=[2]", 'more={"a":1}', "open=4", "other=4"];

    expect(await inputsFor(untyped, readPairs(pairs))).toEqual({
      n: 4,
      text: "4",
      on: true,
      list: [2],
      more: { a: 1 },
      open: "4",
      other: "4",
    });
  });

  it("are read as JSON where its schema says so", async () => {
    const pairs = ["n=4", "whole=5", "maybe=null", "either=4", 'list=["a"]', "tree={}", "any=4"];

    expect(await inputsFor(typed, readPairs([...pairs, "level=2"]))).toEqual({
      n: 4,
      whole: 5,
      maybe: null,
      either: "4",
      list: ["a"],
      tree: {},
      any: "4",
      level: 2,
    });
  });

  it("are read as JSON where a JSON Schema says so, also by a reference", async () => {
    const properties = { n: { $ref: "#/$defs/count" }, m: { type: ["integer", "null"] } };
    const schema = { type: "object", properties, $defs: { count: { type: "integer" } } };
    const own = flow("own", { state: schema }, { begin: start(() => null) });

    expect(await inputsFor(own, readPairs(["n=4", "m=5"]))).toEqual({ n: 4, m: 5 });
    await expect(inputsFor(own, readPairs(["n=4.5"]))).rejects.toMatchObject({ code: "usage" });
  });

  it("are texts where a schema has no JSON form", async () => {
    const dated = z.object({ n: z.string(), at: z.date().optional() });
    const own = flow("own", { state: dated }, { begin: start(() => null) });

    expect(await inputsFor(own, readPairs(["n=4"]))).toEqual({ n: "4" });
  });

  it.each([
    [untyped, "n=four", 'the flow\'s field "n" is a number: write it as JSON'],
    [untyped, 'n="4"', 'the flow\'s field "n" is a number'],
    [untyped, "on=yes", 'the flow\'s field "on" is true or false'],
    [untyped, "list={}", 'the flow\'s field "list" is a list'],
    [typed, "whole=4.5", 'the flow\'s field "whole" is a whole number'],
    [typed, "maybe=no", 'the flow\'s field "maybe" is true or false or null'],
    [typed, "tree=[]", 'the flow\'s field "tree" is an object'],
  ])("are a usage error with the field and its type: %# %s", async (of, pair, says) => {
    const error = await inputsFor(of, readPairs([pair])).catch((one: unknown) => one);

    expect(error).toMatchObject({ code: "usage" });
    expect(String(error)).toContain(`--input ${pair}: ${says}`);
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
