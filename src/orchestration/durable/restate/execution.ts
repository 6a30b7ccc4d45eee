// One execution of a run in this process: from the server's call to the run's end, or to the end of the call before it.

import type { WorkflowContext } from "@restatedev/restate-sdk";
import { BosunError, messageOf, toBosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import { isSuspension } from "../engine.ts";
import { DurableRun } from "../run.ts";
import { fromErrorJson, fromStored, type Stored, toStored } from "../sqlite/value.ts";
import type { EngineParts } from "./engine-parts.ts";
import { type Kept, RestateJournal } from "./journal.ts";
import { fromHeader, META_HEADER, type Meta } from "./meta.ts";
import type { Outcome } from "./outcome.ts";
import { createPlace, type Place } from "./place.ts";
import type { Settled } from "./pump.ts";
import { toTerminal } from "./terminal.ts";

/** What a run is started with. `kept` = what a fork takes over, as JSON text of its entries. */
export type RunInput = { readonly input: Stored; readonly kept?: Stored | undefined };

/** Names of promises of a run that are not waits. */
export const CANCEL = "cancel";
export const GO = "go";

export class Execution {
  readonly runId: string;
  readonly service: string;
  readonly meta: Meta;
  readonly journal: RestateJournal;
  readonly #parts: EngineParts;
  readonly #ctx: WorkflowContext;
  readonly #place: Place;
  #run: DurableRun | undefined;
  #cancelled: { readonly error: Error } | undefined;
  #hasEnded = false;
  #isHeld = false;
  #isSuspended = false;
  /** Rejects when the body can come to no end. */
  readonly #broken = Promise.withResolvers<never>();
  /** Why the run does not end here, though its body has. */
  #givenBack: BosunError | undefined;

  constructor(parts: EngineParts, ctx: WorkflowContext, kept: Kept) {
    const { sdk, clock, blobs, maxStepMs, probe, http } = parts;
    this.#parts = parts;
    this.#ctx = ctx;
    this.runId = ctx.key;
    this.service = ctx.request().target.service;
    this.meta = fromHeader(ctx.request().headers.get(META_HEADER) ?? "");
    this.journal = new RestateJournal({
      ctx,
      sdk,
      clock,
      blobs,
      maxStepMs,
      kept,
      probe,
      runId: ctx.key,
      onCancelled: () =>
        this.#cancel(new BosunError("run/cancelled", `the server cancelled run ${ctx.key}`)),
      onOutOfTurn: () => this.#outOfTurn(),
      beforeRace: () => this.#place.look(),
      beforeDelivery: () => this.#place.back(),
      awake: (id) =>
        void http
          .ingress(`/restate/awakeables/${id}/resolve`, { method: "POST", body: null })
          .catch(() => undefined), // the server is away, and with it this execution
    });
    this.#place = createPlace(parts, ctx, { meta: this.meta, journal: this.journal });
    this.#broken.promise.catch(() => undefined); // raced below, unless it has ended
  }

  get phase(): "queued" | "waiting" | "running" | "interrupted" {
    if (this.#run) return this.journal.isAsleep ? "waiting" : "running";
    return this.#isHeld ? "interrupted" : this.meta.queue === undefined ? "running" : "queued";
  }

  /** Nothing more begins; what is under way may still end. */
  stop(reason: BosunError): void {
    this.journal.stop();
    if (this.#hasEnded || this.#givenBack) return;
    this.#givenBack = reason;
    this.#parts.onSuspend(this.runId, reason);
  }

  /** Ends what this process does of it. The run goes on elsewhere. */
  abandon(reason: BosunError): void {
    if (this.#hasEnded) return;
    this.stop(reason);
    this.#end();
    this.#run?.abort(reason);
    this.#broken.reject(reason); // a step that was stopped has no outcome: its body may wait for ever
  }

  /** Lets it stand as it is: the server has suspended the run, and its body gets nothing more. Another execution has begun. */
  forget(reason: BosunError): void {
    if (!this.#isSuspended) return this.abandon(reason);
    this.journal.forget();
    this.#end();
  }

  /** What the run comes to. @throws an error of the SDK that ends it. */
  async execute(flow: Flow<Json, Json>, { input }: RunInput): Promise<{ readonly value: Stored }> {
    const { sdk, blobs, locals } = this.#parts;
    const { prepare, settle } = locals.get(this.runId) ?? {};
    try {
      await this.#orGivenBack(prepare);
      this.#listen();
      const body = Promise.race([
        this.#execute(flow, fromStored(input, blobs) ?? null),
        this.#broken.promise,
      ]);
      await body.catch(() => undefined); // it is thrown below, once that is settled
      await this.#orGivenBack(settle);
      const output = await body;
      return { value: toStored(output, `run ${this.runId}: its output`, blobs) };
    } catch (error) {
      // An execution that is over says nothing: the server calls again.
      if (isSuspension(error)) this.stop(error); // nothing here can execute it: it is for whoever resumes it
      if (this.#givenBack) throw toBosunError(error, "run/suspended", this.runId);
      throw toTerminal(error, sdk);
    } finally {
      if (!this.#givenBack) {
        this.#place.leave();
        locals.delete(this.runId);
      }
      this.#end();
    }
  }

  async #execute(flow: Flow<Json, Json>, input: Json): Promise<Json> {
    if (this.meta.isHeld) await this.#held();
    await this.#place.take(() => this.#cancelled !== undefined);
    if (this.#cancelled) throw this.#cancelled.error; // it never begins
    const { timeoutMs, timeoutError } = this.meta;
    const ids = { runId: this.runId, rootId: this.runId };
    const limits = {
      timeoutMs,
      timeoutError:
        timeoutError === undefined ? undefined : (): Error => fromErrorJson(timeoutError),
    };
    const { clock } = this.#parts;
    const run = new DurableRun({ clock, journal: this.journal, ...ids, limits });
    this.#run = run;
    return run.execute(flow, input);
  }

  /** What the caller wants done first or last: where that fails, the run is given back. */
  async #orGivenBack(work: (() => Promise<void>) | undefined): Promise<void> {
    if (this.#givenBack) return;
    await work?.().catch((cause: unknown) => {
      const why = `run ${this.runId} is given back: ${messageOf(cause)}`;
      this.stop(new BosunError("run/suspended", why, { retryable: true, cause }));
      throw cause;
    });
  }

  #end(): void {
    this.#hasEnded = true;
    if (this.#parts.executions.get(this.runId) === this) this.#parts.executions.delete(this.runId);
  }

  /** For what ends it from outside: a cancel with its reason, and the end of the server's call. */
  #listen(): void {
    const cancelled = this.#ctx.promise<Stored>(CANCEL).get();
    const onCancel = (settled: Settled<Stored>): void => {
      const data = "value" in settled ? fromStored(settled.value, this.#parts.blobs) : undefined;
      this.#cancel(fromErrorJson(data));
    };
    this.journal.pump.add(cancelled, onCancel, { isBackground: true });
    const { attemptCompletedSignal: signal } = this.#ctx.request();
    const ended = new BosunError(
      "run/suspended",
      `the server took run ${this.runId} away from this process: it goes on where the server calls it next`,
      { retryable: true },
    );
    const end = (): void => {
      if (this.#hasEnded) return;
      // The server has sent a run to sleep that sleeps: its time limits are counted here all the same, and their end wakes it.
      this.#isSuspended = this.journal.isSleeping && this.#givenBack === undefined;
      if (!this.#isSuspended) this.abandon(ended);
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
  }

  /** The body has awaited something else than its Durable: in another execution it would do other things at this place. */
  #outOfTurn(): void {
    if (this.#givenBack) return;
    const error = new BosunError(
      "run/nondeterministic",
      `the body of run ${this.runId} began something after it had awaited what is not of its Durable: put that into a step`,
    );
    this.#run?.abort(error);
    this.#broken.reject(error); // what it began is not seen by the race under way: it would be waited for in vain
  }

  #cancel(error: Error): void {
    this.#cancelled ??= { error };
    this.#run?.abort(error);
    this.#place.letGo();
  }

  /** A fork waits until it is resumed. */
  async #held(): Promise<void> {
    this.#isHeld = true;
    await new Promise<void>((resolve) => {
      const go = this.#ctx.promise<null>(GO).get();
      this.journal.pump.add(go, () => resolve());
      this.#place.onLetGo(resolve);
    });
    this.#isHeld = false;
  }
}

/** The kept outcomes that a fork brings. */
export function readKept({ kept }: RunInput, parts: Pick<EngineParts, "blobs">): Kept {
  if (kept === undefined || kept === null) return new Map();
  const entries = fromStored(kept, parts.blobs) as unknown as readonly [string, Outcome][]; // `as`: fork() made it
  return new Map(entries.map(([key, outcome], place) => [key, { place, outcome }]));
}
