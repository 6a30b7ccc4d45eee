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
import { createReader, type Reader } from "./reader.ts";
import { applyEvent, EMPTY_RUN, type RunState } from "./state.ts";

/** Keeps one event and calls `kept` when it is kept, or with the error that prevented it. Must not throw, and keeps the order. */
export type Recorder = (event: RunEvent, kept: (error: BosunError | undefined) => void) => void;

export interface RunLog {
  readonly runId: string;
  /** The fold of all facts so far. */
  readonly state: RunState;
  emit(path: Path, fact: RunFact, attempt?: number): void;
  /** Whether somebody reads now. */
  isRead(): boolean;
  /** A piece of an answer. Costs nothing when nobody reads. */
  delta(path: Path, delta: Pick<RunDelta, "agent" | "channel" | "text">): void;
  /** Facts after `fromSeq`, then live ones with deltas, until run-end. Leaving the loop only detaches. */
  read(fromSeq: number, signal: AbortSignal): AsyncGenerator<RunEvent>;
  /** Resolves when every fact so far is kept. @throws BosunError `store/failed`. */
  flushed(): Promise<void>;
}

/** A log in memory that hands its facts to `record`. */
export function createRunLog(options: {
  readonly runId: string;
  readonly clock: Clock;
  readonly record?: Recorder | undefined;
}): RunLog {
  const { runId, clock, record } = options;
  const facts: RunEvent[] = [];
  const nextOf = createCounter();
  const readers = new Set<Reader>();
  const keeping = createKeeping(() => readers.forEach((reader) => reader.wake()));
  let state = EMPTY_RUN;
  const place = { runId, attempt: 1, n: 0, replayed: false };
  const push = (event: RunEvent): void => readers.forEach((reader) => reader.push(event));

  return {
    runId,
    get state() {
      return state;
    },
    emit(path, fact, attempt = 1) {
      if (state.endedAt !== undefined) return; // L3
      const n = nextOf(`${path.join("/")} ${fact.type} ${attempt}`);
      const event = { ...fact, ...place, path, attempt, n, seq: facts.length + 1, at: clock.now() };
      facts.push(event);
      state = applyEvent(state, event);
      push(event);
      if (record) record(event, (error) => keeping.kept(error));
      else keeping.kept(undefined);
    },
    isRead: () => readers.size > 0,
    delta(path, delta) {
      if (readers.size === 0 || state.endedAt !== undefined) return;
      push({ type: "model-delta", ...delta, ...place, path, seq: facts.length, at: clock.now() });
    },
    async *read(fromSeq, signal) {
      if (state.endedAt !== undefined && fromSeq >= facts.length) return;
      const reader = createReader(facts.slice(fromSeq));
      readers.add(reader);
      try {
        for (;;) {
          const event = await reader.next((next) => isKept(next, keeping.count()), signal);
          keeping.throwIfFailed();
          yield event;
          if (event.type === "run-end") return;
        }
      } finally {
        readers.delete(reader);
      }
    },
    flushed: () => keeping.reach(facts.length),
  };
}

/** L1 for facts; deltas are never kept and only stay in order (L2). */
function isKept(event: RunEvent, keptCount: number): boolean {
  return event.type === "model-delta" || event.seq <= keptCount;
}

/** How many facts are kept, and whether keeping failed. */
type Keeping = {
  kept(error: BosunError | undefined): void;
  count(): number;
  throwIfFailed(): void;
  reach(count: number): Promise<void>;
};

function createKeeping(onKept: () => void): Keeping {
  let count = 0;
  let failure: BosunError | undefined;
  const waiting = new Set<{ readonly target: number; readonly resolve: () => void }>();
  const throwIfFailed = (): void => {
    if (failure) throw failure;
  };
  return {
    count: () => count,
    throwIfFailed,
    kept(error) {
      failure ??= error;
      count++;
      onKept();
      for (const waiter of waiting) {
        if (count < waiter.target) continue;
        waiting.delete(waiter);
        waiter.resolve();
      }
    },
    async reach(target) {
      if (count < target) await new Promise<void>((resolve) => waiting.add({ target, resolve }));
      throwIfFailed();
    },
  };
}

/** Numbers equal keys from 0. */
function createCounter(): (key: string) => number {
  const counts = new Map<string, number>();
  return (key) => {
    const n = counts.get(key) ?? 0;
    counts.set(key, n + 1);
    return n;
  };
}
