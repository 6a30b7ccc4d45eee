import { describe, expect, it } from "vitest";
import { readYaml } from "../../../../src/orchestration/crew/project/yaml.ts";
import { plain } from "./project-folder.ts";

const read = (text: string) => readYaml({ file: "a.yaml", text });

describe("readYaml", () => {
  it("gives each key and value its place", async () => {
    const value = await read("one:\n  role: >\n    A\n    B\n  max_iter: 3\n");

    expect(plain(value)).toEqual({ one: { role: "A B\n", max_iter: 3 } });
    expect(value).toMatchObject({
      entries: [
        {
          key: "one",
          place: { file: "a.yaml", line: 1, column: 1 },
          value: {
            entries: [
              {},
              { place: { line: 5, column: 3 }, value: { place: { line: 5, column: 13 } } },
            ],
          },
        },
      ],
    });
  });

  it("reads YAML 1.1 as CrewAI does: no is false, dates are kept as texts, << merges", async () => {
    const value = await read(
      "base: &b {a: 1, b: 2}\none:\n  <<: *b\n  b: 3\n  delegate: no\n  day: 2024-05-01\n",
    );

    expect(plain(value)).toMatchObject({ one: { a: 1, b: 3, delegate: false, day: "2024-05-01" } });
  });

  it.each([
    [
      "broken YAML",
      "one:\n  role: [a\n",
      "crew/invalid",
      /^a\.yaml:\d+:\d+: this is not valid YAML/,
    ],
    [
      "a quote that never closes",
      'one:\n  role: "Baker\n  goal: x\n',
      "crew/invalid",
      /^a\.yaml:4:1: this is not valid YAML: the closing quote " is missing\. The quote opens at 2:9$/,
    ],
    [
      "a quote that never closes before other quotes",
      "one:\n  role: 'Baker\n  goal: x\n  why: 'y'\n",
      "crew/invalid",
      /closing quote ' is missing\. The quote opens at 2:9$/,
    ],
    [
      "a tab as indentation",
      "one:\n\trole: a\n",
      "crew/invalid",
      /^a\.yaml:2:\d+: this is not valid YAML/,
    ],
    [
      "a key that stands twice",
      "one: {a: 1}\ntwo: 2\none: 3\n",
      "crew/duplicate-name",
      /^a\.yaml:3:1: the key "one" stands here a second time/,
    ],
    ["an empty file", " \n", "crew/invalid", /^a\.yaml:1:1: the file is empty/],
    ["comments alone", "# nothing\n", "crew/invalid", /the file is empty/],
    ["two documents", "a: 1\n---\nb: 2\n", "crew/invalid", /not valid YAML/],
    [
      "a Python object",
      "a: !!python/object:os.system x\n",
      "crew/invalid",
      /^a\.yaml:1:\d+: this is not valid YAML/,
    ],
    ["an alias without an anchor", "a: *nowhere\n", "crew/invalid", /^a\.yaml:1:/],
  ])("refuses %s with its place", async (_what, text, code, message) => {
    await expect(read(text)).rejects.toMatchObject({
      code,
      message: expect.stringMatching(message),
    });
  });

  it("bounds what aliases stand for", async () => {
    const levels = "abcdefghij".split("").map((name, index, all) => {
      const before = all[index - 1];
      const items = Array.from({ length: 10 }, () => (before === undefined ? "x" : `*${before}`));
      return `${name}: &${name} [${items.join(", ")}]`;
    });

    await expect(read(levels.join("\n"))).rejects.toMatchObject({
      code: "crew/invalid",
      message: expect.stringContaining("more than 50000 values"),
    });
  });

  it("bounds depth", async () => {
    const deep = `a: ${"[".repeat(60)}${"]".repeat(60)}`;
    const deepest = `a: ${"[".repeat(100_000)}`;

    await expect(read(deep)).rejects.toMatchObject({
      message: expect.stringContaining("32 levels"),
    });
    await expect(read(deepest)).rejects.toMatchObject({ code: "crew/invalid" });
  });
});
