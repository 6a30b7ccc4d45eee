import { describe, expect, it } from "vitest";
import { BosunError } from "../../../src/error.ts";
import type { Message, ToolSpec } from "../../../src/inference/model/message.ts";
import { estimatePrompt, estimateTokens } from "../../../src/inference/model/tokens.ts";
import { applyFit, planFit, type Room } from "../../../src/orchestration/run/fit.ts";
import { type Conversation, toMessages } from "../../../src/orchestration/run/prompt.ts";
import { seeded } from "./scenario.ts";

const ROUNDS = 250;
/** What is left of a part that was cut. */
const LEAST_TOKENS = 64;
const ALPHABETS = ["word ", "字", "é", "🙂", "\n", '{"a":1},'];

type Random = () => number;
const below = (random: Random, most: number): number => Math.floor(random() * most);

function textOf(random: Random, most: number): string {
  const parts = Array.from({ length: 3 }, () =>
    (ALPHABETS[below(random, ALPHABETS.length)] ?? "").repeat(below(random, most)),
  );
  return parts.join("");
}

function turnsOf(random: Random): readonly Message[] {
  return Array.from({ length: below(random, 5) }, (_, n): readonly Message[] => {
    const isAnswer = random() < 0.3;
    const said: Message = {
      role: "assistant",
      content: textOf(random, 60),
      calls: isAnswer ? [] : [{ id: `${n}`, tool: "look", arguments: '{"at":1}' }],
    };
    if (isAnswer) return [said, { role: "user", content: textOf(random, 40) }];
    return [said, { role: "tool", callId: `${n}`, tool: "look", content: textOf(random, 2_000) }];
  }).flat();
}

function conversationOf(random: Random): Conversation {
  return {
    system: `You are A. ${textOf(random, 30)}`,
    task: `# Task\n${textOf(random, 60)}`,
    sections: Array.from({ length: below(random, 4) }, (_, n) => ({
      name: `s${n}`,
      text: textOf(random, 3_000),
    })),
    turns: turnsOf(random),
  };
}

function roomOf(random: Random): Room {
  const scale = { ratio: 0.6 + random() * 1.6, margin: 0.02 + random() * 0.25 };
  return {
    contextTokens: 800 + below(random, 20_000),
    reservedTokens: below(random, 3_000),
    scale: random() < 0.2 ? undefined : scale,
  };
}

const TOOL: ToolSpec = {
  name: "look",
  description: "Looks at things",
  parameters: { type: "object" },
};

/** Some random conversations in random rooms, with what the fit made of those that fit. */
function fitted(seed: number) {
  const random = seeded(seed);
  return Array.from({ length: ROUNDS }, () => {
    const [before, room] = [conversationOf(random), roomOf(random)];
    const tools = random() < 0.5 ? [TOOL] : [];
    try {
      return [{ before, room, tools, after: applyFit(before, planFit(before, tools, room)) }];
    } catch (error) {
      if (error instanceof BosunError && error.code === "model/context-length") return [];
      throw error;
    }
  }).flat();
}

const newestOf = ({ turns }: Conversation): number =>
  turns.findLastIndex(({ role }) => role === "assistant");

/** What must stay as it is: all but results of tools, and answers that were mended since. */
function mustStay({ turns }: Conversation, index: number): boolean {
  const turn = turns[index];
  const isMended =
    turn?.role === "assistant" &&
    !turn.calls?.length &&
    index < turns.findLastIndex(({ role }) => role === "assistant");
  return turn?.role !== "tool" && !isMended;
}

/** The most tokens of parts that come earlier in the order than another one that was cut. */
function largest(texts: readonly string[]): number {
  return Math.max(0, ...texts.map((text) => estimateTokens(text)));
}

const olderResults = (before: Conversation, { turns }: Conversation): readonly string[] =>
  turns
    .filter(({ role }, index) => role === "tool" && index < newestOf(before))
    .map(({ content }) => content);

describe("a random conversation in a random room", () => {
  it("never exceeds the room, by the count that was used (M1)", () => {
    const cases = fitted(11);

    expect(cases.length).toBeGreaterThan(ROUNDS / 5);
    for (const { after, room, tools } of cases) {
      const { ratio, margin } = room.scale ?? { ratio: 1, margin: 0.1 };
      const tokens = estimatePrompt(toMessages(after), tools) * ratio;
      const space = (room.contextTokens ?? Infinity) - room.reservedTokens;
      expect(tokens).toBeLessThanOrEqual(space * (1 - margin));
    }
  });

  it("keeps its system text, its task, its calls, and every word that is no tool result and no earlier answer", () => {
    for (const { before, after } of fitted(12)) {
      expect({ ...after, sections: [], turns: [] }).toEqual({ ...before, sections: [], turns: [] });
      const without = (turns: readonly Message[]): readonly Message[] =>
        turns.map((turn, index) => (mustStay(before, index) ? turn : { ...turn, content: "" }));
      expect(without(after.turns)).toEqual(without(before.turns));
      expect(after.sections.map(({ name }) => name)).toEqual(
        before.sections.map(({ name }) => name),
      );
    }
  });

  it("has a section cut only after the older results were cut to their least", () => {
    const cases = fitted(13).filter(({ before, after }) =>
      after.sections.some(({ text }, index) => text !== before.sections[index]?.text),
    );

    expect(cases.length).toBeGreaterThan(20);
    for (const { before, after } of cases)
      expect(largest(olderResults(before, after))).toBeLessThanOrEqual(LEAST_TOKENS);
  });

  it("has the newest results cut only after everything older was cut to its least", () => {
    const cases = fitted(14).filter(({ before, after }) =>
      after.turns.some(
        ({ content }, index) =>
          index > newestOf(before) && content !== before.turns[index]?.content,
      ),
    );

    expect(cases.length).toBeGreaterThan(5);
    for (const { before, after } of cases) {
      const older = [...olderResults(before, after), ...after.sections.map(({ text }) => text)];
      expect(largest(older)).toBeLessThanOrEqual(LEAST_TOKENS);
    }
  });
});
