import { describe, expect, it } from "vitest";
import {
  isSentence,
  needsPredecessor,
  pointsAtItsPage,
  splitSentences,
} from "../../../../src/inference/local/extractive/sentence.ts";

const texts = (paragraph: string): string[] => splitSentences(paragraph).map((one) => one.text);

describe("splitting a paragraph", () => {
  it.each([
    ["One ends here. Two begins.", ["One ends here.", "Two begins."]],
    [
      "It takes 3.5 GB, e.g. on an L40S vs. an H100. Done!",
      ["It takes 3.5 GB, e.g. on an L40S vs. an H100.", "Done!"],
    ],
    ["It fell to 286 s. A limit helps.", ["It fell to 286 s.", "A limit helps."]],
    [
      "Written by J. Smith. vLLM reads it. max_num_seqs bounds it.",
      ["Written by J. Smith.", "vLLM reads it.", "max_num_seqs bounds it."],
    ],
    ["Run `a. B` first. Then wait.", ["Run `a. B` first.", "Then wait."]],
    ['He said "Stop." Nobody did.', ['He said "Stop."', "Nobody did."]],
    [
      "See fig. 3 and no. 5 here. The answer is no. Then stop.",
      ["See fig. 3 and no. 5 here.", "The answer is no.", "Then stop."],
    ],
    ["Is it? Yes! Good… and more", ["Is it?", "Yes!", "Good… and more"]],
    ["第一句。第二句。", ["第一句。", "第二句。"]],
    ["1. First step is here. Second", ["1. First step is here.", "Second"]],
    ["wrapped\nover   lines.", ["wrapped over lines."]],
    ["", []],
  ])("of %j", (paragraph, expected) => {
    expect(texts(paragraph)).toEqual(expected);
  });

  it("loses no character but white space, whatever the text", () => {
    const odd = "a.b [x]. c?! (d.) “E.” F.G.H. 1.2.3. … [y](z). I.";

    expect(
      splitSentences(odd)
        .map((one) => `${one.text}${one.cited.map((name) => `[${name}]`).join("")}`)
        .join("")
        .replace(/\s/g, ""),
    ).toBe(odd.replace(/\s/g, ""));
  });

  it.each([
    ["It is so. [docs/a.md]", "It is so.", ["docs/a.md"]],
    ["It is so [docs/a.md].", "It is so.", ["docs/a.md"]],
    ["It is so. [docs/a.md] [b c]", "It is so.", ["docs/a.md", "b c"]],
    ["It is so. [docs/a.md, docs/b.md]", "It is so.", ["docs/a.md", "docs/b.md"]],
    ["It is so. [1]", "It is so.", []],
    ["See [this page](a.md).", "See [this page](a.md).", []],
  ])("takes the citation off %j", (paragraph, text, cited) => {
    expect(splitSentences(paragraph)).toEqual([{ text, cited }]);
  });
});

describe("a sentence", () => {
  it.each([
    "vLLM divides the pool into blocks.",
    "The flag `--a|b` sets it (by default).",
    "“Quoted words begin this one.”",
    "16 tokens fill one block of the pool.",
    "最初の文はここで終わる日本語の文章であり十分に長い。",
  ])("is %j", (text) => {
    expect(isSentence(text)).toBe(true);
  });

  it.each([
    "no capital and no name at its start.",
    "It has no end mark at all",
    "Cut off in the middle of…",
    "Too short.",
    "A row | of a table | in the text.",
    "Half a bracket (is open in this one.",
    "![image](a.png) stands in this one.",
    "12,000 34,500 56,700 78,900 11,222.",
    `Long ${"word ".repeat(200)}.`,
  ])("is not %j", (text) => {
    expect(isSentence(text)).toBe(false);
  });

  it.each([
    "It grows.",
    "This doubles it.",
    "However, it fails.",
    "For example, ten agents.",
    "If they fail, it ends.",
    "One of them fails.",
    "**They** stay.",
    "An estimate of 2 GiB is therefore optimistic.",
  ])("leans on the one before it: %j", (text) => {
    expect(needsPredecessor(text)).toBe(true);
  });

  it.each([
    "Items are listed.",
    "Thistles grow.",
    "If the pool is full, requests wait.",
    "Both keys and values are kept.",
    "It-depends is a name.",
    "When the pool is full, a request is therefore preempted.",
  ])("stands alone: %j", (text) => {
    expect(needsPredecessor(text)).toBe(false);
  });

  it("points at its page when it speaks of a table or a figure", () => {
    expect(pointsAtItsPage("The table lists six models.")).toBe(true);
    expect(pointsAtItsPage("This document explains blocks.")).toBe(true);
    expect(pointsAtItsPage("A block table maps blocks.")).toBe(false);
  });
});
