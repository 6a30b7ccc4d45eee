// The inline engine: runs flows in this process and keeps nothing. The same bodies run on engines that keep their steps.

import type { Clock } from "../../clock.ts";
import type { Json } from "../../json.ts";
import type { DurableEngine, RunHandle, StartOptions } from "./engine.ts";
import type { Flow } from "./durable.ts";
import type { Journal, Occurrence } from "./journal.ts";
import { DurableRun } from "./run.ts";
import { createSignals, type Signals, waitFor } from "./signals.ts";

/** What the engine without a journal can do: start runs, and give them what they wait for. */
export type InlineEngine = Pick<DurableEngine, "start" | "signal"> &
  Partial<Pick<DurableEngine, "find">>;

/** An engine without a journal. */
export function createInlineEngine(options: { readonly clock: Clock }): InlineEngine {
  const { clock } = options;
  const running = new Map<string, Signals>();
  return {
    signal: (rootId, name, value) => running.get(rootId)?.give(name, value) ?? false,
    async start<I extends Json, O extends Json>(
      flow: Flow<I, O>,
      input: I,
      { id, signal, timeoutMs, timeoutError }: StartOptions,
    ): Promise<RunHandle<O>> {
      const signals = createSignals();
      running.set(id, signals);
      const journal = createInlineJournal(clock, signals);
      const limits = { timeoutMs, timeoutError };
      const run = new DurableRun({ clock, journal, runId: id, rootId: id, limits });
      const abort = (): void => run.abort(signal?.reason);
      if (signal?.aborted) abort();
      else signal?.addEventListener("abort", abort, { once: true });
      const result = run.execute(flow, input).finally(() => {
        signal?.removeEventListener("abort", abort);
        running.delete(id);
      });
      result.catch(() => undefined); // whoever asks for the result gets it
      return { id, result: () => result };
    },
  };
}

/** Keeps nothing: everything happens for the first time. */
function createInlineJournal(clock: Clock, signals: Signals): Journal {
  return {
    maxStepMs: Infinity,
    step: (_key, work) => work(0),
    sleep: (_key, ms, signal) => clock.sleep(ms, signal),
    wait: (name, timeoutMs, signal) => waitFor(signals, { name, timeoutMs, clock, signal }),
    occurrence: (_key, deliver): Occurrence => ({
      happened: deliver,
      [Symbol.dispose]: () => undefined,
    }),
  };
}
