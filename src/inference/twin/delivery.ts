// What the consumer of one generation is told, made from the state of its sequence when the consumer asks.
//
// There is no queue: a slow consumer gets more tokens in one event. Knows nothing of engines and clocks.

import type { GenerateEvent, GenerateTimings } from "./generate.ts";
import type { Sequence, SequenceListener } from "./sequence.ts";

/** The events of one sequence, in order, for one consumer. */
export class Delivery implements SequenceListener {
  readonly #sequence: Sequence;
  #hasStarted = false;
  /** Tokens that the consumer has, and those that it may have. */
  #numTaken = 0;
  #numVisible = 0;
  #isOver = false;
  #wake: (() => void) | undefined = undefined;

  constructor(sequence: Sequence) {
    this.#sequence = sequence;
    sequence.listener = this;
  }

  notify(): void {
    this.#numVisible = this.#sequence.numOutputs;
    this.#isOver = this.#sequence.state === "ended";
    this.#wake?.();
    this.#wake = undefined;
  }

  /** The next event that is there. */
  take(): GenerateEvent | undefined {
    const { startedAtMs, times } = this.#sequence;
    if (!this.#hasStarted && startedAtMs !== undefined) {
      this.#hasStarted = true;
      return { type: "start", atMs: startedAtMs };
    }
    const [from, to] = [this.#numTaken, this.#numVisible];
    if (to > from) {
      this.#numTaken = to;
      return { type: "tokens", from, to, times: times.subarray(from, to) };
    }
    return this.#isOver ? toEnd(this.#sequence) : undefined;
  }

  /** Resolves when there may be something to take. */
  wait(): Promise<void> {
    return new Promise((resolve) => (this.#wake = resolve));
  }
}

/** The last event of a sequence that has ended. */
function toEnd(sequence: Sequence): GenerateEvent {
  return {
    type: "end",
    finish: sequence.finish ?? "error",
    atMs: sequence.endedAtMs,
    timings: toTimings(sequence),
    cachedTokens: sequence.numCachedTokens,
    preemptions: sequence.numPreemptions,
  };
}

/** Where the time of a sequence that has ended went. What it did not reach took no time. */
export function toTimings(sequence: Sequence): GenerateTimings {
  const { arrivedAtMs, startedAtMs, endedAtMs, times, numOutputs } = sequence;
  const firstAtMs = numOutputs > 0 ? (times[0] ?? endedAtMs) : endedAtMs;
  const lastAtMs = numOutputs > 0 ? (times[numOutputs - 1] ?? endedAtMs) : endedAtMs;
  return {
    queueMs: (startedAtMs ?? endedAtMs) - arrivedAtMs,
    prefillMs: startedAtMs === undefined ? 0 : firstAtMs - startedAtMs,
    decodeMs: lastAtMs - firstAtMs,
  };
}
