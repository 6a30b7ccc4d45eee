import { describe, expect, it } from "vitest";
import { BosunError } from "../../../src/error.ts";
import type { Message, ToolSpec } from "../../../src/inference/model/message.ts";
import { estimatePrompt } from "../../../src/inference/model/tokens.ts";
import { applyFit, planFit, type Room } from "../../../src/orchestration/run/fit.ts";
import { type Conversation, toMessages } from "../../../src/orchestration/run/prompt.ts";
import { seeded } from "./scenario.ts";

const ROUNDS = 250;
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

  it("keeps its system text, its task, and every word that is no tool result and no earlier answer", () => {
    for (const { before, after } of fitted(12)) {
      expect(after.system).toBe(before.system);
      expect(after.task).toBe(before.task);
      expect(after.turns.length).toBe(before.turns.length);
      for (const [index, message] of before.turns.entries()) {
        const now = after.turns[index];
        const isNewest = index >= newestOf(before);
        const isCall = message.role === "assistant" && (message.calls ?? []).length > 0;
        if (message.role === "user" || isCall || (isNewest && message.role !== "tool"))
          expect(now).toEqual(message);
        else expect({ ...now, content: "" }).toEqual({ ...message, content: "" });
      }
    }
  });

  it("touches the newest results only after every older part was cut to its least", () => {
    for (const { before, after } of fitted(13)) {
      const newest = newestOf(before);
      const isCut = (index: number): boolean =>
        after.turns[index]?.content !== before.turns[index]?.content;
      const isNewestCut = before.turns.some((_, index) => index > newest && isCut(index));
      if (!isNewestCut) continue;
      const older = after.turns.filter(({ role }, index) => role === "tool" && index < newest);
      for (const { content } of older)
        expect(estimatePrompt([{ role: "user", content }])).toBeLessThanOrEqual(64 + 4);
      for (const { text } of after.sections)
        expect(estimatePrompt([{ role: "user", content: text }])).toBeLessThanOrEqual(64 + 4);
    }
  });

  it("is cut in the stated order: a section only after older results were cut to their least", () => {
    for (const { before, after } of fitted(14)) {
      const isSectionCut = after.sections.some(({ text }, n) => text !== before.sections[n]?.text);
      if (!isSectionCut) continue;
      const newest = newestOf(before);
      for (const [index, { role, content }] of after.turns.entries())
        if (role === "tool" && index < newest)
          expect(estimatePrompt([{ role: "user", content }])).toBeLessThanOrEqual(64 + 4);
    }
  });
});
