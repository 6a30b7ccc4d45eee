import { describe, expect, it } from "vitest";
import { type Limits, readLimits } from "../../../../src/inference/local/extractive/limit.ts";

const NONE: Limits = {
  words: undefined,
  isTarget: false,
  sentences: undefined,
  paragraphs: undefined,
  bullets: undefined,
  isList: false,
};

describe("the limits of a task", () => {
  it.each<[string, Partial<Limits>]>([
    ["Explain it", {}],
    ["at most 300 words", { words: 300 }],
    ["No more than 1,200 words", { words: 1_200 }],
    ["250 words or less", { words: 250 }],
    ["maximum 80 words", { words: 80 }],
    ["Write 500 words", { words: 500, isTarget: true }],
    ["a 500-word article", { words: 500, isTarget: true }],
    ["200-300 words", { words: 300, isTarget: true }],
    ["in 3 bullet points", { bullets: 3, isList: true }],
    ["five bullets", { bullets: 5, isList: true }],
    ["3 to 5 key facts", { bullets: 5, isList: true }],
    ["Key facts with sources", { isList: true }],
    ["A list of risks", { isList: true }],
    ["Verified facts with sources", { isList: true }],
    ["Write a text from the facts", {}],
    ["Write 300 words from five facts", { words: 300, isTarget: true }],
    ["One paragraph with sources from three facts", { paragraphs: 1 }],
    ["Five facts with sources", { bullets: 5, isList: true }],
    ["5 sentences", { sentences: 5 }],
    ["two short paragraphs", { paragraphs: 2 }],
    ["a source for each sentence", {}],
    ["0 words", {}],
  ])("are read from %j", (text, expected) => {
    expect(readLimits([text])).toEqual({ ...NONE, ...expected });
  });

  it("are the narrower of a goal and a bound", () => {
    expect(readLimits(["Write 500 words", "at most 300 words"])).toMatchObject({
      words: 300,
      isTarget: true,
    });
  });

  it("are those of the later text where two texts differ", () => {
    expect(readLimits(["at most 300 words", "at most 50 words"])).toMatchObject({ words: 50 });
  });
});
