// A long text summarised by a model: in pieces that fit its context, four at once, and what comes back again, until it is short enough.
//
// Each call is a step of its own, at `…/summary:1` and on, and is seen in events and costs like every other.
// A model that fails fails no task: what it would have shortened is cut, and the other calls of its round are aborted. What may not go on
// (isFatal) still ends here.
// Bounds: MAX_LEVELS rounds of at most MAX_PIECES calls, of which each must make its text shorter; what a model still leaves too long is cut.

import { type ModelSettings, nameOf } from "../../inference/model/endpoint.ts";
import { cancelled } from "../../inference/model/http.ts";
import { estimateTokens } from "../../inference/model/tokens.ts";
import { type BosunError, isBosunError } from "../../error.ts";
import type { Durable } from "../durable/durable.ts";
import { lineStarts } from "../memory/text-line.ts";
import { isFatal, isOverBudget } from "./failure.ts";
import { cutMiddle } from "./fit.ts";
import type { Ask, AskFunction } from "./model-ask.ts";
import { summaryConversation } from "./prompt.ts";
import { roomOf } from "./room.ts";
import type { World } from "./world.ts";

/** What is to be summarised. */
export type Summarizing = Pick<
  Ask,
  "path" | "agent" | "task" | "models" | "settings" | "timeouts"
> & {
  readonly text: string;
  /** How the prompt calls the text. */
  readonly what: string;
  /** What the summary is for. */
  readonly work: string;
  /** Most tokens that it may have, estimated. */
  readonly budgetTokens: number;
};

/** What stands in the text's place. */
export type Summary = {
  readonly text: string;
  readonly tokens: number;
  /** How much of the text, from its beginning, a model has read; undefined = none could: `text` is its head and its tail. */
  readonly readCharacters: number | undefined;
  /** Why no model made it, or none made it as short as it must be. */
  readonly failure: BosunError | undefined;
};

/** Calls of one text at a time. */
const AT_ONCE = 4;
const MAX_PIECES = 128;
const MAX_LEVELS = 4;
/** Most tokens of a piece: in a longer one models lose what stands in its middle. */
const MAX_PIECE_TOKENS = 16_000;
/** When nobody knows the context. */
const DEFAULT_PIECE_TOKENS = 6_000;
const LEAST_PIECE_TOKENS = 128;
/** Tokens of a piece's summary: an eighth of a piece, so that three levels turn a million tokens into two thousand. */
const SHORTER = 8;
const MAX_ANSWER_TOKENS = 512;
const LEAST_ANSWER_TOKENS = 64;

/** @param call Makes a model call. @throws what may not go on: an abort, a budget that is used up, a hook's word, a wrong configuration. */
export async function summarize(
  d: Durable,
  world: World,
  it: Summarizing,
  call: AskFunction,
): Promise<Summary> {
  const { path, budgetTokens } = it;
  const pieceTokens = await d.step(`${path.join("/")}/room`, (step) =>
    pieceTokensFor(world, it, step.signal),
  );
  let { text } = it;
  let made = 0;
  let readCharacters: number | undefined;
  let failure: BosunError | undefined;
  for (let level = 1; level <= MAX_LEVELS; level++) {
    const pieces = splitText(text, pieceTokens).slice(0, MAX_PIECES);
    const first = made + 1;
    const round = await inLanes(pieces, (piece, index, signal) => {
      const place = { index, of: pieces.length };
      const tokens = pieces.length === 1 ? budgetTokens : answerTokens(pieceTokens);
      return askPiece(it, { text: piece, place, tokens, number: first + index, signal }, call);
    });
    if (round.type === "failed") {
      failure = failureIn(d, round.errors);
      break;
    }
    readCharacters ??= pieces.reduce((sum, piece) => sum + piece.length, 0);
    made += pieces.length;
    const joined = round.results.filter((one) => one !== "").join("\n\n");
    const isShorter = joined.length < text.length;
    text = joined;
    if (!isShorter || estimateTokens(text) <= budgetTokens) break;
  }
  const short = estimateTokens(text) <= budgetTokens ? text : cutMiddle(text, budgetTokens);
  return { text: short, tokens: estimateTokens(short), readCharacters, failure };
}

/** The model's failure among those of a round. @throws what may not go on. */
function failureIn(d: Durable, errors: readonly unknown[]): BosunError {
  const fatal = errors.find(isOverBudget) ?? errors.find((error) => isFatal(d, error));
  if (fatal !== undefined) throw fatal;
  const failures = errors.filter(isOfModel);
  const other = errors.find((error) => !isOfModel(error));
  const [first] = failures;
  if (other !== undefined || first === undefined) throw other;
  // The others were aborted because of it.
  return failures.find(({ code }) => code !== "model/cancelled") ?? first;
}

function isOfModel(error: unknown): error is BosunError {
  return isBosunError(error) && /^(model|worker)\//.test(error.code);
}

type Round<Result> =
  | { readonly type: "done"; readonly results: readonly Result[] }
  | { readonly type: "failed"; readonly errors: readonly unknown[] };

/**
 * Results in the order of the items; each lane does every fourth item, so what is done when does not depend on chance. A lane ends at its
 * first error, and its signal ends the work of the others. Errors in the order of the lanes.
 */
async function inLanes<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number, signal: AbortSignal) => Promise<Result>,
): Promise<Round<Result>> {
  const results = new Map<number, Result>();
  const errors = new Map<number, unknown>();
  const stop = new AbortController();
  const lane = async (start: number): Promise<void> => {
    try {
      for (const [index, item] of items.entries())
        if (index % AT_ONCE === start) results.set(index, await work(item, index, stop.signal));
    } catch (error) {
      errors.set(start, error); // told to the caller, all of them
      stop.abort(cancelled("a summary", "another piece of its text has failed"));
    }
  };
  const lanes = Array.from({ length: AT_ONCE }, (_, start) => start);
  await Promise.all(lanes.map(lane));
  if (errors.size === 0)
    return { type: "done", results: items.flatMap((_, index) => results.get(index) ?? []) };
  return {
    type: "failed",
    errors: lanes.flatMap((start) => (errors.has(start) ? [errors.get(start)] : [])),
  };
}

type Piece = {
  readonly text: string;
  readonly place: { readonly index: number; readonly of: number };
  readonly tokens: number;
  readonly number: number;
  readonly signal: AbortSignal;
};

async function askPiece(
  it: Summarizing,
  { text, place, tokens, number, signal }: Piece,
  call: AskFunction,
): Promise<string> {
  const { path, agent, task, models, timeouts, what, work } = it;
  const reply = await call({
    path: [...path, `summary:${number}`],
    agent,
    task,
    purpose: "summary",
    models,
    conversation: summaryConversation({ text, what, work, piece: place, maxTokens: tokens }),
    tools: [],
    output: undefined,
    settings: settingsFor(it.settings, tokens),
    timeouts,
    remainingCalls: undefined,
    signal,
  });
  return reply.text.trim();
}

function settingsFor(settings: ModelSettings, maxTokens: number): ModelSettings {
  return { ...settings, stop: undefined, maxTokens };
}

function answerTokens(pieceTokens: number): number {
  const tokens = Math.floor(pieceTokens / SHORTER);
  return Math.min(MAX_ANSWER_TOKENS, Math.max(LEAST_ANSWER_TOKENS, tokens));
}

/** Tokens of what stands around a piece: who the model is, what it shall do, and the work that it is for. */
const FRAME_TOKENS = 450;

async function pieceTokensFor(
  world: World,
  { models, settings, budgetTokens }: Summarizing,
  signal: AbortSignal,
): Promise<number> {
  const tokens = Math.max(MAX_ANSWER_TOKENS, budgetTokens);
  const asked = { models, settings: settingsFor(settings, tokens) };
  const { contextTokens, left } = await roomOf(world, asked, signal);
  if (contextTokens === undefined) return DEFAULT_PIECE_TOKENS;
  const { ratio, margin } = world.tokens.scaleOf(models.map(nameOf));
  const fitting = Math.floor((left * (1 - margin)) / ratio) - FRAME_TOKENS;
  return Math.max(LEAST_PIECE_TOKENS, Math.min(MAX_PIECE_TOKENS, fitting));
}

/** The text in pieces of at most so many estimated tokens, cut between lines. */
function splitText(text: string, tokens: number): readonly string[] {
  const starts = lineStarts(text);
  const pieces: string[] = [];
  let piece = "";
  let used = 0;
  for (const [index, start] of starts.entries()) {
    const added = text.slice(start, starts[index + 1] ?? text.length);
    const cost = estimateTokens(added);
    if (used + cost > tokens && piece !== "") {
      pieces.push(piece);
      piece = "";
      used = 0;
    }
    piece += added;
    used += cost;
  }
  return [...pieces, piece];
}
