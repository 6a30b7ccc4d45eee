// One step of a run: its tries, each bounded in time, and the abort that reaches into them.
//
// A class: a thousand waiting crews hold thousands of them, as closures each took more.

import type { Clock, Timer } from "../../clock.ts";
import { BosunError, toBosunError } from "../../error.ts";
import type { Json } from "../../json.ts";
import type { StepContext, StepOptions } from "./durable.ts";
import type { Journal } from "./journal.ts";

/** How long an aborted step's function may take to hand over what it has (partial text, usage) before it is left alone. */
const STEP_GRACE_MS = 50;

const BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 30_000;

/** What a step needs of its run. */
export type StepHome = {
  readonly clock: Clock;
  readonly journal: Journal;
  /** Of the run: aborts with it. */
  readonly signal: AbortSignal;
  /** The root run's id and the key, for messages. */
  readonly where: string;
};

export type StepFunction = (context: StepContext) => Promise<Json | undefined>;

/** A step that has been begun. Once it is aborted its function has STEP_GRACE_MS left, then the reason is thrown (D4). */
export class Step {
  readonly result: Promise<Json | undefined>;
  readonly #home: StepHome;
  readonly #fn: StepFunction;
  readonly #key: string;
  #reject: ((reason: unknown) => void) | undefined;
  #grace: Timer | undefined;

  /** @param key As its function sees it. @param whole As the journal keeps it. */
  constructor(
    home: StepHome,
    {
      key,
      whole,
      fn,
      options,
    }: {
      readonly key: string;
      readonly whole: string;
      readonly fn: StepFunction;
      readonly options: StepOptions | undefined;
    },
  ) {
    this.#home = home;
    this.#fn = fn;
    this.#key = key;
    this.result =
      options === undefined
        ? home.journal.step(whole, (begun) => this.#begin(begun + 1))
        : this.#tries(whole, options);
  }

  abort(reason: unknown): void {
    if (this.#reject)
      this.#grace ??= this.#home.clock.timer(STEP_GRACE_MS, () => this.#reject?.(reason));
  }

  ended(): void {
    this.#grace?.[Symbol.dispose]();
  }

  #begin(attempt: number): Promise<Json | undefined> {
    const { maxStepMs } = this.#home.journal;
    return maxStepMs === Infinity ? this.#try(attempt) : this.#tryFor(maxStepMs, attempt);
  }

  /** One try. */
  #try(attempt: number): Promise<Json | undefined> {
    const { signal } = this.#home;
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      this.#fn({ key: this.#key, attempt, signal }).then(resolve, reject);
    });
  }

  /** Each try is kept under a key of its own, and so is the wait before it: a restart goes on with the count. */
  async #tries(whole: string, options: StepOptions): Promise<Json | undefined> {
    const { journal, signal, where } = this.#home;
    const { retries = 0, backoffMs = BACKOFF_MS, maxBackoffMs = MAX_BACKOFF_MS } = options;
    const { timeoutMs = journal.maxStepMs, retryIf = (): boolean => true } = options;
    const mostMs = Math.min(timeoutMs, journal.maxStepMs);
    let begunInAll = 0;
    for (let tried = 0; ; tried++) {
      const key = tried === 0 ? whole : `${whole}~${tried + 1}`;
      try {
        return await journal.step(key, (begun) => {
          begunInAll += begun;
          return this.#tryFor(mostMs, tried + begunInAll + 1);
        });
      } catch (error) {
        const failure = toBosunError(error, "run/failed", where);
        if (signal.aborted || tried >= retries || !retryIf(failure)) throw error;
        await journal.sleep(
          `${key}/backoff`,
          Math.min(backoffMs * 2 ** tried, maxBackoffMs),
          signal,
        );
      }
    }
  }

  async #tryFor(ms: number, attempt: number): Promise<Json | undefined> {
    const { clock, signal, where } = this.#home;
    const timedOut = (): BosunError =>
      new BosunError("run/step-timed-out", `${where}: no end of the step within ${ms} ms`, {
        retryable: true,
      });
    if (signal.aborted) throw signal.reason;
    using deadline = clock.deadline(ms, signal, timedOut);
    return await new Promise((resolve, reject) => {
      this.#reject = reject;
      // At once: a try that is over must not hold up the next one.
      deadline.signal.addEventListener(
        "abort",
        () => deadline.expired && reject(deadline.signal.reason),
        { once: true },
      );
      this.#fn({ key: this.#key, attempt, signal: deadline.signal }).then(resolve, reject);
    });
  }
}
