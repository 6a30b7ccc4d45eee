// How much room a call has: the smallest context that it can reach, less what its answer may take. What does not fit is planned away.

import { FIRST_SCALE, type Scale } from "../../inference/model/calibration.ts";
import { type ModelRef, type ModelSettings, nameOf } from "../../inference/model/endpoint.ts";
import type { ToolSpec } from "../../inference/model/message.ts";
import { estimatePrompt } from "../../inference/model/tokens.ts";
import { applyFit, type Cut, planFit } from "./fit.ts";
import { type Conversation, toMessages } from "./prompt.ts";
import { answerTokens } from "./reservation.ts";
import type { World } from "./world.ts";

/** What is to be fitted, and into what. */
export type Fitting = {
  readonly models: readonly [ModelRef, ...ModelRef[]];
  readonly conversation: Conversation;
  readonly tools: readonly ToolSpec[];
  readonly settings: ModelSettings;
};

/** Default of `maxTokens`, when the context is known to be at least four times as long. */
export const DEFAULT_MAX_TOKENS = 2_048;

/** A conversation's cuts, and the room that all of it had to fit. */
export type Fit = {
  readonly cuts: readonly Cut[];
  readonly defaultMaxTokens: number;
  /** The room that all of it had to fit. */
  readonly contextTokens: number | undefined;
  readonly reservedTokens: number;
  /** By which the fit was planned. */
  readonly scale: Scale;
};

/**
 * Fits the conversation into the tightest of the models that the call can reach (M1). Near the limit its tokens are counted, where
 * somebody can count; elsewhere an estimate is good enough, and costs no round trip.
 * @throws BosunError `model/context-length` with the numbers when no cut is enough.
 */
export async function fitAsk(world: World, ask: Fitting, signal: AbortSignal): Promise<Fit> {
  const room = await roomOf(world, ask, signal);
  const { left, ...kept } = room;
  const scale = world.tokens.scaleOf(ask.models.map(nameOf));
  if (room.contextTokens === undefined) return { ...kept, cuts: [], scale };
  const estimated = estimatePrompt(toMessages(ask.conversation), ask.tools) * scale.ratio;
  const isFar = estimated <= left * NEAR * (1 - scale.margin);
  const counted = isFar ? undefined : await fitCounted(world, ask, room, signal);
  if (counted) return { ...kept, ...counted };
  return { ...kept, scale, cuts: planFit(ask.conversation, ask.tools, { ...room, scale }) };
}

/** Above this share of the room, with the margin, a count is worth its round trip. */
const NEAR = 0.7;
/** Most times that a conversation is counted: whole, and after cuts that were not enough. */
const MAX_COUNTS = 3;
/** What stays free for parts whose tokens are denser than those of the whole; more each time that it was not enough. */
const COUNTED_MARGIN = 0.02;

/** Cuts by exact counts; undefined when nobody can count. */
async function fitCounted(
  world: World,
  { models, conversation, tools }: Fitting,
  room: Room,
  signal: AbortSignal,
): Promise<Pick<Fit, "cuts" | "scale"> | undefined> {
  let cuts: readonly Cut[] = [];
  let scale: Scale | undefined;
  for (let round = 1; round <= MAX_COUNTS; round++) {
    const messages = toMessages(applyFit(conversation, cuts));
    const counted = await world.tokens.count({ models, messages, tools }, signal);
    if (counted === undefined) break;
    const ratio = counted / estimatePrompt(messages, tools);
    if (counted <= room.left) return { cuts, scale: { ratio, margin: 0 } };
    scale = { ratio: Math.max(ratio, scale?.ratio ?? 0), margin: COUNTED_MARGIN * round };
    cuts = planFit(conversation, tools, { ...room, scale });
  }
  if (scale === undefined) return undefined;
  const wide = { ...scale, margin: FIRST_SCALE.margin };
  return { scale: wide, cuts: planFit(conversation, tools, { ...room, scale: wide }) };
}

/** The room at the tightest of a call's models. */
export async function roomOf(
  world: World,
  ask: Pick<Fitting, "models" | "settings">,
  signal: AbortSignal,
): Promise<Room> {
  const rooms = await Promise.all(ask.models.map((ref) => roomAt(world, ask, { ref, signal })));
  const tightest = rooms.reduce((least, room) => (room.left < least.left ? room : least));
  const defaultMaxTokens = Math.min(...rooms.map((room) => room.defaultMaxTokens));
  return { ...tightest, defaultMaxTokens };
}

/** What a call's prompt may take: the context less what the answer may take. */
export type Room = {
  readonly contextTokens: number | undefined;
  readonly reservedTokens: number;
  readonly left: number;
  readonly defaultMaxTokens: number;
};

async function roomAt(
  world: World,
  { settings }: Pick<Fitting, "settings">,
  { ref, signal }: { readonly ref: ModelRef; readonly signal: AbortSignal },
): Promise<Room> {
  const contextTokens = await world.model.contextTokens([ref], signal);
  const context = contextTokens ?? Infinity;
  const own = world.settingsOf(ref);
  const defaultMaxTokens = Math.min(DEFAULT_MAX_TOKENS, Math.floor(context / 4));
  const reservedTokens = answerTokens(settings, own, defaultMaxTokens);
  return { contextTokens, reservedTokens, left: context - reservedTokens, defaultMaxTokens };
}
