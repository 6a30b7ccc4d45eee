// One execution of a run in this process: from the server's call to the run's end, or to the end of the call before it.

import type { WorkflowContext } from "@restatedev/restate-sdk";
import { BosunError, toBosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import { DurableRun } from "../run.ts";
import { fromErrorJson, fromStored, type Stored, toStored } from "../sqlite/value.ts";
import type { EngineParts } from "./engine-parts.ts";
import { type Kept, RestateJournal } from "./journal.ts";
import { fromHeader, META_HEADER, type Meta } from "./meta.ts";
import type { Outcome } from "./outcome.ts";
import { createPlace, type Place } from "./place.ts";
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
      beforeRace: () => this.#place.look(),
      beforeDelivery: () => this.#place.back(),
      awake: (id) =>
        void http
          .ingress(`/restate/awakeables/${id}/resolve`, { method: "POST", body: null })
          .catch(() => undefined), // the server is away, and with it this execution
    });
    this.#place = createPlace(parts, ctx, { meta: this.meta, journal: this.journal });
  }

  get phase(): "queued" | "waiting" | "running" | "interrupted" {
    if (this.#run) return this.journal.isAsleep ? "waiting" : "running";
    return this.#isHeld ? "interrupted" : this.meta.queue === undefined ? "running" : "queued";
  }

  /** Nothing more begins; what is under way may still end. */
  stop(reason: BosunError): void {
    this.journal.stop();
    if (!this.#hasEnded) this.#parts.locals.get(this.runId)?.onSuspend?.(reason);
  }

  /** Ends what this process does of it. The run goes on elsewhere. */
  abandon(reason: BosunError): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.stop(reason);
    this.#run?.abort(reason);
    if (this.#parts.executions.get(this.runId) === this) this.#parts.executions.delete(this.runId);
  }

  /** What the run comes to. @throws an error of the SDK that ends it. */
  async execute(flow: Flow<Json, Json>, { input }: RunInput): Promise<{ readonly value: Stored }> {
    const { sdk, blobs, clock } = this.#parts;
    this.#listen();
    try {
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
      const run = new DurableRun({ clock, journal: this.journal, ...ids, limits });
      this.#run = run;
      const output = await run.execute(flow, fromStored(input, blobs) ?? null);
      return { value: toStored(output, `run ${this.runId}: its output`, blobs) };
    } catch (error) {
      if (this.#hasEnded) throw toBosunError(error, "run/suspended", this.runId); // an execution that is over says nothing
      throw toTerminal(error, sdk);
    } finally {
      if (!this.#hasEnded) this.#place.leave();
      this.#hasEnded = true;
      if (this.#parts.executions.get(this.runId) === this)
        this.#parts.executions.delete(this.runId);
    }
  }

  /** For what ends it from outside: a cancel with its reason, and the end of the server's call. */
  #listen(): void {
    const cancelled = this.#ctx.promise<Stored>(CANCEL).get();
    this.journal.pump.add(cancelled, (settled) => {
      const data = "value" in settled ? fromStored(settled.value, this.#parts.blobs) : undefined;
      this.#cancel(fromErrorJson(data));
    });
    const { attemptCompletedSignal: signal } = this.#ctx.request();
    const ended = new BosunError(
      "run/suspended",
      `the server took run ${this.runId} away from this process: it goes on where the server calls it next`,
      { retryable: true },
    );
    const end = (): void => {
      // A limit that only this process counts goes on being counted: its end wakes the run, wherever it is then.
      if (!this.journal.hasLimits || !this.journal.isIdle) this.abandon(ended);
    };
    if (signal.aborted) end();
    else signal.addEventListener("abort", end, { once: true });
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
  return new Map(fromStored(kept, parts.blobs) as unknown as readonly [string, Outcome][]); // `as`: fork() made it
}
