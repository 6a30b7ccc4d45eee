// How much room a call has: the smallest context that it can reach, less what its answer may take. What does not fit is planned away.

import {
  type ModelRef,
  type ModelSettings,
  thinkingTokens,
} from "../../inference/model/endpoint.ts";
import type { ToolSpec } from "../../inference/model/message.ts";
import { type Cut, planFit } from "./fit.ts";
import type { Conversation } from "./prompt.ts";
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
};

/** Fits the conversation into the tightest of the models that the call can reach (M1). */
export async function fitAsk(world: World, ask: Fitting, signal: AbortSignal): Promise<Fit> {
  const rooms = await Promise.all(ask.models.map((ref) => roomAt(world, ask, { ref, signal })));
  const tightest = rooms.reduce((least, room) => (room.left < least.left ? room : least));
  const cuts = planFit(ask.conversation, ask.tools, tightest);
  const { contextTokens, reservedTokens } = tightest;
  const defaultMaxTokens = Math.min(...rooms.map((room) => room.defaultMaxTokens));
  return { cuts, defaultMaxTokens, contextTokens, reservedTokens };
}

type Room = {
  readonly contextTokens: number | undefined;
  readonly reservedTokens: number;
  readonly left: number;
  readonly defaultMaxTokens: number;
};

async function roomAt(
  world: World,
  { settings }: Fitting,
  { ref, signal }: { readonly ref: ModelRef; readonly signal: AbortSignal },
): Promise<Room> {
  const contextTokens = await world.model.contextTokens([ref], signal);
  const context = contextTokens ?? Infinity;
  const own = world.settingsOf(ref);
  const defaultMaxTokens = Math.min(DEFAULT_MAX_TOKENS, Math.floor(context / 4));
  const maxTokens = settings.maxTokens ?? own.maxTokens ?? defaultMaxTokens;
  const reservedTokens = maxTokens + thinkingTokens(settings.thinking ?? own.thinking);
  return { contextTokens, reservedTokens, left: context - reservedTokens, defaultMaxTokens };
}
