// How many tokens a prompt has: asked of a tokenizer where there is one and the answer matters, else estimated and calibrated.
//
// An exact count costs a round trip, so whoever fits a prompt asks for it only near the limit. It is bounded in time, and a model
// that could not count is left alone with it for a while: a prompt is never late because of its count.

import { type Clock, until } from "../../clock.ts";
import { type Calibration, createCalibration } from "./calibration.ts";
import { BosunError } from "../../error.ts";
import { nameOf } from "./endpoint.ts";
import type { Model, TokenCountAsk } from "./model.ts";

/**
 * Counts a prompt's tokens with a tokenizer of the caller's own; undefined for a model that it does not know. With several models the
 * largest of their counts. What it throws counts as undefined.
 */
export type TokenCountFunction = (
  ask: TokenCountAsk,
  signal: AbortSignal,
) => number | undefined | Promise<number | undefined>;

/** The counts of one process. */
export interface TokenCounter extends Calibration {
  /** Exact, or undefined when nobody can count in time. Rejects only when the signal aborts. */
  count(ask: TokenCountAsk, signal: AbortSignal): Promise<number | undefined>;
}

/** How long a count may take: a prompt of 100,000 tokens takes a server about 100 ms. */
const COUNT_MS = 2_000;
/** A model that could not count is not asked again for so long. */
const RETRY_MS = 60_000;
/** Most models that are known not to count. */
const MAX_SILENT = 256;

/** @param options.own Asked before the model. */
export function createTokenCounter(options: {
  readonly model: Model;
  readonly clock: Clock;
  readonly own?: TokenCountFunction | undefined;
}): TokenCounter {
  const { model, clock, own } = options;
  const silentSince = new Map<string, number>();
  const isSilent = (name: string): boolean =>
    clock.now() - (silentSince.get(name) ?? -Infinity) < RETRY_MS;
  const ask = async (asked: TokenCountAsk, signal: AbortSignal): Promise<number | undefined> =>
    (await own?.(asked, signal)) ?? (await model.countTokens?.(asked, signal));
  return {
    ...createCalibration(),
    async count(asked, signal) {
      if (own === undefined && model.countTokens === undefined) return undefined;
      const name = asked.models.map(nameOf).join();
      if (isSilent(name)) return undefined;
      using deadline = clock.deadline(
        COUNT_MS,
        signal,
        () =>
          new BosunError("model/timed-out", `${name} did not count a prompt within ${COUNT_MS} ms`),
      );
      const counted = await until(ask(asked, deadline.signal), deadline.signal).catch(
        () => undefined, // an estimate will do: only the run's own end matters
      );
      signal.throwIfAborted();
      if (isCount(counted)) return counted;
      if (silentSince.size >= MAX_SILENT) silentSince.clear();
      silentSince.set(name, clock.now());
      return undefined;
    },
  };
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}
