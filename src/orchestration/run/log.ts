// RunLog: the one channel of a root run. Every child emits into it, readers follow it, a recorder keeps it.
//
// Emitting is synchronous, because a body may await only calls of its Durable. Memory is bounded all the same: facts are bounded
// by the number of steps, and a reader that is slow gets merged deltas, at most one between two facts of a path.
//
// Invariants
//   L1  With a recorder, a fact is yielded only after it was recorded; facts are recorded and yielded in the order of `seq`.
//   L2  Deltas go to live readers only and stay in order with the facts around them.
//   L3  Nothing is accepted after run-end (R3).

import type { BosunError } from "../../error.ts";
import type { Clock } from "../../clock.ts";
import type { Path } from "../../inference/model/model.ts";
import type { RunDelta, RunEvent, RunFact } from "./event.ts";
import { applyEvent, EMPTY_RUN, type RunState } from "./state.ts";

/** Keeps one event and calls `kept` when it is kept, or with the error that prevented it. Must not throw, and keeps the order. */
export type Recorder = (event: RunEvent, kept: (error: BosunError | undefined) => void) => void;

export interface RunLog {
  readonly runId: string;
  /** The fold of all facts so far. */
  readonly state: RunState;
  emit(path: Path, fact: RunFact, attempt?: number): void;
  /** A piece of an answer. Costs nothing when nobody reads. */
  delta(path: Path, delta: Pick<RunDelta, "agent" | "channel" | "text">): void;
  /** Facts after `fromSeq`, then live ones with deltas, until run-end. Leaving the loop only detaches. */
  read(fromSeq: number, signal: AbortSignal): AsyncGenerator<RunEvent>;
  /** Resolves when every fact so far is kept. @throws BosunError `store/failed`. */
  flushed(): Promise<void>;
}

type Reader = { readonly queue: RunEvent[]; wake: () => void };

/** A log in memory that hands its facts to `record`. */
export function createRunLog(options: {
  readonly runId: string;
  readonly clock: Clock;
  readonly record?: Recorder | undefined;
}): RunLog {
  const { runId, clock, record } = options;
  const facts: RunEvent[] = [];
  const counts = new Map<string, number>();
  const readers = new Set<Reader>();
  let state = EMPTY_RUN;
  let recorded = 0;
  let failure: BosunError | undefined;
  let onFlushed: (() => void) | undefined;

  const kept = (error: BosunError | undefined): void => {
    failure ??= error;
    recorded++;
    for (const reader of readers) reader.wake();
    if (recorded === facts.length) onFlushed?.();
  };
  const push = (event: RunEvent): void => {
    for (const reader of readers) {
      const last = reader.queue.at(-1);
      if (
        event.type === "model-delta" &&
        last?.type === "model-delta" &&
        last.channel === event.channel &&
        samePath(last.path, event.path)
      ) {
        reader.queue[reader.queue.length - 1] = { ...last, text: last.text + event.text };
      } else reader.queue.push(event);
      reader.wake();
    }
  };
  return {
    runId,
    get state() {
      return state;
    },
    emit(path, fact, attempt = 1) {
      if (state.endedAt !== undefined) return; // L3
      const key = `${path.join("/")} ${fact.type} ${attempt}`;
      const n = counts.get(key) ?? 0;
      counts.set(key, n + 1);
      const event: RunEvent = {
        ...fact,
        runId,
        path,
        attempt,
        n,
        seq: facts.length + 1,
        at: clock.now(),
        replayed: false,
      };
      facts.push(event);
      state = applyEvent(state, event);
      if (record) record(event, kept);
      else recorded = facts.length;
      push(event);
    },
    delta(path, delta) {
      if (readers.size === 0 || state.endedAt !== undefined) return;
      push({
        type: "model-delta",
        ...delta,
        runId,
        path,
        attempt: 1,
        n: 0,
        seq: facts.length,
        at: clock.now(),
        replayed: false,
      });
    },
    async *read(fromSeq, signal) {
      const reader: Reader = { queue: facts.slice(fromSeq), wake: () => {} };
      readers.add(reader);
      try {
        for (;;) {
          signal.throwIfAborted();
          const next = reader.queue[0];
          if (next && (next.type === "model-delta" || next.seq <= recorded)) {
            if (failure) throw failure;
            reader.queue.shift();
            yield next;
            if (next.type === "run-end") return;
          } else await wakeOf(reader, signal);
        }
      } finally {
        readers.delete(reader);
      }
    },
    async flushed() {
      if (recorded < facts.length) await new Promise<void>((resolve) => (onFlushed = resolve));
      if (failure) throw failure;
    },
  };
}

/** Resolves at the reader's next event, or when the signal aborts. */
function wakeOf(reader: Reader, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener("abort", done);
      reader.wake = () => {};
      resolve();
    };
    reader.wake = done;
    signal.addEventListener("abort", done, { once: true });
  });
}

function samePath(a: Path, b: Path): boolean {
  return a.length === b.length && a.every((part, index) => part === b[index]);
}
