// One step of a run: its tries, each bounded in time, and the abort that reaches into them.
//
// A class: a thousand waiting crews hold thousands of them, as closures each took more.

import type { Clock, Timer } from "../../clock.ts";
import { BosunError, toBosunError } from "../../error.ts";
import type { Json } from "../../json.ts";
import type { StepContext, StepOptions } from "./durable.ts";
import type { Journal } from "./journal.ts";
import type { Limited, StepLimit } from "./step-limit.ts";

/** How long an aborted step's function may take to hand over what it has (partial text, usage) before it is left alone. */
const STEP_GRACE_MS = 50;

const BACKOFF_MS = 200;
const MAX_BACKOFF_MS = 30_000;

/** What a step needs of its run. */
export type StepHome = {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly limit: StepLimit;
  /** Of the run: aborts with it. */
  readonly signal: AbortSignal;
  readonly rootId: string;
};

export type StepFunction = (context: StepContext) => Promise<Json | undefined>;

/** A step that has been begun. Once it is aborted its function has STEP_GRACE_MS left, then the reason is thrown (D4). */
export class Step {
  readonly result: Promise<Json | undefined>;
  readonly #home: StepHome;
  readonly #fn: StepFunction;
  readonly #key: string;
  readonly #whole: string;
  /** Of the try under way, where that has one of its own. */
  #own: AbortController | undefined;
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
    this.#whole = whole;
    this.result =
      options === undefined
        ? home.journal.step(whole, (begun) => this.#try(home.limit.ms, begun + 1))
        : this.#tries(whole, options);
  }

  abort(reason: unknown): void {
    this.#own?.abort(reason);
    if (this.#reject)
      this.#grace ??= this.#home.clock.timer(STEP_GRACE_MS, () => this.#reject?.(reason));
  }

  ended(): void {
    this.#grace?.[Symbol.dispose]();
  }

  /** Each try is kept under a key of its own, and so is the wait before it: a restart goes on with the count. */
  async #tries(whole: string, options: StepOptions): Promise<Json | undefined> {
    const { journal, limit, signal } = this.#home;
    const { retries = 0, backoffMs = BACKOFF_MS, maxBackoffMs = MAX_BACKOFF_MS } = options;
    const { timeoutMs = limit.ms, retryIf = (): boolean => true } = options;
    const mostMs = Math.min(timeoutMs, limit.ms);
    let begunInAll = 0;
    for (let tried = 0; ; tried++) {
      const key = tried === 0 ? whole : `${whole}~${tried + 1}`;
      try {
        return await journal.step(key, (begun) => {
          begunInAll += begun;
          return this.#try(mostMs, tried + begunInAll + 1);
        });
      } catch (error) {
        const failure = toBosunError(error, "run/failed", this.#where());
        if (signal.aborted || tried >= retries || !retryIf(failure)) throw error;
        await journal.sleep(
          `${key}/backoff`,
          Math.min(backoffMs * 2 ** tried, maxBackoffMs),
          signal,
        );
      }
    }
  }

  /** One try. */
  #try(ms: number, attempt: number): Promise<Json | undefined> {
    const { signal } = this.#home;
    if (signal.aborted) return Promise.reject(signal.reason);
    if (ms < Infinity) return this.#tryFor(ms, attempt);
    return new Promise((resolve, reject) => {
      this.#reject = reject;
      // What is not async may return a value as it is.
      Promise.resolve(this.#fn({ key: this.#key, attempt, signal })).then(resolve, reject);
    });
  }

  #tryFor(ms: number, attempt: number): Promise<Json | undefined> {
    const own = new AbortController();
    return new Promise((resolve, reject) => {
      const limit = this.#limit(ms, () => {
        const message = `${this.#where()}: no end of the step within ${ms} ms`;
        const reason = new BosunError("run/step-timed-out", message, { retryable: true });
        end(reject, reason); // at once: a try that is over must not hold up the next one
        own.abort(reason);
      });
      const end = <T>(settle: (value: T) => void, value: T): void => {
        limit[Symbol.dispose]();
        if (this.#own === own) this.#own = undefined;
        settle(value);
      };
      this.#reject = (reason) => end(reject, reason);
      this.#own = own;
      const context = { key: this.#key, attempt, signal: own.signal };
      const failed = (error: unknown): void => end(reject, error);
      try {
        Promise.resolve(this.#fn(context)).then((value) => end(resolve, value), failed);
      } catch (error) {
        failed(error);
      }
    });
  }

  /** The time that all steps have needs no timer of its own. */
  #limit(ms: number, expire: () => void): Disposable {
    const { limit, clock } = this.#home;
    if (ms !== limit.ms) return clock.timer(ms, expire);
    const one: Limited = { expire };
    limit.begin(one);
    return { [Symbol.dispose]: () => limit.end(one) };
  }

  #where(): string {
    return `run ${this.#home.rootId}, ${this.#whole}`;
  }
}
