// RunLog: the one channel of a root run. Every child emits into it, readers follow it, a recorder keeps it.
//
// Emitting is synchronous, because a body may await only calls of its Durable. Memory is bounded all the same: facts are bounded
// by the number of steps, and a reader that is slow gets merged deltas, at most one between two facts of a path.
//
// Invariants
//   L1  With a recorder, a fact is yielded only after it was recorded; facts are recorded and yielded in the order of `seq`.
//   L2  Deltas go to live readers only and stay in order with the facts around them.
//   L3  Nothing is accepted after run-end (R3), nor once the run is executed elsewhere (`close`).
//   L4  A fact that an earlier execution stored is not taken again: bodies say again what steps' results tell.

import type { BosunError } from "../../error.ts";
import type { Clock } from "../../clock.ts";
import type { Path } from "../../inference/model/model.ts";
import type { RunDelta, RunEvent, RunFact } from "./event.ts";
import { logWithin } from "./log-within.ts";
import { createReader, type Reader } from "./reader.ts";
import type { RunLog } from "./run-log.ts";
import { applyEvents, EMPTY_RUN, type RunState } from "./state.ts";

export type { RunLog } from "./run-log.ts";

/** Keeps one event and calls `kept` when it is kept, or with the error that prevented it. Must not throw, and keeps the order. */
export type Recorder = (event: RunEvent, kept: (error: BosunError | undefined) => void) => void;

type LogOptions = {
  readonly runId: string;
  readonly clock: Clock;
  readonly record?: Recorder | undefined;
  /** What earlier executions of the run stored, by `seq`: the log begins with it, marked as replayed. */
  readonly stored?: readonly RunEvent[] | undefined;
};

/** A log in memory that hands its facts to `record`. */
export function createRunLog(options: LogOptions): RunLog {
  return new MemoryLog(options);
}

class MemoryLog implements RunLog {
  readonly runId: string;
  readonly place: Path = [];
  readonly replayed: number;
  readonly #clock: Clock;
  readonly #record: Recorder | undefined;
  readonly #facts: RunEvent[] = [];
  readonly #counts = new Map<string, number>();
  readonly #readers = new Set<Reader>();
  readonly #keeping: Keeping | undefined;
  /** The fold of the first `#folded` facts: it is made when somebody asks, or a crew of 1,000 tasks would copy them at each fact. */
  #state = EMPTY_RUN;
  #folded = 0;
  #isEnded = false;
  /** Names of the facts that were stored and have not been said again. */
  #stored: Set<string> | undefined;
  #closed: BosunError | undefined;

  constructor({ runId, clock, record, stored = [] }: LogOptions) {
    this.runId = runId;
    this.replayed = stored.length;
    this.#clock = clock;
    this.#record = record;
    this.#keeping = record && new Keeping(stored.length);
    if (stored.length === 0) return;
    for (const event of stored) this.#facts.push({ ...event, replayed: true });
    this.#stored = new Set(stored.map((event) => `${nameOf(event)} ${event.n}`));
    this.#isEnded = stored.at(-1)?.type === "run-end";
  }

  get state(): RunState {
    if (this.#folded < this.#facts.length) {
      this.#state = applyEvents(this.#state, this.#facts.slice(this.#folded));
      this.#folded = this.#facts.length;
    }
    return this.#state;
  }

  emit(path: Path, fact: RunFact, attempt: number = 1): void {
    if (this.#isEnded) return; // L3
    const key = nameOf({ path, type: fact.type, attempt });
    const n = this.#counts.get(key) ?? 0;
    this.#counts.set(key, n + 1);
    if (this.#stored?.delete(`${key} ${n}`)) return; // L4
    this.#isEnded = fact.type === "run-end";
    const event = this.#placed(fact, { path, attempt, n, seq: this.#facts.length + 1 });
    this.#facts.push(event);
    for (const reader of this.#readers) reader.push(event);
    const keeping = this.#keeping;
    if (keeping)
      this.#record?.(event, (error) => {
        keeping.kept(error);
        for (const reader of this.#readers) reader.wake();
      });
  }

  isRead(): boolean {
    return this.#readers.size > 0;
  }

  delta(path: Path, delta: Pick<RunDelta, "agent" | "channel" | "text">): void {
    if (this.#readers.size === 0 || this.#isEnded) return;
    const place = { path, attempt: 1, n: 0, seq: this.#facts.length };
    const event = this.#placed({ type: "model-delta", ...delta }, place);
    for (const reader of this.#readers) reader.push(event);
  }

  async *read(fromSeq: number, signal: AbortSignal): AsyncGenerator<RunEvent> {
    if (this.#isEnded && fromSeq >= this.#facts.length) return;
    const reader = createReader(this.#facts.slice(fromSeq));
    this.#readers.add(reader);
    try {
      for (;;) {
        const event = await reader.next(
          (next) => this.#isKept(next),
          signal,
          () => this.#closed,
        );
        this.#keeping?.throwIfFailed();
        yield event;
        if (event.type === "run-end") return;
      }
    } finally {
      this.#readers.delete(reader);
    }
  }

  async flushed(): Promise<void> {
    await this.#keeping?.reach(this.#facts.length);
  }

  within(place: Path): RunLog {
    return logWithin(this, place, () => this.#facts);
  }

  close(reason: BosunError): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#closed = reason;
    for (const reader of this.#readers) reader.wake();
  }

  #placed(fact: RunFact, place: Pick<RunEvent, "path" | "attempt" | "n" | "seq">): RunEvent {
    return { ...fact, runId: this.runId, ...place, at: this.#clock.now(), replayed: false };
  }

  /** L1 for facts; deltas are never kept and only stay in order (L2). */
  #isKept(event: RunEvent): boolean {
    if (!this.#keeping || event.type === "model-delta") return true;
    return event.seq <= this.#keeping.count;
  }
}

/** A fact's identity but for its number. */
function nameOf({ path, type, attempt }: Pick<RunEvent, "path" | "type" | "attempt">): string {
  return `${path.join("/")} ${type} ${attempt}`;
}

/** How many facts are kept, and whether keeping failed. */
class Keeping {
  count: number;
  #failure: BosunError | undefined;
  readonly #waiting = new Set<{ readonly target: number; readonly resolve: () => void }>();

  constructor(count: number) {
    this.count = count;
  }

  kept(error: BosunError | undefined): void {
    this.#failure ??= error;
    this.count++;
    for (const waiter of this.#waiting) {
      if (this.count < waiter.target) continue;
      this.#waiting.delete(waiter);
      waiter.resolve();
    }
  }

  throwIfFailed(): void {
    if (this.#failure) throw this.#failure;
  }

  async reach(target: number): Promise<void> {
    if (this.count < target)
      await new Promise<void>((resolve) => this.#waiting.add({ target, resolve }));
    this.throwIfFailed();
  }
}
