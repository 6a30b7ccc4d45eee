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
import { createLimit, type Limit } from "./limit.ts";
import { createRacing, type Racing } from "./racing.ts";
import { createSignals, type Signals } from "./signals.ts";
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
  const running = new Map<string, Signals>();
  return {
    name: "inline",
    signal: (rootId, name, value) => running.get(rootId)?.give(name, value) ?? false,
    async start(flow, input, { id, signal, ...limits }) {
      const signals = createSignals();
      running.set(id, signals);
      const run = new InlineRun({ clock, runId: id, rootId: id, limits, signals });
      const abort = (): void => run.abort(signal.reason);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
      try {
        return await run.execute(flow, input);
      } finally {
        signal.removeEventListener("abort", abort);
        running.delete(id);
      }
    },
  };
}

type RunOptions = {
  readonly clock: Clock;
  readonly runId: string;
  readonly rootId: string;
  readonly limits: ChildOptions;
  /** Of the root run. */
  readonly signals: Signals;
  readonly parentLimit?: Limit | undefined;
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
  readonly #limit: Limit;
  readonly #signals: Signals;
  readonly #controller = new AbortController();
  readonly #keys = new Set<string>();
  readonly #open = new Set<Open>();
  #onIdle: (() => void) | undefined;
  #racing: Racing | undefined;

  constructor({ clock, runId, rootId, limits, signals, parentLimit }: RunOptions) {
    this.runId = runId;
    this.rootId = rootId;
    this.#clock = clock;
    this.#signals = signals;
    const { timeoutMs, timeoutError } = limits;
    const expired = (): Error =>
      new BosunError("run/timed-out", `${runId}: no end within ${timeoutMs} ms`);
    const onExpired = (): void => this.abort((timeoutError ?? expired)());
    this.#limit = createLimit(clock, timeoutMs, onExpired, parentLimit);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Runs one flow to its end: its body, and then whatever its body left behind (D3). */
  async execute<I extends Json, O extends Json>(flow: Flow<I, O>, input: I): Promise<O> {
    try {
      return await flow.run(this, input);
    } finally {
      this.#limit[Symbol.dispose](); // before the joining below, which takes as long as it takes
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

  wait(name: string, { timeoutMs }: { readonly timeoutMs: number }): Promise<Json | undefined> {
    this.#claim(name);
    if (this.signal.aborted) return rejected(this.signal.reason);
    const wait = new Wait({ clock: this.#clock, limit: this.#limit, timeoutMs });
    wait.listen(this.#signals, name);
    return this.#follow(wait, wait.result);
  }

  child<I extends Json, O extends Json>(
    key: string,
    flow: Flow<I, O>,
    input: I,
    limits: ChildOptions = {},
  ): Child<O> {
    this.#claim(key);
    const runId = `${this.runId}/${key}`;
    const shared = { clock: this.#clock, rootId: this.rootId, signals: this.#signals };
    const child = new InlineRun({ ...shared, runId, limits, parentLimit: this.#limit });
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

type WaitOptions = { readonly clock: Clock; readonly limit: Limit; readonly timeoutMs: number };

/** What somebody outside gives, or undefined when its time is over. The run's time limit stands still meanwhile. */
class Wait implements Open {
  readonly result: Promise<Json | undefined>;
  readonly #limit: Limit;
  readonly #timer: Timer;
  #settle: PromiseWithResolvers<Json | undefined> = Promise.withResolvers();
  #unlisten: () => void = nothing;

  constructor({ clock, limit, timeoutMs }: WaitOptions) {
    this.result = this.#settle.promise;
    this.#limit = limit;
    limit.pause();
    this.#timer = clock.timer(timeoutMs, () => this.#settle.resolve(undefined));
  }

  listen(signals: Signals, name: string): void {
    this.#unlisten = signals.listen(name, (value) => this.#settle.resolve(value));
  }

  abort(reason: unknown): void {
    this.#settle.reject(reason);
  }

  ended(): void {
    this.#timer[Symbol.dispose]();
    this.#unlisten();
    this.#limit.resume();
  }
}

/** A rejection that may stay unread. */
function rejected(reason: unknown): Promise<never> {
  const work = Promise.reject(reason);
  work.catch(nothing);
  return work;
}

function nothing(): void {}
