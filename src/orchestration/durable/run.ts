// A run while it is executed: what its body calls, over the journal of its engine. The same for every engine.
//
// Holds D1 (keys), D3 (nothing outlives its run) and D4 (an aborted run lets go at once) of durable.ts.
//
// A run is one object with one AbortController and tells its steps and children itself that it was aborted: a controller for each
// child and a listener for each step took a third of the memory of a thousand waiting crews.

import { strict as assert } from "node:assert";
import type { Clock } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import type { Json } from "../../json.ts";
import { createRandom, type Random, seedOf } from "../../random.ts";
import type { Journal, Occurrence } from "./journal.ts";
import { createLimit, type Limit } from "./limit.ts";
import { createRacing, type Racing } from "./racing.ts";
import { Step, type StepHome } from "./step.ts";
import { StepLimit } from "./step-limit.ts";
import type {
  Child,
  ChildOptions,
  Durable,
  Flow,
  Pending,
  StepContext,
  StepOptions,
} from "./durable.ts";

export type RunOptions = {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly runId: string;
  readonly rootId: string;
  readonly limits: ChildOptions;
  readonly parentLimit?: Limit | undefined;
  /** Of the root run. Default: this is it. */
  readonly stepLimit?: StepLimit | undefined;
};

/** What a run waits for and aborts: a step, a sleep, a child. */
interface Open {
  abort?(reason: unknown): void;
  ended?(): void;
}

export class DurableRun implements Durable, Open {
  readonly runId: string;
  readonly rootId: string;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #limit: Limit;
  readonly #expiry: Occurrence | undefined;
  readonly #controller = new AbortController();
  readonly #home: StepHome;
  readonly #keys = new Set<string>();
  readonly #open = new Set<Open>();
  #onIdle: (() => void) | undefined;
  #racing: Racing | undefined;
  #random: Random | undefined;

  constructor({ clock, journal, runId, rootId, limits, parentLimit, stepLimit }: RunOptions) {
    const limit = stepLimit ?? new StepLimit(clock, journal.maxStepMs);
    this.#home = { clock, journal, limit, signal: this.signal, rootId };
    this.runId = runId;
    this.rootId = rootId;
    this.#clock = clock;
    this.#journal = journal;
    const { timeoutMs, timeoutError } = limits;
    const expired = (): Error =>
      new BosunError("run/timed-out", `${runId}: no end within ${timeoutMs} ms`);
    const onExpired = (): void => this.abort((timeoutError ?? expired)());
    this.#expiry =
      timeoutMs === undefined ? undefined : journal.occurrence(this.#whole("limit"), onExpired);
    this.#limit = createLimit(clock, timeoutMs, () => this.#expiry?.happened(), parentLimit);
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
      this.#expiry?.[Symbol.dispose]();
      if (this.#open.size > 0) {
        this.abort(new BosunError("run/cancelled", `${this.runId} has ended`));
        await new Promise<void>((resolve) => (this.#onIdle = resolve));
      }
    }
  }

  abort(reason: unknown): void {
    if (this.signal.aborted) return;
    this.#controller.abort(reason);
    for (const one of this.#open) one.abort?.(reason);
  }

  step<T extends Json | undefined>(
    key: string,
    fn: (context: StepContext) => Promise<T>,
    options?: StepOptions,
  ): Promise<T> {
    this.#claim(key);
    if (this.signal.aborted) return rejected(this.signal.reason);
    const whole = this.#whole(key);
    const step = new Step(this.#home, { key, whole, fn, options });
    return this.#follow(step, step.result as Promise<T>); // `as`: the journal gives back what fn came to
  }

  sleep(key: string, ms: number): Promise<void> {
    this.#claim(key);
    return this.#follow({}, this.#journal.sleep(this.#whole(key), ms, this.signal));
  }

  local<T>(work: () => Promise<T>): Promise<T> {
    if (this.signal.aborted) return rejected(this.signal.reason);
    const done = this.#clock.external(work());
    this.#journal.hold?.(done);
    return this.#follow({}, done);
  }

  wait(name: string, { timeoutMs }: { readonly timeoutMs: number }): Promise<Json | undefined> {
    this.#claim(name);
    if (this.signal.aborted) return rejected(this.signal.reason);
    this.#limit.pause();
    const ended = (): void => this.#limit.resume();
    return this.#follow({ ended }, this.#journal.wait(name, timeoutMs, this.signal));
  }

  child<I extends Json, O extends Json>(
    key: string,
    flow: Flow<I, O>,
    input: I,
    limits: ChildOptions = {},
  ): Child<O> {
    this.#claim(key);
    const runId = `${this.rootId}/${this.#whole(key)}`;
    const child = new DurableRun({
      clock: this.#clock,
      journal: this.#journal,
      runId,
      rootId: this.rootId,
      limits,
      parentLimit: this.#limit,
      stepLimit: this.#home.limit,
    });
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

  now(key: string): Promise<number> {
    return this.step(key, async () => this.#clock.now());
  }

  random(): number {
    return (this.#random ??= createRandom(seedOf(this.runId)))();
  }

  /** The key in the journal of the root run. A child's own keys often begin with its name already: bodies name steps by their path. */
  #whole(key: string): string {
    if (this.runId === this.rootId) return key;
    const prefix = this.runId.slice(this.rootId.length + 1);
    for (let at = 0; ;) {
      const tail = prefix.slice(at);
      if (key === tail || key.startsWith(`${tail}/`)) return `${prefix.slice(0, at)}${key}`;
      const next = prefix.indexOf("/", at);
      if (next < 0) return `${prefix}/${key}`;
      at = next + 1;
    }
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
    if (this.signal.aborted) one.abort?.(this.signal.reason); // by the step itself, before it first waited
    return work;
  }
}

/** A rejection that may stay unread. */
function rejected(reason: unknown): Promise<never> {
  const work = Promise.reject(reason);
  work.catch(() => undefined);
  return work;
}
