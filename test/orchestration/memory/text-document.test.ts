import { describe, expect, it } from "vitest";
import { createTextDocument } from "../../../src/orchestration/memory/text-document.ts";

const RECORD = [
  "# Customer",
  "Ann Lee, since 2011.",
  "",
  "# Contract",
  ...Array.from({ length: 60 }, (_, n) => `Clause ${n}: the parties agree on point ${n}.`),
  "The deductible for water damage is 450 euros.",
  "",
  "# Letters",
  ...Array.from({ length: 60 }, (_, n) => `Letter ${n} says nothing of note.`),
].join("\n");

describe("a text document", () => {
  it("has the lines of its text, and all of it in them", () => {
    using document = createTextDocument(RECORD);

    expect(document.lines).toBe(RECORD.split("\n").length);
    expect(document.textOf({ from: 1, to: document.lines })).toBe(RECORD);
    expect(document.textOf({ from: 2, to: 2 })).toBe("Ann Lee, since 2011.\n");
    expect(document.textOf({ from: -5, to: 1 })).toBe("# Customer\n");
    expect(document.textOf({ from: 1_000, to: 2_000 })).toBe("");
  });

  it("wraps a line that is too long, between words, and loses nothing", () => {
    const text = "word ".repeat(1_000);
    using document = createTextDocument(text);

    expect(document.lines).toBeGreaterThan(10);
    expect(document.textOf({ from: 1, to: document.lines })).toBe(text);
    for (let line = 1; line <= document.lines; line++)
      expect(document.textOf({ from: line, to: line })).toMatch(/^(?:word ){1,80}$/);
  });

  it("wraps a text without a space and halves no character", () => {
    const text = "🙂".repeat(1_000);
    using document = createTextDocument(text);

    for (let line = 1; line <= document.lines; line++)
      expect(document.textOf({ from: line, to: line }).isWellFormed()).toBe(true);
  });

  it("knows its headings by their lines", () => {
    using document = createTextDocument(RECORD);

    expect(document.outline).toEqual([
      { line: 1, title: "Customer" },
      { line: 4, title: "Contract" },
      { line: 67, title: "Letters" },
    ]);
  });

  it("knows the first keys of a JSON text", () => {
    const text = JSON.stringify({ customer: { name: "Ann" }, claims: [{ id: 1 }] }, null, 2);
    using document = createTextDocument(text);

    expect(document.outline.map(({ title }) => title)).toEqual(["customer", "claims"]);
  });

  it("finds the passage that answers a question, with its lines and its heading", () => {
    using document = createTextDocument(RECORD);

    const { passages, more } = document.search("What is the deductible for water damage?", 3);

    const [first] = passages;
    expect(first?.text).toContain("450 euros");
    expect(first?.section).toBe("Contract");
    expect(first && document.textOf(first)).toBe(first?.text);
    expect(first && document.passage(first.id)).toBe(first);
    expect(more).toBeGreaterThanOrEqual(0);
  });

  it("has passages of a bounded length that cover every word once", () => {
    using document = createTextDocument(RECORD);
    const texts: string[] = [];

    for (let id = 1; ; id++) {
      const passage = document.passage(id);
      if (!passage) break;
      texts.push(passage.text);
    }

    expect(texts.join("").replaceAll(/\s/g, "")).toBe(RECORD.replaceAll(/\s/g, ""));
    expect(Math.max(...texts.map(({ length }) => length))).toBeLessThanOrEqual(700);
  });

  it("tells how far a reader comes with so many characters", () => {
    using document = createTextDocument("aaaa\nbbbb\ncccc\n");

    expect(document.lastLine(1, 10)).toBe(2);
    expect(document.lastLine(1, 1)).toBe(1);
    expect(document.lastLine(2, 1_000)).toBe(3);
  });

  it("is one empty line when its text is empty", () => {
    using document = createTextDocument("");

    expect(document.lines).toBe(1);
    expect(document.search("anything", 5)).toEqual({ passages: [], more: 0 });
  });
});
