// The journal of one execution of a run, over the server's: what the body asks becomes a call of the SDK's context, and what comes
// back reaches the body through the pump, in the order of the server's journal.
//
// Invariants
//   K3  The context is called only by the body's own progress, never by timers or sockets: calls have the same order in each execution.
//   K4  After `stop` nothing begins, and no failure is kept: a step that was stopped has no outcome.

import type { WorkflowContext } from "@restatedev/restate-sdk";
import type { Blobs } from "../../../blob.ts";
import type { Clock } from "../../../clock.ts";
import type { Json } from "../../../json.ts";
import { isSuspension, type JournalProbe } from "../engine.ts";
import type { Journal, Occurrence } from "../journal.ts";
import { fromStored, type Stored } from "../sqlite/value.ts";
import { fromOutcome, type Outcome, toOutcome } from "./outcome.ts";
import { Pump, type Pumped, type Settled } from "./pump.ts";
import type { RestateSdk } from "./sdk.ts";

/** What another run kept, by key, and in which place it came: a fork takes it over. */
export type Kept = ReadonlyMap<string, KeptOutcome>;

type KeptOutcome = { readonly place: number; readonly outcome: Outcome };

export type JournalParts = {
  readonly ctx: WorkflowContext;
  readonly sdk: RestateSdk;
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly maxStepMs: number;
  readonly kept: Kept;
  readonly probe: JournalProbe | undefined;
  readonly runId: string;
  readonly onCancelled: () => void;
  readonly onOutOfTurn: () => void;
  readonly beforeRace: () => void;
  readonly beforeDelivery: () => Promise<void>;
  /** Completes an awakeable of this run, from anywhere. */
  readonly awake: (id: string) => void;
};

/** The answer of a wait whose time is over. */
export const CLOSED = "closed";

/** The longest sleep that the server is asked for: about a hundred years. */
const MAX_SLEEP_MS = 3_000_000_000_000;
/** From where on a sleep counts as waiting: a shorter one keeps its place in the queue. */
const LONG_SLEEP_MS = 5_000;
const NEVER = new Promise<never>(() => undefined);

export class RestateJournal implements Journal {
  readonly maxStepMs: number;
  /** What was given to the run, or cannot be given any more, as far as this execution knows. */
  readonly answered: Set<string> = new Set();
  readonly pump: Pump;
  readonly #parts: JournalParts;
  /** Steps that the body has asked for and not got. */
  #steps = 0;
  /** Waits, and sleeps that count as such. */
  #waits = 0;
  /** Waits for somebody alone. */
  #answers = 0;
  /** Sleeps too short to count. */
  #naps = 0;
  /** Steps whose functions run in this process. */
  #executing = 0;
  #isStopped = false;
  #isForgotten = false;

  constructor(parts: JournalParts) {
    this.#parts = parts;
    this.maxStepMs = parts.maxStepMs;
    const { sdk, onCancelled, onOutOfTurn, beforeRace, beforeDelivery } = parts;
    this.pump = new Pump({ sdk, onCancelled, onOutOfTurn, beforeRace, beforeDelivery });
  }

  /** Whether nothing is done but waiting for somebody or for a long time. The same at the same place of each execution. */
  get isWaiting(): boolean {
    return this.#waits > 0 && this.#steps === 0 && this.#naps === 0;
  }

  /** Whether nothing is done but sleeping: its time limits run on. While it waits for somebody they stand still. */
  get isSleeping(): boolean {
    return this.#waits + this.#naps > 0 && this.#answers === 0 && this.#steps === 0;
  }

  /** Whether nothing is done but waiting or sleeping. */
  get isAsleep(): boolean {
    return this.#waits + this.#naps > 0 && this.#steps === 0;
  }

  get isIdle(): boolean {
    return this.#executing === 0;
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Another execution has begun, which counts the limits now. */
  forget(): void {
    this.#isForgotten = true;
  }

  step(key: string, work: (begun: number) => Promise<Json | undefined>): Promise<Json | undefined> {
    const before = this.#parts.kept.get(key);
    if (before) return this.#recall(before);
    const { ctx, blobs, probe } = this.#parts;
    const live: { failure?: { readonly error: unknown } } = {};
    let isLive = false;
    const execute = async (): Promise<Outcome> => {
      isLive = true;
      return this.#execute(key, work, live);
    };
    this.#steps++;
    return new Promise((resolve, reject) => {
      this.pump.add(ctx.run(key, execute), (settled) => {
        this.#steps--;
        if (isLive) {
          this.#executing--;
          probe?.("kept", key);
        }
        try {
          if (live.failure) reject(live.failure.error);
          else resolve(fromOutcome(valueOf(settled), blobs));
        } catch (error) {
          reject(error);
        }
      });
    });
  }

  async sleep(key: string, ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const before = this.#parts.kept.get(`sleep:${key}`);
    if (before) return void (await this.#recall(before, signal));
    const { ctx } = this.#parts;
    const isNap = ms < LONG_SLEEP_MS;
    if (isNap) this.#naps++;
    else this.#waits++;
    try {
      await this.#paused(signal, (settle) => {
        const sleep = ctx.sleep(Math.min(Math.max(0, ms), MAX_SLEEP_MS), key);
        return [this.pump.add(sleep, settle)];
      });
    } finally {
      if (isNap) this.#naps--;
      else this.#waits--;
    }
  }

  async wait(name: string, timeoutMs: number, signal: AbortSignal): Promise<Json | undefined> {
    signal.throwIfAborted();
    const { kept, blobs } = this.#parts;
    const before = kept.get(`wait:${name}`);
    if (before) {
      this.answered.add(name);
      return this.#recall(before, signal);
    }
    this.#waits++;
    this.#answers++;
    try {
      const answer = await this.#answer(name, Math.min(timeoutMs, MAX_SLEEP_MS), signal);
      this.answered.add(name);
      return answer === CLOSED ? undefined : fromStored(answer.value, blobs);
    } finally {
      this.#waits--;
      this.#answers--;
    }
  }

  occurrence(_key: string, deliver: () => void): Occurrence {
    const { ctx, awake } = this.#parts;
    let isOver = false;
    const end = (): void => void (isOver = true);
    const awakeable = ctx.awakeable<null>();
    const onEnd = (): void => {
      if (isOver) return;
      end();
      deliver();
    };
    const pumped = this.pump.add(awakeable.promise, onEnd, { isBackground: true });
    return {
      happened: () => void (isOver || this.#isForgotten || awake(awakeable.id)),
      [Symbol.dispose]: () => {
        end();
        pumped.drop();
      },
    };
  }

  hold(work: Promise<unknown>): void {
    this.pump.hold(work);
  }

  /** What a fork has taken over, in its turn; the signal's reason as soon as it aborts. */
  async #recall({ place, outcome }: KeptOutcome, signal?: AbortSignal): Promise<Json | undefined> {
    this.#steps++;
    try {
      await this.#paused<null>(signal, (settle) => [
        this.pump.recall(place, () => settle({ value: null })),
      ]);
    } finally {
      this.#steps--;
    }
    return fromOutcome(outcome, this.#parts.blobs);
  }

  /** Calls the step's function, and makes data of what it comes to. */
  async #execute(
    key: string,
    work: (begun: number) => Promise<Json | undefined>,
    live: { failure?: { readonly error: unknown } },
  ): Promise<Outcome> {
    const { clock, blobs, probe, runId } = this.#parts;
    if (this.#isStopped) return NEVER;
    const at = clock.now();
    this.#executing++;
    probe?.("begun", key);
    let ended: { readonly value: Json | undefined } | { readonly error: unknown };
    try {
      ended = { value: await work(0) };
    } catch (error) {
      if (this.#isStopped || isSuspension(error)) {
        this.#executing--;
        return NEVER;
      }
      live.failure = { error };
      ended = { error };
    }
    const times = { at: Math.round(at), ms: Math.round((clock.now() - at) * 1_000) / 1_000 };
    const what = `run ${runId}: what "${key}" came to`;
    let outcome: Outcome;
    try {
      outcome = toOutcome(ended, times, { what, blobs });
    } catch (error) {
      outcome = toOutcome({ error }, times, { what, blobs });
    }
    probe?.("ended", key);
    return outcome;
  }

  /** What is given under the name; CLOSED once its time is over and nothing can be given any more. */
  #answer(
    name: string,
    timeoutMs: number,
    signal: AbortSignal,
  ): Promise<{ readonly value: Stored } | typeof CLOSED> {
    const { ctx } = this.#parts;
    const promise = ctx.promise<{ readonly value: Stored } | typeof CLOSED>(`wait:${name}`);
    return this.#paused(signal, (settle) => {
      const given = this.pump.add(promise.get(), (settled) => {
        time.drop();
        settle(settled);
      });
      // Closing it fails when something was given meanwhile: then `given` brings that.
      const time = this.pump.add(ctx.sleep(timeoutMs, `wait:${name}`), () => {
        const closing = promise.resolve(CLOSED) as ReturnType<typeof ctx.sleep>; // `as`: the SDK gives one that can be raced
        closed = this.pump.add(closing, () => undefined);
      });
      let closed: Pumped | undefined;
      return [given, time, { drop: () => closed?.drop() }];
    });
  }

  /** What `begin` settles to; the signal's reason as soon as it aborts. */
  #paused<T>(
    signal: AbortSignal | undefined,
    begin: (settle: (settled: Settled<T>) => void) => readonly Pumped[],
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        for (const one of pumped) one.drop();
        reject(signal?.reason);
      };
      const pumped = begin((settled) => {
        signal?.removeEventListener("abort", onAbort);
        if ("error" in settled) reject(settled.error);
        else resolve(settled.value);
      });
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

function valueOf<T>(settled: Settled<T>): T {
  if ("error" in settled) throw settled.error;
  return settled.value;
}
