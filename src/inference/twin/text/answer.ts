// A whole answer as tokens, decided before its first one is made, and what a client sees of each.
//
// Pure. Knows nothing of time: the engine says when tokens exist, this says what they mean.
// Invariants
//   N1  The deltas of all tokens, put together, are the text, the reasoning and the calls, whatever pieces they come in.
//   N2  An answer that ends by itself has the end mark as its last token, as usage counts it on a real server.

import type { ToolCall } from "../../model/message.ts";
import { callText } from "./prompt.ts";
import { fillerIds } from "./filler.ts";
import type { Written } from "./source.ts";
import { decodeIds, encodeText, joinIds, SPECIAL } from "./tokenizer.ts";

/** What a client sees of some tokens. */
export type Delta =
  | { readonly type: "text" | "reasoning"; readonly text: string }
  | {
      readonly type: "call-start";
      readonly index: number;
      readonly id: string;
      readonly tool: string;
    }
  | { readonly type: "call-delta"; readonly index: number; readonly text: string };

/** An answer, ready for the engine. */
export type Answer = {
  /** At least one. */
  readonly ids: Int32Array;
  readonly finish: "stop" | "length";
  /** The stop text or id that ended it; undefined when it ended by itself or by its length. */
  readonly stopReason: string | number | undefined;
  readonly hasCalls: boolean;
  /** What the tokens `from` to `to` (exclusive) say. */
  deltas(from: number, to: number): readonly Delta[];
};

/** Where an answer must end, and where it must not. */
export type AnswerBounds = {
  /** At least 1. */
  readonly maxTokens: number;
  readonly minTokens: number;
  /** Goes on to maxTokens, whatever was written. */
  readonly ignoresEnd: boolean;
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  /** Whether the client sees the stop text too. */
  readonly showsStop: boolean;
  /** A schema's end is the answer's end: nothing is added behind it. */
  readonly isConstrained: boolean;
};

/** The answer that says what was written, within its bounds. */
export function planAnswer(written: Written, bounds: AnswerBounds): Answer {
  const stopped = findStop(written, bounds);
  const isFree = !bounds.isConstrained && written.calls.length === 0 && !stopped;
  const isEndless = isFree && bounds.ignoresEnd;
  const said = [...segmentsOf(stopped ?? { written, hidden: "" })];
  const padding = isFree ? paddingOf(said, bounds) : [];
  const end: readonly Segment[] = stopped || isEndless ? [] : [{ type: "hidden", ids: END }]; // N2
  const segments = [...said, ...padding, ...end];
  const ids = joinIds(segments.map((segment) => segment.ids));
  const { length, stopId } = cutOf(ids, bounds);
  const isCut = stopId === undefined && (isEndless || length < ids.length);
  const ended = isCut
    ? ({ finish: "length", stopReason: undefined } as const)
    : ({ finish: "stop", stopReason: stopId ?? stopped?.stop } as const);
  return {
    ids: ids.slice(0, length),
    ...ended,
    hasCalls: written.calls.length > 0 && !stopped,
    deltas: (from, to) => deltasOf(segments, from, Math.min(to, length)),
  };
}

/** Filler up to the tokens that were asked for at least. */
function paddingOf(said: readonly Segment[], bounds: AnswerBounds): readonly Segment[] {
  const { ignoresEnd, maxTokens, minTokens } = bounds;
  const least = Math.min(ignoresEnd ? maxTokens : minTokens, maxTokens);
  const length = said.reduce((sum, { ids }) => sum + ids.length, 0);
  return length < least ? [{ type: "text", ids: fillerIds(least - length, length) }] : [];
}

/** Where the answer ends: at the first stop id, or at its greatest length. */
function cutOf(
  ids: Int32Array,
  { maxTokens, stopTokenIds }: AnswerBounds,
): { readonly length: number; readonly stopId: number | undefined } {
  const most = Math.max(1, Math.min(ids.length, maxTokens));
  const stopAt = stopTokenIds.length > 0 ? ids.findIndex((id) => stopTokenIds.includes(id)) : -1;
  return stopAt >= 0 && stopAt < most
    ? { length: stopAt + 1, stopId: ids[stopAt] }
    : { length: most, stopId: undefined };
}

type Segment =
  | { readonly type: "text" | "reasoning" | "hidden"; readonly ids: Int32Array }
  | {
      readonly type: "call-head";
      readonly ids: Int32Array;
      readonly index: number;
      readonly call: ToolCall;
    }
  | { readonly type: "arguments"; readonly ids: Int32Array; readonly index: number };

const END = Int32Array.of(SPECIAL["<|im_end|>"]);

type Stopped = { readonly written: Written; readonly hidden: string; readonly stop: string };

/** The text up to the first stop text in it; what comes behind is never made. */
function findStop(written: Written, { stop, showsStop }: AnswerBounds): Stopped | undefined {
  const found = stop
    .filter(Boolean)
    .map((text) => ({ text, at: written.text.indexOf(text) }))
    .filter(({ at }) => at >= 0)
    .toSorted((a, b) => a.at - b.at)[0];
  if (!found) return undefined;
  const end = found.at + (showsStop ? found.text.length : 0);
  const cut = { ...written, text: written.text.slice(0, end), calls: [] };
  return { written: cut, hidden: showsStop ? "" : found.text, stop: found.text };
}

function* segmentsOf({ written, hidden }: Pick<Stopped, "written" | "hidden">): Generator<Segment> {
  const { text, reasoning, calls } = written;
  if (reasoning !== "") {
    yield { type: "hidden", ids: encodeText("<think>\n") };
    yield { type: "reasoning", ids: encodeText(reasoning) };
    yield { type: "hidden", ids: encodeText("\n</think>\n\n") };
  }
  if (text !== "") yield { type: "text", ids: encodeText(text) };
  if (hidden !== "") yield { type: "hidden", ids: encodeText(hidden) };
  for (const [index, call] of calls.entries()) {
    const { before, arguments: given, after } = callText(call);
    yield { type: "call-head", ids: encodeText(before), index, call };
    yield { type: "arguments", ids: encodeText(given), index };
    yield { type: "hidden", ids: encodeText(after) };
  }
}

function deltasOf(segments: readonly Segment[], from: number, to: number): Delta[] {
  const deltas: Delta[] = [];
  let start = 0;
  for (const segment of segments) {
    const end = start + segment.ids.length;
    if (start >= to) break;
    if (end > from) {
      const said = deltaOf(segment, Math.max(0, from - start), Math.min(to, end) - start);
      if (said) deltas.push(said);
    }
    start = end;
  }
  return deltas;
}

/** A call is told with the last token of its head: before that nobody can know which tool it is. */
function deltaOf(segment: Segment, from: number, to: number): Delta | undefined {
  switch (segment.type) {
    case "hidden":
      return undefined;
    case "text":
    case "reasoning":
      return { type: segment.type, text: decodeIds(segment.ids.subarray(from, to)) };
    case "call-head": {
      const { index, call, ids } = segment;
      return to === ids.length
        ? { type: "call-start", index, id: call.id, tool: call.tool }
        : undefined;
    }
    case "arguments":
      return {
        type: "call-delta",
        index: segment.index,
        text: decodeIds(segment.ids.subarray(from, to)),
      };
    default:
      return segment satisfies never;
  }
}
