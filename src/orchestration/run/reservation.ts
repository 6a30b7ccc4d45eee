// What a call can take at most, and what it did take, in the words of the budget. Pure.

import type { Scale } from "../../inference/model/calibration.ts";
import {
  type ModelRef,
  type ModelSettings,
  thinkingTokens,
} from "../../inference/model/endpoint.ts";
import type { Message, ToolSpec } from "../../inference/model/message.ts";
import { type TokenPrice, toUsd } from "../../inference/model/price.ts";
import { estimatePrompt } from "../../inference/model/tokens.ts";
import type { Usage } from "../../inference/model/usage.ts";
import type { Amount } from "./budget.ts";

/** The price of a model; undefined = not known. */
export type PriceOf = (ref: ModelRef) => TokenPrice | undefined;

/** How a model is asked where the call says nothing. */
export type SettingsOf = (ref: ModelRef) => ModelSettings;

/** A call that is about to be made. */
export type Reserving = {
  readonly models: readonly [ModelRef, ...ModelRef[]];
  readonly messages: readonly Message[];
  readonly tools: readonly ToolSpec[];
  readonly settings: ModelSettings;
  readonly defaultMaxTokens: number;
  /** How estimates become the model's tokens. */
  readonly scale: Scale;
};

/** Counts are estimates: prompts are reserved with at least this much more, and never with less than the estimate. */
const MARGIN = 0.1;

/** The most that one attempt can take, at the dearest of its models. Without a price there is no cost, only tokens. */
export function worstCase(
  call: Reserving,
  { priceOf, settingsOf }: { readonly priceOf: PriceOf; readonly settingsOf: SettingsOf },
): Amount {
  const { ratio, margin } = call.scale;
  const prompt = Math.ceil(
    estimatePrompt(call.messages, call.tools) * Math.max(1, ratio) * (1 + Math.max(MARGIN, margin)),
  );
  const worst = call.models.map((ref): Amount => {
    const answer = answerTokens(call.settings, settingsOf(ref), call.defaultMaxTokens);
    const price = priceOf(ref);
    return { tokens: prompt + answer, usd: price ? worstUsd(price, prompt, answer) : 0 };
  });
  return {
    tokens: Math.max(...worst.map(({ tokens }) => tokens)),
    usd: Math.max(...worst.map(({ usd }) => usd)),
  };
}

/** Most tokens of an answer, thinking included. @param far How its model is asked where the call says nothing. */
export function answerTokens(
  settings: ModelSettings,
  far: ModelSettings,
  defaultMaxTokens: number,
): number {
  const maxTokens = settings.maxTokens ?? far.maxTokens ?? defaultMaxTokens;
  return maxTokens + thinkingTokens(settings.thinking ?? far.thinking);
}

function worstUsd(
  { input, output, cached = 0 }: TokenPrice,
  prompt: number,
  answer: number,
): number {
  return (prompt * Math.max(input, cached) + answer * output) / 1_000_000;
}

/** What some usage takes of a budget. */
export function amountOf(usage: Usage, price: TokenPrice | undefined): Amount {
  return {
    tokens: usage.input.total + usage.output.total,
    usd: price ? toUsd(price, usage) : 0,
  };
}
