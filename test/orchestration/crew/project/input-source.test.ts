import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import {
  type InputSource,
  settleInputs,
  toInputSources,
} from "../../../../src/orchestration/crew/project/input-source.ts";
import { createNoteBook } from "../../../../src/orchestration/crew/project/place.ts";
import { timeCode } from "../../../../src/orchestration/crew/project/python-clock.ts";
import { readPython } from "../../../../src/orchestration/crew/project/python-file.ts";
import { NOW_MS } from "./project-folder.ts";

/** The input x of a main.py, its source, and what is told of it. */
function inputOf(expression: string, env: Readonly<Record<string, string>> = {}) {
  const { inputs } = readPython({ file: "main.py", text: `inputs = {"x": ${expression}}\n` });
  const book = createNoteBook();
  const scene = { nowMs: NOW_MS, env };
  const sources = toInputSources(inputs, scene, book.note);
  return { source: sources[0]?.[1], value: settleInputs(sources, scene)["x"], notes: book.all };
}

/** What the code of a source comes to at the same moment. */
function codeResult(source: InputSource | undefined): unknown {
  const code = source?.type === "clock" ? timeCode(source.use, "now") : "undefined";
  return runInNewContext(code, { now: new Date(NOW_MS) });
}

describe("the time as an input", () => {
  it.each([
    ["datetime.now().year", 2026],
    ["str(datetime.now().year)", "2026"],
    ["datetime.datetime.now().month", 11],
    ["date.today().day", 25],
    ["datetime.now().strftime('%Y-%m-%d')", "2026-11-25"],
    ['datetime.now().strftime( "%A, %-d %B %Y" )', "Wednesday, 25 November 2026"],
    ['datetime.today().strftime("%a %d %b %H:%M:%S 100%%")', "Wed 25 Nov 08:05:03 100%"],
    ["time.strftime('`%Y` ${x}')", "`2026` ${x}"],
    ["str(date.today())", "2026-11-25"],
    ["str(datetime.now().date())", "2026-11-25"],
    ["datetime.now().date().isoformat()", "2026-11-25"],
    ["datetime.now().isoformat()", "2026-11-25T08:05:03.042000"],
    ["str(datetime.now())", "2026-11-25 08:05:03.042000"],
  ])("%s is %j, here and as TypeScript", (expression, value) => {
    const found = inputOf(expression);

    expect(found.value).toBe(value);
    expect(codeResult(found.source)).toBe(value);
    expect(found.notes).toEqual([]);
  });

  it.each([
    ["datetime.now()"],
    ["datetime.now(timezone.utc).year"],
    ["datetime.now().year + 1"],
    ["datetime.now().strftime('%Q')"],
    ["datetime.now().strftime(FORMAT)"],
    ["int(datetime.now().year)"],
    ["__import__('os').system('ls')"],
  ])("%s is not read, and a warning says how to give it", (expression) => {
    const { value, notes } = inputOf(expression);

    expect(value).toBeUndefined();
    expect(notes).toMatchObject([
      { key: "x", level: "warning", message: expect.stringContaining("Give it with --input x=…") },
    ]);
  });
});

describe("a variable as an input", () => {
  const env = { PORT: "Emden" };

  it.each([
    ["os.getenv('PORT')", "Emden"],
    ["os.getenv('PORT', 'Varel')", "Emden"],
    ["os.getenv('NONE', 'Varel')", "Varel"],
    ["os.environ.get('NONE', default=3)", 3],
    ["os.environ['PORT']", "Emden"],
  ])("%s is looked up: %j", (expression, value) => {
    expect(inputOf(expression, env)).toMatchObject({ value, notes: [] });
  });

  it("without a value leaves the input open, and says which variable it is", () => {
    expect(inputOf("os.getenv('NONE')", env)).toMatchObject({
      value: undefined,
      notes: [{ level: "warning", message: expect.stringContaining("NONE") }],
    });
    expect(inputOf("os.getenv(name)", env).notes).toMatchObject([{ level: "warning" }]);
  });
});
