// The inline engine: runs flows in this process and keeps nothing. The same bodies run on engines that keep their steps.
//
// Holds D1 (keys), D3 (nothing outlives its run) and D4 (an aborted run lets go at once) of durable.ts.

import { strict as assert } from "node:assert";
import type { Clock } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import type { Json } from "../../json.ts";
import type { Child, ChildOptions, Durable, DurableEngine, Flow } from "./durable.ts";
import { createLimit, type Limit } from "./limit.ts";
import { createRacing, type Racing } from "./racing.ts";
import { createSignals, type Signals } from "./signals.ts";

/** How long an aborted step's function may take to hand over what it has (partial text, usage) before it is left alone. */
const STEP_GRACE_MS = 50;

/** An engine without a journal. */
export function createInlineEngine(options: { readonly clock: Clock }): DurableEngine {
  const { clock } = options;
  const running = new Map<string, Signals>();
  return {
    name: "inline",
    start(flow, input, { id, signal, ...limits }) {
      const signals = createSignals();
      running.set(id, signals);
      const launch = { clock, flow, runId: id, rootId: id, signal, limits, signals };
      return runFlow(launch, input).finally(() => running.delete(id));
    },
    signal: (rootId, name, value) => running.get(rootId)?.give(name, value) ?? false,
  };
}

type Launch<I extends Json, O extends Json> = {
  readonly clock: Clock;
  readonly flow: Flow<I, O>;
  readonly runId: string;
  readonly rootId: string;
  readonly signal: AbortSignal;
  readonly limits: ChildOptions;
  readonly signals: Signals;
  readonly parentLimit?: Limit;
};

/** Runs one flow to its end: its body, and then whatever its body left behind (D3). */
async function runFlow<I extends Json, O extends Json>(launch: Launch<I, O>, input: I): Promise<O> {
  const { clock, flow, signal, limits } = launch;
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal.reason);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  const {
    timeoutMs,
    timeoutError = () =>
      new BosunError("run/timed-out", `${launch.runId}: no end within ${timeoutMs} ms`),
  } = limits;
  const onExpired = (): void => controller.abort(timeoutError());
  const limit = createLimit(clock, timeoutMs, onExpired, launch.parentLimit);
  const open = new Set<Promise<unknown>>();
  try {
    return await flow.run(
      createDurable({ ...launch, signal: controller.signal, limit }, open),
      input,
    );
  } finally {
    limit[Symbol.dispose](); // before the joining below, which takes as long as it takes
    signal.removeEventListener("abort", abort);
    if (open.size > 0) {
      controller.abort(new BosunError("run/cancelled", `${launch.runId} has ended`));
      await Promise.allSettled(open);
    }
  }
}

/** A launch under way: with its own signal and limit. */
type Under = Launch<never, Json> & { readonly limit: Limit };

function createDurable(launch: Under, open: Set<Promise<unknown>>): Durable {
  const { clock, runId, rootId, signal, limit } = launch;
  const keys = new Set<string>();
  let racing: Racing | undefined;
  const claim = (key: string): void => {
    assert(!keys.has(key), `run ${runId} uses the key "${key}" twice (invariant D1)`);
    keys.add(key);
  };
  const track = <T>(work: Promise<T>): Promise<T> => {
    open.add(work);
    const forget = (): void => void open.delete(work);
    work.then(forget, forget);
    return work;
  };
  return {
    runId,
    rootId,
    signal,
    step(key, fn) {
      claim(key);
      return track(settleOrAbort(clock, signal, () => fn({ key, attempt: 1, signal })));
    },
    sleep(key, ms) {
      claim(key);
      return track(clock.sleep(ms, signal));
    },
    wait(name, { timeoutMs }) {
      claim(name);
      return track(waitFor(launch, name, timeoutMs));
    },
    child(key, flow, input, limits = {}) {
      claim(key);
      const child = { ...launch, flow, runId: `${runId}/${key}`, limits, parentLimit: limit };
      return startChild(child, input, track);
    },
    race(key, pending) {
      claim(key);
      return (racing ??= createRacing(signal)).winner(pending);
    },
  };
}

/** Resolves with what is given, or undefined when its time is over. @throws the signal's reason. */
async function waitFor(
  { clock, signal, signals, limit }: Under,
  name: string,
  timeoutMs: number,
): Promise<Json | undefined> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<Json | undefined>();
  limit.pause();
  const timer = clock.timer(timeoutMs, () => resolve(undefined));
  const onAbort = (): void => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  const unlisten = signals.listen(name, resolve);
  return await promise.finally(() => {
    timer[Symbol.dispose]();
    signal.removeEventListener("abort", onAbort);
    unlisten();
    limit.resume();
  });
}

function startChild<I extends Json, O extends Json>(
  launch: Launch<I, O>,
  input: I,
  track: <T>(work: Promise<T>) => Promise<T>,
): Child<O> {
  const own = new AbortController();
  const { signal: parent } = launch;
  const abort = (): void => own.abort(parent.reason);
  if (parent.aborted) abort();
  else parent.addEventListener("abort", abort, { once: true });
  const ended = runFlow({ ...launch, signal: own.signal }, input).finally(() =>
    parent.removeEventListener("abort", abort),
  );
  return {
    result: track(ended),
    cancel: (reason) => own.abort(new BosunError("run/cancelled", reason)),
  };
}

/** What `fn` settles to; once the signal aborts it has STEP_GRACE_MS left, then the signal's reason is thrown (D4). */
async function settleOrAbort<T>(
  clock: Clock,
  signal: AbortSignal,
  fn: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  let onAbort: (() => void) | undefined;
  const work = fn();
  const cut = new Promise<never>((_, reject) => {
    onAbort = () => {
      const timer = clock.timer(STEP_GRACE_MS, () => reject(signal.reason));
      const stop = (): void => timer[Symbol.dispose]();
      work.then(stop, stop);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort(); // by `fn` itself, before it first waited
  });
  try {
    return await Promise.race([work, cut]);
  } finally {
    if (onAbort) signal.removeEventListener("abort", onAbort);
  }
}
