// One execution of a run in this process: its body over its journal, from its beginning to its end, to a suspension, or to the loss of
// its lease.

import { BosunError, isBosunError, toBosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import { type ExecuteOptions, isSuspension } from "../engine.ts";
import { DurableRun } from "../run.ts";
import type { EngineParts } from "./engine-parts.ts";
import { SqliteJournal } from "./journal.ts";
import { checkReplay } from "./replay-check.ts";
import type { RunRow } from "./run-table.ts";
import type { SignalRow } from "./signal-table.ts";
import type { StepRow } from "./step-table.ts";
import { blobOf, fromStored, type Stored, toErrorJson, toStored } from "./value.ts";
import type { Fence } from "./writer.ts";

/** What is executed, and what earlier executions kept. */
export type Executing = {
  readonly row: Pick<RunRow, "id" | "runId" | "input" | "cancelled" | "queue" | "timeoutMs">;
  readonly fence: number;
  readonly flow: Flow<Json, Json>;
  readonly kept: readonly StepRow[];
  readonly signals: readonly SignalRow[];
  readonly options: ExecuteOptions;
};

export class Execution {
  readonly runId: string;
  readonly queue: string | undefined;
  readonly journal: SqliteJournal;
  /** Settles once the end is kept. */
  readonly result: Promise<Json>;
  readonly #parts: EngineParts;
  readonly fence: Fence;
  readonly #run: DurableRun;
  readonly #onSuspend: ExecuteOptions["onSuspend"];
  #isWaiting = false;

  constructor(parts: EngineParts, executing: Executing) {
    const { row, fence, flow, kept, options } = executing;
    const { clock, writer, steps: table, blobs, probe } = parts;
    const maxStepMs = Math.max(parts.maxStepMs, flow.maxStepMs ?? 0);
    this.#parts = parts;
    this.runId = row.runId;
    this.queue = row.queue;
    this.fence = { run: row.id, fence, runId: row.runId };
    const noteBlob = (stored: Stored): void => parts.noteBlob(row.id, stored);
    const onLost = (error: BosunError): void => this.abort(error);
    const onPause = (): void => this.look(); // that it waits is known before anybody hears of it
    const shared = { clock, writer, table, blobs, probe, maxStepMs, noteBlob, onLost, onPause };
    this.journal = new SqliteJournal({ ...shared, fence: this.fence, kept });
    const { timeoutMs = row.timeoutMs, timeoutError } = options;
    const ids = { runId: row.runId, rootId: row.runId };
    this.#run = new DurableRun({
      clock,
      journal: this.journal,
      ...ids,
      limits: { timeoutMs, timeoutError },
    });
    this.#onSuspend = options.onSuspend;
    for (const { name, value } of executing.signals)
      this.journal.signals.give(name, fromStored(value, blobs) ?? null);
    if (row.cancelled !== undefined) this.cancel(row.cancelled);
    this.result = this.#execute(executing);
    this.result.catch(() => undefined); // whoever asks for the result gets it
  }

  get isWaiting(): boolean {
    return this.journal.isWaiting;
  }

  cancel(reason: string): void {
    this.#run.abort(new BosunError("run/cancelled", reason));
  }

  /** Whether no step is under way. */
  get isIdle(): boolean {
    return this.journal.isIdle;
  }

  /** Nothing more begins; what is under way may still end, and is kept. */
  stop(reason: BosunError): void {
    if (this.journal.stopped) return;
    this.#isWaiting = this.isWaiting; // that it waits is seen in whoever has it next, and the abort ends the wait
    this.journal.stop(reason);
    this.#onSuspend?.(reason);
  }

  /** Ends the execution; the run goes on elsewhere. */
  abort(reason: BosunError): void {
    this.stop(reason);
    this.#run.abort(reason);
  }

  /** What is looked at now and then: steps that take long, and whether the run waits. */
  look(): void {
    this.journal.noteBegun();
    if (this.isWaiting === this.#isWaiting) return;
    this.#isWaiting = this.isWaiting;
    const phase = this.isWaiting ? "waiting" : "running";
    const { writer, runs } = this.#parts;
    const write = (): void => runs.setPhase(this.fence.run, phase);
    writer.add({ fence: this.fence, write, kept: () => undefined });
  }

  async #execute(executing: Executing): Promise<Json> {
    const { row, flow, options } = executing;
    const { signal, prepare } = options;
    const abort = (): void => {
      const reason: unknown = signal?.reason;
      if (isSuspension(reason)) this.abort(reason);
      else this.#run.abort(reason);
    };
    if (signal?.aborted) abort();
    else signal?.addEventListener("abort", abort, { once: true });
    let ended: { readonly value: Json } | { readonly error: unknown };
    try {
      await prepare?.().catch((error: unknown) => {
        this.stop(
          new BosunError("run/suspended", `run ${this.runId} could not go on here`, {
            cause: error,
          }),
        );
        throw error;
      });
      const input = fromStored(row.input, this.#parts.blobs) ?? null;
      ended = { value: await this.#run.execute(flow, input) };
    } catch (error) {
      ended = { error };
    } finally {
      signal?.removeEventListener("abort", abort);
    }
    await this.#settled(options);
    await this.#keepEnd(ended);
    if ("error" in ended) throw ended.error;
    if (this.#parts.checkReplay) await checkReplay(this.#parts, { row, flow, output: ended.value });
    return ended.value;
  }

  /** What the host has to do before the end counts. */
  async #settled({ settle }: ExecuteOptions): Promise<void> {
    if (this.journal.stopped) return;
    await settle?.().catch((cause: unknown) => {
      const why = `run ${this.runId} could not end here`;
      this.stop(isBosunError(cause) ? cause : new BosunError("run/suspended", why, { cause }));
    });
  }

  async #keepEnd(ended: { readonly value: Json } | { readonly error: unknown }): Promise<void> {
    const { runs, clock, blobs } = this.#parts;
    const { run: id } = this.fence;
    const lost = this.journal.stopped;
    if (lost || ("error" in ended && isSuspension(ended.error))) {
      // Given back: whoever takes it next goes on with what is kept.
      const phase = this.#isWaiting ? "waiting" : "interrupted";
      await this.#write(() => runs.release(id, phase)).catch(() => undefined); // its lease runs out then
      // Of what made it stop here; a failure of the file says itself what to do.
      if (lost) throw lost.code === "run/suspended" ? (lost.cause ?? lost) : lost;
      return;
    }
    const endedAt = clock.now();
    if ("error" in ended) {
      const failure = toBosunError(ended.error, "run/failed", `run ${this.runId}`);
      const phase = failure.code === "run/cancelled" ? "cancelled" : "failed";
      const error = toStored(
        toErrorJson(isBosunError(ended.error) ? failure : ended.error),
        "an error",
        blobs,
      );
      return this.#write(() => runs.end(id, { phase, output: null, error, endedAt }));
    }
    const output = toStored(ended.value, `run ${this.runId}: its output`, blobs);
    await this.#write(() => {
      if (blobOf(output) !== undefined) this.#parts.noteBlob(id, output);
      runs.end(id, { phase: "done", output, error: null, endedAt });
    });
  }

  #write(write: () => void): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const kept = (error: BosunError | undefined): void => (error ? reject(error) : resolve());
    this.#parts.writer.add({ fence: this.fence, write, kept });
    return promise;
  }
}
