// The journal of one execution of a run: gives what earlier executions kept, keeps what this one brings.
//
// Invariants
//   J3  A body gets nothing that is not kept (only then would it come again).
//   J4  After `stop` nothing more is kept, and nothing more begins.

import { strict as assert } from "node:assert";
import type { Blobs } from "../../../blob.ts";
import { type Clock, systemClock } from "../../../clock.ts";
import { type BosunError, isBosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import { isSuspension, type JournalProbe } from "../engine.ts";
import type { Journal, Occurrence } from "../journal.ts";
import { createSignals, type Signals, waitFor } from "../signals.ts";
import type { StepRow, StepTable } from "./step-table.ts";
import { Turns } from "./turns.ts";
import { fromErrorJson, fromStored, type Stored, toErrorJson, toStored } from "./value.ts";
import { type Fence, toLeaseLost, type Writer } from "./writer.ts";

/** What a journal is made of. */
export type JournalParts = {
  readonly clock: Clock;
  readonly writer: Writer;
  readonly table: StepTable;
  readonly blobs: Blobs;
  readonly fence: Fence;
  readonly maxStepMs: number;
  /** Of earlier executions. */
  readonly kept: readonly StepRow[];
  readonly probe: JournalProbe | undefined;
  /** A wait or a sleep has begun. */
  readonly onPause: () => void;
  /** Notes a blob of the run. */
  readonly noteBlob: (stored: Stored) => void;
  /** The journal cannot go on: its file fails, or the run is another process's. */
  readonly onLost: (error: BosunError) => void;
};

/** How long a step runs before it is noted that it has been begun: a shorter one costs no further write. */
export const NOTE_AFTER_MS = 50;

/**
 * How long the run is this process's for sure after a commit: shorter than any lease. A process that stood still for longer looks
 * before it begins something, or it would execute again what another one has kept meanwhile.
 */
const SURE_MS = 100;

/** Before the names of waits, which are the root run's. */
const WAIT = "wait:";

type Begun = { readonly begun: number; readonly at: number; isNoted: boolean };

export class SqliteJournal implements Journal {
  readonly signals: Signals = createSignals();
  readonly maxStepMs: number;
  /** Keys that a body has asked for. */
  readonly asked: Set<string> = new Set();
  /** Set where nothing may be done for the first time: what is thrown instead. */
  refuse: ((key: string) => BosunError) | undefined;
  /** How many waits and sleeps are open. */
  pauses = 0;
  readonly #parts: JournalParts;
  readonly #turns: Turns;
  readonly #kept: Map<string, StepRow>;
  readonly #begun = new Map<string, Begun>();
  #seq: number;
  /** When the run was this process's for sure. */
  #heldAt = systemClock.now();
  #stopped: BosunError | undefined;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.maxStepMs = parts.maxStepMs;
    this.#kept = new Map(parts.kept.map((row) => [row.key, row]));
    for (const { key, ok } of parts.kept)
      if (ok !== undefined && key.startsWith(WAIT)) this.signals.close(key.slice(WAIT.length));
    this.#seq = parts.kept.reduce((most, { seq = 0 }) => Math.max(most, seq), 0);
    this.#turns = new Turns(
      parts.clock,
      parts.kept.some(({ ok }) => ok !== undefined),
    );
  }

  /** Whether nothing is done but waiting. */
  get isWaiting(): boolean {
    return this.pauses > 0 && this.#begun.size === 0;
  }

  /** Why it keeps nothing more. */
  get stopped(): BosunError | undefined {
    return this.#stopped;
  }

  get isIdle(): boolean {
    return this.#begun.size === 0;
  }

  /** Begins nothing more, and keeps no failure. */
  stop(error: BosunError): void {
    this.#stopped ??= error;
  }

  step(key: string, work: (begun: number) => Promise<Json | undefined>): Promise<Json | undefined> {
    const row = this.#ask(key);
    if (row?.ok !== undefined) return this.#recall(row);
    const begun = row?.begun ?? 0;
    return new Promise((resolve, reject) =>
      this.#turns.begin(() => {
        const refusal = this.#refusal(key);
        if (refusal) return reject(refusal);
        const at = this.#parts.clock.now();
        this.#begun.set(key, { begun: begun + 1, at, isNoted: false });
        this.#parts.probe?.("begun", key);
        work(begun).then(
          (value) => this.#keep(key, { value }).then(resolve, reject),
          (error: unknown) => this.#keep(key, { error }).then(resolve, reject),
        );
      }),
    );
  }

  async sleep(key: string, ms: number, signal: AbortSignal): Promise<void> {
    const name = `sleep:${key}`;
    const row = this.#ask(name);
    if (row?.ok !== undefined) return void (await this.#recall(row));
    const until = this.#until(name, row, ms);
    await this.#pause(
      name,
      (clock) => clock.sleep(Math.max(0, until - clock.now()), signal),
      signal,
    );
  }

  async wait(name: string, timeoutMs: number, signal: AbortSignal): Promise<Json | undefined> {
    const key = `${WAIT}${name}`;
    const row = this.#ask(key);
    if (row?.ok !== undefined) return this.#recall(row);
    const until = this.#until(key, row, timeoutMs);
    return this.#pause(
      key,
      (clock) => {
        const left = Math.max(0, until - clock.now());
        return waitFor(this.signals, { name, timeoutMs: left, clock, signal });
      },
      signal,
    );
  }

  occurrence(key: string, deliver: () => void): Occurrence {
    const name = `limit:${key}`;
    const row = this.#ask(name);
    let isOver = false;
    const once = (): void => {
      if (!isOver) deliver();
    };
    const takeBack = row?.seq === undefined ? undefined : this.#turns.recall(row.seq, once);
    return {
      happened: () => void this.#keep(name, { value: undefined }).then(once, () => undefined), // onLost tells it
      [Symbol.dispose]: () => {
        isOver = true;
        takeBack?.();
      },
    };
  }

  readonly hold = (work: Promise<unknown>): void => this.#turns.hold(work);

  /** Notes steps that have been running for a while, so that a later execution knows that they were begun. */
  noteBegun(): void {
    const { clock, writer, table, fence } = this.#parts;
    for (const [key, one] of this.#begun) {
      if (one.isNoted || one.at > clock.now() - NOTE_AFTER_MS) continue;
      one.isNoted = true;
      const row = { key, begun: one.begun, at: one.at, value: null };
      writer.add({ fence, write: () => table.begin(fence.run, row), kept: this.#lost });
    }
  }

  #ask(key: string): StepRow | undefined {
    assert(
      !this.asked.has(key),
      `run ${this.#parts.fence.runId}: two of its keys are "${key}" in the journal, so that one would get what the other came to. Rename one (invariant D1)`,
    );
    this.asked.add(key);
    return this.#kept.get(key);
  }

  #recall({ key, seq = 0, ok, value }: StepRow): Promise<Json | undefined> {
    return new Promise((resolve, reject) => {
      this.#turns.recall(seq, () => {
        this.#kept.delete(key); // its value may be large, and is asked for once
        try {
          const json = fromStored(value, this.#parts.blobs);
          if (ok) resolve(json);
          else reject(fromErrorJson(json));
        } catch (error) {
          if (isBosunError(error)) this.#lost(error); // no end of the run: the value may be mended
          reject(error);
        }
      });
    });
  }

  /** Why nothing more may begin. */
  #refusal(key: string): BosunError | undefined {
    const refusal = this.#stopped ?? this.refuse?.(key);
    if (refusal) return refusal;
    const now = systemClock.now();
    if (now - this.#heldAt > SURE_MS && !this.#parts.writer.isHeld(this.#parts.fence))
      this.#lost(toLeaseLost(this.#parts.fence.runId));
    this.#heldAt = now;
    return this.#stopped;
  }

  /** When a time is over that began with the first execution's call. */
  #until(key: string, row: StepRow | undefined, ms: number): number {
    const { clock, writer, table, fence } = this.#parts;
    if (row?.value !== undefined && row.value !== null) return Number(row.value);
    const until = clock.now() + ms;
    if (this.refuse) return until;
    const noted = {
      key,
      begun: 1,
      at: clock.now(),
      value: String(Math.min(until, Number.MAX_SAFE_INTEGER)),
    };
    writer.add({ fence, write: () => table.begin(fence.run, noted), kept: this.#lost });
    return until;
  }

  #pause<T extends Json | void | undefined>(
    key: string,
    work: (clock: Clock) => Promise<T>,
    signal: AbortSignal,
  ): Promise<Json | undefined> {
    const { clock } = this.#parts;
    return new Promise((resolve, reject) =>
      this.#turns.begin(() => {
        const refusal = this.#stopped ?? (signal.aborted ? signal.reason : this.refuse?.(key));
        if (refusal) return reject(refusal); // of what was cancelled before it could begin nothing is missing
        this.pauses++;
        this.#parts.onPause();
        const end = (): void => void this.pauses--;
        const pause = work(clock);
        pause.then(end, end);
        pause.then(
          (value) => this.#keep(key, { value: value as Json | undefined }).then(resolve, reject), // `as`: no value is undefined
          (error: unknown) => reject(signal.aborted ? signal.reason : error), // an abort is no outcome of a wait
        );
      }),
    );
  }

  /** Keeps an outcome, and then settles to it in its turn. */
  #keep(
    key: string,
    outcome: { readonly value?: Json | undefined; readonly error?: unknown },
  ): Promise<Json | undefined> {
    const { clock, writer, table, fence, blobs, probe, noteBlob } = this.#parts;
    const { begun, at } = this.#begun.get(key) ?? { begun: 1, at: clock.now() };
    this.#begun.delete(key);
    const isFailed = "error" in outcome;
    if (isFailed && (this.#stopped || isSuspension(outcome.error)))
      return Promise.reject(this.#stopped ?? outcome.error);
    let value: Stored;
    try {
      const what = `run ${fence.runId}: what "${key}" came to`;
      value = toStored(isFailed ? toErrorJson(outcome.error) : outcome.value, what, blobs);
    } catch (error) {
      return isFailed ? Promise.reject(outcome.error) : this.#keep(key, { error });
    }
    probe?.("ended", key);
    const row = { key, seq: ++this.#seq, begun, ok: !isFailed, at, ms: clock.now() - at, value };
    return new Promise((resolve, reject) =>
      writer.add({
        fence,
        write: () => {
          table.keep(fence.run, row);
          noteBlob(value);
        },
        kept: (failure, commit) => {
          if (failure) {
            this.#lost(failure);
            return reject(failure);
          }
          this.#heldAt = systemClock.now();
          probe?.("kept", key);
          this.#turns.deliver(commit, () => {
            if (isFailed) reject(outcome.error);
            else resolve(outcome.value);
          });
        },
      }),
    );
  }

  readonly #lost = (failure: BosunError | undefined): void => {
    if (failure) this.#parts.onLost(failure);
  };
}
