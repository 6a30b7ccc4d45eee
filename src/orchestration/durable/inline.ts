// The inline engine: runs flows in this process and keeps nothing. The same bodies run on engines that keep their steps.
//
// Holds D1 (keys), D3 (nothing outlives its run) and D4 (an aborted run lets go at once) of durable.ts.
//
// A run is one object with one AbortController and tells its steps and children itself that it was aborted: a controller for each
// child and a listener for each step took a third of the memory of a thousand waiting crews.

import { strict as assert } from "node:assert";
import type { Clock, Timer } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import type { Json } from "../../json.ts";
import { createRacing, type Racing } from "./racing.ts";
import type {
  Child,
  ChildOptions,
  Durable,
  DurableEngine,
  Flow,
  Pending,
  StepContext,
} from "./durable.ts";

/** How long an aborted step's function may take to hand over what it has (partial text, usage) before it is left alone. */
const STEP_GRACE_MS = 50;

/** An engine without a journal. */
export function createInlineEngine(options: { readonly clock: Clock }): DurableEngine {
  const { clock } = options;
  return {
    name: "inline",
    async start(flow, input, { id, signal, ...limits }) {
      const run = new InlineRun({ clock, runId: id, rootId: id, limits });
      const abort = (): void => run.abort(signal.reason);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
      try {
        return await run.execute(flow, input);
      } finally {
        signal.removeEventListener("abort", abort);
      }
    },
  };
}

type RunOptions = {
  readonly clock: Clock;
  readonly runId: string;
  readonly rootId: string;
  readonly limits: ChildOptions;
};

/** What a run waits for and aborts: a step, a sleep, a child. */
interface Open {
  abort(reason: unknown): void;
  ended?(): void;
}

class InlineRun implements Durable, Open {
  readonly runId: string;
  readonly rootId: string;
  readonly #clock: Clock;
  readonly #limits: ChildOptions;
  readonly #controller = new AbortController();
  readonly #keys = new Set<string>();
  readonly #open = new Set<Open>();
  #onIdle: (() => void) | undefined;
  #racing: Racing | undefined;

  constructor({ clock, runId, rootId, limits }: RunOptions) {
    this.runId = runId;
    this.rootId = rootId;
    this.#clock = clock;
    this.#limits = limits;
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Runs one flow to its end: its body, and then whatever its body left behind (D3). */
  async execute<I extends Json, O extends Json>(flow: Flow<I, O>, input: I): Promise<O> {
    const timer = this.#startTimer();
    try {
      return await flow.run(this, input);
    } finally {
      timer?.[Symbol.dispose]();
      if (this.#open.size > 0) {
        this.abort(new BosunError("run/cancelled", `${this.runId} has ended`));
        await new Promise<void>((resolve) => (this.#onIdle = resolve));
      }
    }
  }

  abort(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    for (const one of this.#open) one.abort(reason);
  }

  step<T extends Json | undefined>(
    key: string,
    fn: (context: StepContext) => Promise<T>,
  ): Promise<T> {
    this.#claim(key);
    if (this.signal.aborted) return rejected(this.signal.reason);
    const { signal } = this;
    const step = new Step(this.#clock, () => fn({ key, attempt: 1, signal }));
    return this.#follow(step, step.result);
  }

  sleep(key: string, ms: number): Promise<void> {
    this.#claim(key);
    return this.#follow({ abort: nothing }, this.#clock.sleep(ms, this.signal));
  }

  child<I extends Json, O extends Json>(
    key: string,
    flow: Flow<I, O>,
    input: I,
    limits: ChildOptions = {},
  ): Child<O> {
    this.#claim(key);
    const runId = `${this.runId}/${key}`;
    const child = new InlineRun({ clock: this.#clock, runId, rootId: this.rootId, limits });
    if (this.signal.aborted) child.abort(this.signal.reason);
    return {
      result: this.#follow(child, child.execute(flow, input)),
      cancel: (reason) => child.abort(new BosunError("run/cancelled", reason)),
    };
  }

  race<K extends string>(key: string, pending: Pending<K>): Promise<K> {
    this.#claim(key);
    return (this.#racing ??= createRacing(this.signal)).winner(pending);
  }

  #claim(key: string): void {
    assert(!this.#keys.has(key), `run ${this.runId} uses the key "${key}" twice (invariant D1)`);
    this.#keys.add(key);
  }

  /** `work`, which the run's end waits for. A rejection that no body reads is not an unhandled one. */
  #follow<T>(one: Open, work: Promise<T>): Promise<T> {
    this.#open.add(one);
    const forget = (): void => {
      this.#open.delete(one);
      one.ended?.();
      if (this.#open.size === 0) this.#onIdle?.();
    };
    work.then(forget, forget);
    if (this.signal.aborted) one.abort(this.signal.reason); // by the step itself, before it first waited
    return work;
  }

  #startTimer(): Timer | undefined {
    const { timeoutMs, timeoutError } = this.#limits;
    if (timeoutMs === undefined) return undefined;
    return this.#clock.timer(timeoutMs, () =>
      this.abort(
        timeoutError?.() ??
          new BosunError("run/timed-out", `${this.runId}: no end within ${timeoutMs} ms`),
      ),
    );
  }
}

/** What a function settles to; once it is aborted it has STEP_GRACE_MS left, then the reason is thrown (D4). */
class Step<T> implements Open {
  readonly result: Promise<T>;
  readonly #clock: Clock;
  #reject: (reason: unknown) => void = nothing;
  #grace: Timer | undefined;

  constructor(clock: Clock, fn: () => Promise<T>) {
    this.#clock = clock;
    this.result = new Promise((resolve, reject) => {
      this.#reject = reject;
      fn().then(resolve, reject);
    });
  }

  abort(reason: unknown): void {
    this.#grace ??= this.#clock.timer(STEP_GRACE_MS, () => this.#reject(reason));
  }

  ended(): void {
    this.#grace?.[Symbol.dispose]();
  }
}

/** A rejection that may stay unread. */
function rejected(reason: unknown): Promise<never> {
  const work = Promise.reject(reason);
  work.catch(nothing);
  return work;
}

function nothing(): void {}
