import { describe, expect, it } from "vitest";
import { toTerms } from "../../../src/orchestration/memory/query.ts";

function phrasesOf(question: string): readonly string[] {
  return toTerms(question).map(({ phrase }) => phrase.slice(1, -1));
}

describe("toTerms", () => {
  it("keeps the words that say something, and words in a row as one word and as a phrase", () => {
    expect(phrasesOf("How long is a cold start?")).toEqual([
      "long",
      "longis",
      "cold",
      "coldstart",
      "cold start",
      "start",
    ]);
  });

  it("counts phrases less than words", () => {
    expect(toTerms("cold start").map(({ weight }) => weight)).toEqual([1, 1, 0.25, 1]);
  });

  it("keeps one stop word inside of a phrase", () => {
    expect(phrasesOf("time to token and at first")).toEqual([
      "time",
      "timeto",
      "time to token",
      "token",
      "tokenand",
      "first",
    ]);
  });

  it("finds verbs of two words also as the noun that is made of them", () => {
    expect(phrasesOf("back up")).toContain("backup");
  });

  it("splits names that are written in one word", () => {
    expect(phrasesOf("PagedAttention")).toEqual(["pagedattention", "paged attention"]);
  });

  it("keeps stop words when there is nothing else", () => {
    expect(phrasesOf("what is it")).toEqual([
      "what",
      "whatis",
      "what is",
      "is",
      "isit",
      "is it",
      "it",
    ]);
  });

  it.each(["", "   ", "?!", '"""', "*:()-^"])("finds no term in %j", (question) => {
    expect(toTerms(question)).toEqual([]);
  });

  it("reads a bounded part of a question", () => {
    expect(toTerms("word0 ".repeat(10_000)).length).toBeLessThanOrEqual(4 * 32);
    expect(
      toTerms(Array.from({ length: 10_000 }, (_, index) => `w${index}`).join(" ")).length,
    ).toBeLessThanOrEqual(4 * 32);
  });
});
