import { describe, expect, it } from "vitest";
import {
  type AnswerBounds,
  type Delta,
  planAnswer,
} from "../../../../src/inference/twin/text/answer.ts";
import type { Written } from "../../../../src/inference/twin/text/source.ts";
import { encodeText, SPECIAL } from "../../../../src/inference/twin/text/tokenizer.ts";

const FREE: AnswerBounds = {
  maxTokens: 100,
  minTokens: 0,
  ignoresEnd: false,
  stop: [],
  stopTokenIds: [],
  showsStop: false,
  isConstrained: false,
};
const say = (text: string, more: Partial<Written> = {}): Written => ({
  text,
  reasoning: "",
  calls: [],
  ...more,
});
const textOf = (deltas: readonly Delta[], type: Delta["type"] = "text"): string =>
  deltas.map((delta) => (delta.type === type && "text" in delta ? delta.text : "")).join("");

describe("an answer", () => {
  it("ends with the end mark when it ends by itself, and shows only its text", () => {
    const answer = planAnswer(say("Four sailors."), FREE);

    expect(answer.ids.at(-1)).toBe(SPECIAL["<|im_end|>"]);
    expect(textOf(answer.deltas(0, answer.ids.length))).toBe("Four sailors.");
    expect([answer.finish, answer.stopReason]).toEqual(["stop", undefined]);
  });

  it("has the same sum of deltas in every cutting (N1)", () => {
    const written = say("Both at once.", {
      reasoning: "Two calls are needed.",
      calls: [
        { id: "a", tool: "weather", arguments: '{"city":"Oslo"}' },
        { id: "b", tool: "time", arguments: '{"zone":"CET"}' },
      ],
    });
    const answer = planAnswer(written, FREE);
    const { ids } = answer;

    for (const step of [1, 3, 7, ids.length]) {
      const said: Delta[] = [];
      for (let at = 0; at < ids.length; at += step) said.push(...answer.deltas(at, at + step));

      expect(textOf(said)).toBe(written.text);
      expect(textOf(said, "reasoning")).toBe(written.reasoning);
      expect(textOf(said, "call-delta")).toBe('{"city":"Oslo"}{"zone":"CET"}');
      expect(said.filter(({ type }) => type === "call-start")).toEqual([
        { type: "call-start", index: 0, id: "a", tool: "weather" },
        { type: "call-start", index: 1, id: "b", tool: "time" },
      ]);
    }
  });

  it("is cut at max_tokens and says length", () => {
    const answer = planAnswer(say("one two three four five"), { ...FREE, maxTokens: 2 });

    expect(textOf(answer.deltas(0, 2))).toBe("one two");
    expect([answer.ids.length, answer.finish]).toEqual([2, "length"]);
  });

  it("ends before a stop text, which it has made but does not show", () => {
    const answer = planAnswer(say("Thought: go.\nObservation: it"), {
      ...FREE,
      stop: ["Observation:"],
    });

    expect(textOf(answer.deltas(0, 100))).toBe("Thought: go.\n");
    expect(answer).toMatchObject({ finish: "stop", stopReason: "Observation:" });
    expect(answer.ids).toEqual(
      Int32Array.of(...encodeText("Thought: go.\n"), ...encodeText("Observation:")),
    );
  });

  it("ends at a stop id", () => {
    const [, second = 0] = encodeText("one two three");

    const answer = planAnswer(say("one two three"), { ...FREE, stopTokenIds: [second] });

    expect(answer).toMatchObject({ finish: "stop", stopReason: second });
    expect(answer.ids.length).toBe(2);
  });

  it("goes on to max_tokens with ignore_eos, and to min_tokens", () => {
    const endless = planAnswer(say("Hi"), { ...FREE, ignoresEnd: true });
    const long = planAnswer(say("Hi"), { ...FREE, minTokens: 30 });

    expect([endless.ids.length, endless.finish]).toEqual([100, "length"]);
    expect([long.ids.length, long.finish]).toEqual([31, "stop"]);
  });

  it("adds nothing behind what a schema asked for", () => {
    const answer = planAnswer(say("{}"), { ...FREE, minTokens: 30, isConstrained: true });

    expect(answer.ids.length).toBe(2);
  });
});
