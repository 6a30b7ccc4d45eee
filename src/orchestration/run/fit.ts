// Fits a conversation into a context, before the call (invariant M1). Pure; the caller journals the plan as a step.
//
// The order, each only as far as it must be:
//   1. tool results and refused answers of earlier turns, the oldest first;
//   2. the context's sections, which are outputs of earlier tasks, the largest first: by head and tail, or by a model's summary (condense.ts);
//   3. the newest turn's tool results, the largest first.
// Never touched: the system text, the tools, the task, the newest turn's words. Inputs that are too long never come here (input-view.ts).

import { BosunError } from "../../error.ts";
import type { Message, ToolSpec } from "../../inference/model/message.ts";
import { FIRST_SCALE, type Scale } from "../../inference/model/calibration.ts";
import { estimatePrompt, estimateTokens } from "../../inference/model/tokens.ts";
import { type Conversation, toMessages } from "./prompt.ts";

/** One cut: a part and how many of its tokens stay. */
export type Cut = {
  readonly part: string;
  readonly tokensBefore: number;
  readonly tokensAfter: number;
};

/** What a prompt must fit: the smallest context that its call can meet, undefined = unknown, less what its answer may take. */
export type Room = {
  readonly contextTokens: number | undefined;
  readonly reservedTokens: number;
  /** How estimates become this model's tokens, and what stays free because they are no counts. Default: nothing is known. */
  readonly scale?: Scale | undefined;
};

/** What is left of a part that is cut: enough to tell what it was. */
export const LEAST_TOKENS = 64;

/**
 * The cuts that make a conversation fit; none when it fits already.
 * @param room.contextTokens the smallest context that the call can meet; undefined = unknown, nothing is cut.
 * @throws BosunError `model/context-length` with the numbers when no cut is enough.
 */
export function planFit(
  conversation: Conversation,
  tools: readonly ToolSpec[],
  room: Room,
): readonly Cut[] {
  if (room.contextTokens === undefined) return [];
  const promptTokens = estimatePrompt(toMessages(conversation), tools);
  const cuts: Cut[] = [];
  let excess = promptTokens - limitOf(room);
  for (const { part, tokens } of cuttable(conversation)) {
    if (excess <= 0) return cuts;
    const tokensAfter = Math.max(LEAST_TOKENS, tokens - excess);
    if (tokensAfter >= tokens) continue;
    cuts.push({ part, tokensBefore: tokens, tokensAfter });
    excess -= tokens - tokensAfter;
  }
  if (excess <= 0) return cuts;
  throw tooLong(room, promptTokens, excess);
}

/** Whether a part of a conversation is a section of its context, and of which name. */
export function sectionOf(part: string): string | undefined {
  return part.startsWith(SECTION) ? part.slice(SECTION.length) : undefined;
}

const SECTION = "context:";

/** How a section is named as a part of a conversation. */
export function sectionPart(name: string): string {
  return `${SECTION}${name}`;
}

/** How a turn is named as a part of a conversation. */
export function turnPart(index: number, { role }: Message): string {
  return `turn:${index}:${role}`;
}

/** Checks messages that nobody may cut. @throws BosunError `model/context-length` with the numbers. */
export function checkFit(
  messages: readonly Message[],
  tools: readonly ToolSpec[],
  room: Room,
): void {
  const promptTokens = estimatePrompt(messages, tools);
  const excess = promptTokens - limitOf(room);
  if (excess > 0) throw tooLong(room, promptTokens, excess);
}

/** Tokens that a prompt may have, in the estimate's tokens; Infinity where the context is not known. */
export function limitOf({
  contextTokens = Infinity,
  reservedTokens,
  scale = FIRST_SCALE,
}: Room): number {
  return Math.floor(((contextTokens - reservedTokens) * (1 - scale.margin)) / scale.ratio);
}

function tooLong(
  { contextTokens = 0, reservedTokens, scale = FIRST_SCALE }: Room,
  estimated: number,
  over: number,
): BosunError {
  const [promptTokens, excess] = [estimated, over].map((one) => Math.ceil(one * scale.ratio));
  return new BosunError(
    "model/context-length",
    `the prompt needs about ${promptTokens} tokens and its answer up to ${reservedTokens}, but the model's context is ${contextTokens}: ` +
      `${excess} too many after every cut. Shorten the task or its tools, lower maxTokens, or use a model with a longer context`,
    { details: { promptTokens, reservedTokens, contextTokens } },
  );
}

/** The conversation with its cuts made. */
export function applyFit(conversation: Conversation, cuts: readonly Cut[]): Conversation {
  if (cuts.length === 0) return conversation;
  const keep = new Map(cuts.map((cut) => [cut.part, cut.tokensAfter]));
  const cutText = (part: string, text: string): string => {
    const tokens = keep.get(part);
    return tokens === undefined ? text : cutMiddle(text, tokens);
  };
  return {
    ...conversation,
    sections: conversation.sections.map(({ name, text }) => ({
      name,
      text: cutText(sectionPart(name), text),
    })),
    turns: conversation.turns.map((message, index) => ({
      ...message,
      content: cutText(turnPart(index, message), message.content),
    })),
  };
}

type Part = { readonly part: string; readonly tokens: number };

function cuttable(conversation: Conversation): readonly Part[] {
  const newest = conversation.turns.findLastIndex((message) => message.role === "assistant");
  const results = conversation.turns.flatMap((message, index) => {
    const { role, content } = message;
    const isOld = index < newest;
    // An answer that was refused, and mended since.
    const isAnswer = message.role === "assistant" && isOld && !message.calls?.length;
    if (role !== "tool" && !isAnswer) return [];
    return [{ part: turnPart(index, message), tokens: estimateTokens(content), isOld }];
  });
  const sections = conversation.sections.map(({ name, text }) => ({
    part: sectionPart(name),
    tokens: estimateTokens(text),
  }));
  return [
    ...results.filter(({ isOld }) => isOld),
    ...largestFirst(sections),
    ...largestFirst(results.filter(({ isOld }) => !isOld)),
  ];
}

function largestFirst(parts: readonly Part[]): readonly Part[] {
  return parts.toSorted((a, b) => b.tokens - a.tokens);
}

/** At most `tokens` tokens of a text: its head and its tail, and between them how much was left out. */
export function cutMiddle(text: string, tokens: number): string {
  let kept = Math.floor(text.length * (tokens / estimateTokens(text)));
  for (;;) {
    const cut = keepEnds(text, kept);
    // The mark takes room too, and so do characters that count as a token each: shrink until it fits. Ends, as `kept` falls by a tenth.
    if (kept <= 0 || estimateTokens(cut) <= tokens) return cut;
    kept = Math.floor(kept * 0.9);
  }
}

function keepEnds(text: string, kept: number): string {
  // Half a character is left out: servers refuse a text with one.
  const head = text.slice(0, Math.ceil(kept * 0.7)).replace(/[\uD800-\uDBFF]$/, "");
  const tail =
    kept > head.length ? text.slice(head.length - kept).replace(/^[\uDC00-\uDFFF]/, "") : "";
  return `${head}\n[… ${text.length - head.length - tail.length} characters left out to fit …]\n${tail}`;
}
