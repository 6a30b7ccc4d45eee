import { describe, expect, it } from "vitest";
import { toPassages, toSentences } from "../../../src/orchestration/memory/passage.ts";

function textsOf(document: string): readonly string[] {
  return toPassages(document).map(({ text }) => text);
}

describe("toPassages", () => {
  it("places each passage under its heading and below the title", () => {
    const passages = toPassages(
      "Before.\n\n# Title\n\nIntro.\n\n## Part `one` ##\n\nText.\n\n### Deeper\n\nMore.\n\n## Part two\n\nEnd.",
    );

    expect(passages).toEqual([
      { section: "", headings: "", text: "Before." },
      { section: "Title", headings: "Title", text: "Intro." },
      { section: "Part one", headings: "Title Part one", text: "Text." },
      { section: "Deeper", headings: "Title Part one Deeper", text: "More." },
      { section: "Part two", headings: "Title Part two", text: "End." },
    ]);
  });

  it.each([
    ["marks", "#".repeat(60_000)],
    ["marks before a word", `${"#".repeat(60_000)}x`],
    ["spaces", `${" ".repeat(60_000)}x`],
    ["line separators", "x\u2028".repeat(30_000)],
    ["spaces before a line separator", `${" ".repeat(60_000)}x\u2028y`],
    ["letters", "a".repeat(60_000)],
    ["brackets", "[a](".repeat(15_000)],
    ["surrogates", `x${"🙂".repeat(30_000)}`],
  ])("cuts a heading of 60,000 characters and keeps the text below it: %s", (_what, heading) => {
    const passages = toPassages(`# ${heading}\n\nText.\n\n- ${heading}`);

    expect(passages[0]?.text).toBe("Text.");
    expect(passages[0]?.section.length).toBeLessThanOrEqual(300);
    expect(passages[0]?.section.isWellFormed()).toBe(true);
  });

  it("reads headings that are underlined, and does not take a rule for one", () => {
    expect(
      toPassages("Title\n=====\n\nText.\n\nPart\n----\n\nMore.\n\n---\n\nEnd.").map(
        ({ headings, text }) => [headings, text],
      ),
    ).toEqual([
      ["Title", "Text."],
      ["Title Part", "More."],
      ["Title Part", "End."],
    ]);
  });

  it("makes passages of one to four sentences, of about the same size", () => {
    const sentences = Array.from({ length: 9 }, (_, index) => `Sentence number ${index} is here.`);

    const texts = textsOf(sentences.join("\n"));

    expect(texts.map((text) => toSentences(text).length)).toEqual([3, 3, 3]);
    expect(texts.join(" ")).toBe(sentences.join(" "));
  });

  it("keeps passages below 700 characters, whatever the sentences", () => {
    const texts = textsOf(
      `${"A sentence of some length, with commas and clauses, that goes on for a while. ".repeat(40)}\n\n${"no end ".repeat(1_000)}`,
    );

    expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(700);
    expect(texts.join(" ").split(/\s+/)).toHaveLength(40 * 15 + 2_000);
  });

  it("groups list items and keeps the line that leads to them", () => {
    expect(
      textsOf(
        "The flags are:\n\n- `--a` for this,\n  which goes on\n- **b** for that\n\n1. first\n2. second",
      ),
    ).toEqual(["The flags are:\n- --a for this, which goes on\n- b for that\n- first\n- second"]);
  });

  it("does not lose a leading line that nothing follows", () => {
    expect(textsOf("# A\n\nThe flags are:\n\n# B\n\nText.\n\nAnd then:")).toEqual([
      "The flags are:",
      "Text.",
      "And then:",
    ]);
  });

  it("keeps a table and a piece of code whole", () => {
    const table = "| GPU | price |\n|---|---|\n| H100. Big. | 3.84 |";
    const code = "```sh\n# not a heading. Not two sentences.\n\nrun --now\n```";

    expect(textsOf(`# A\n\n${table}\n\n${code}\n\nText.`)).toEqual([
      table,
      "# not a heading. Not two sentences.\n\nrun --now",
      "Text.",
    ]);
  });

  it("cuts a table of thousands of characters", () => {
    const [text = ""] = textsOf("| a | b |\n".repeat(1_000));

    expect(text.length).toBeLessThanOrEqual(2_001);
  });

  it("leaves out sections that only say where things come from, and items that are only links", () => {
    expect(
      textsOf(
        "# A\n\nText.\n\n## Sources\n\nSee the book.\n\n- [x](http://x)\n\n### Books\n\nBook.\n\n## B\n\n- [only a link](http://y)\n- http://z\n- [a link](http://y) that says something",
      ),
    ).toEqual(["Text.", "- a link that says something"]);
  });

  it("reads text without marks, and keeps what looks like one in a name", () => {
    expect(
      textsOf(
        "> Use **max_num_seqs** and *nothing* [else](http://x (y)), `a_b`<br>, 2 * 3 * 4 ![picture](p.png) <https://host/x>.[^1]",
      ),
    ).toEqual([
      "Use max_num_seqs and nothing [else](http://x (y)), a_b, 2 * 3 * 4 picture https://host/x.",
    ]);
  });

  it("keeps what stands in code as it is, and a document that is named like a list of links", () => {
    expect(textsOf("The tag `<think>` and `a * b * c` stay, <b>this</b> goes.")).toEqual([
      "The tag <think> and a * b * c stay, this goes.",
    ]);
    expect(textsOf("# References\n\nA reference points to a job.")).toEqual([
      "A reference points to a job.",
    ]);
  });

  it("leaves out front matter, comments and rules", () => {
    expect(textsOf("---\ntitle: x\n---\nText <!-- hidden -->here.\n\n***\n")).toEqual([
      "Text here.",
    ]);
  });

  it.each([
    "",
    "\n\n",
    "# Only a heading",
    "---\nnever closed",
    "```\nnever closed",
    "| | |",
    "- \n- ",
  ])("survives %j", (document) => {
    expect(Array.isArray(toPassages(document))).toBe(true);
  });

  it.each([
    "[",
    "[^",
    "<!--",
    "<a",
    "# ",
    "*a ",
    "A. ",
    "a. B",
    "`",
    "> ",
    "- ",
    "](",
    "| ",
    "!",
    ".",
    "x",
    "\n",
  ])(
    "takes linear time for a megabyte of %j",
    (piece) => {
      expect(() => toPassages(piece.repeat(1_000_000 / piece.length))).not.toThrow();
    },
    5_000,
  );
});

describe("toSentences", () => {
  it.each([
    ["One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]],
    [
      "It costs 1.5 USD. See e.g. The Book. OK.",
      ["It costs 1.5 USD.", "See e.g. The Book.", "OK."],
    ],
    [
      "The first one. vLLM is named like this. 16 tokens.",
      ["The first one.", "vLLM is named like this.", "16 tokens."],
    ],
    ["He said (it was so.) Then he left.", ["He said (it was so.)", "Then he left."]],
    ["v0.28 of x.y. then small letters go on.", ["v0.28 of x.y. then small letters go on."]],
    ["", []],
  ])("cuts %j", (text, expected) => {
    expect(toSentences(text)).toEqual(expected);
  });
});
