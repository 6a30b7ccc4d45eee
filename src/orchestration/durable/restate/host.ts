// What this process does for runs: starts them, executes them as a worker, waits for what they come to, gives them back.

import { until } from "../../../clock.ts";
import { BosunError, isBosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import {
  type ExecuteOptions,
  isSuspension,
  type RunHandle,
  type ServeOptions,
  type StartOptions,
} from "../engine.ts";
import { toErrorJson, toStored } from "../sqlite/value.ts";
import { callQueue, cancel, go, moveTo, submit } from "./control.ts";
import type { EngineParts } from "./engine-parts.ts";
import { checkRunId } from "./fork.ts";
import type { Meta } from "./meta.ts";
import { serviceOf } from "./name.ts";
import { findRun, type RunRow } from "./query.ts";
import { readResult } from "./result.ts";
import { createServing, takeOver } from "./serving.ts";
import { createWorker, type Listen, type Worker } from "./worker.ts";

export type HostOptions = {
  readonly listen: Listen;
  readonly isWorker: boolean;
  readonly pollMs: number;
  readonly serverId: string;
};

type Target = Pick<RunRow, "service" | "id">;

/** Between two looks whether runs that are waited for here have lost their worker, and how many are looked at. */
const LOST_LOOK_MS = 2_000;
const MOST_LOOKED = 1_000;
/** Between two looks whether the steps of a run that is given back have ended. */
const GRACE_LOOK_MS = 10;

export class Host {
  readonly #parts: EngineParts;
  readonly #options: HostOptions;
  readonly #worker: Worker;
  readonly #closing = new AbortController();
  /** Ends what waits here for the result of a run. */
  readonly #readers = new Map<string, AbortController>();
  /** Runs that this process has given back: it executes them no more. */
  readonly #givenBack = new Map<string, BosunError>();
  #stopped: BosunError | undefined;
  #serving: ServeOptions | undefined;
  #isLooking = false;

  constructor(parts: EngineParts, options: HostOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#worker = createWorker(parts, options.listen);
  }

  /** Listens and is registered, where this process is a worker. */
  async ready(): Promise<string | undefined> {
    this.#closing.signal.throwIfAborted();
    return this.#options.isWorker ? this.#worker.ready() : undefined;
  }

  async start(
    flow: Flow<never, Json>,
    input: Json,
    options: StartOptions,
  ): Promise<RunHandle<Json>> {
    const { id, queue, priority = 0, tenant, delayMs = 0 } = options;
    checkRunId(id);
    const stored = toStored(input, `the input of run ${id}`, this.#parts.blobs);
    await this.ready();
    const target = { service: serviceOf(flow), id };
    if (queue !== undefined) await this.#put(queue, { ...target, priority, tenant, delayMs });
    this.#parts.locals.set(id, options);
    const isNew = await submit(this.#parts, target, {
      meta: metaOf(options),
      body: { input: stored },
      delayMs: queue === undefined ? 0 : delayMs,
    });
    if (!isNew && queue !== undefined) await this.#unput(queue, id);
    this.#follow(target, options);
    return this.handle(target);
  }

  /** @throws BosunError `run/owned`, `run/version`, `run/ended`. */
  async resume(row: RunRow, options: ExecuteOptions): Promise<RunHandle<Json>> {
    const { id, record, status } = row;
    if (record.endedAt !== undefined)
      throw new BosunError(
        "run/ended",
        `run ${id} has ended (${record.phase}): there is nothing to resume`,
      );
    const isHeld = row.meta.isHeld === true && record.phase === "interrupted";
    if (status === "running" && !isHeld)
      throw new BosunError("run/owned", `run ${id} is executed by another process`, {
        retryable: true,
      });
    if (!this.#parts.flows.has(`${record.flow}@${record.version}`))
      throw new BosunError(
        "run/version",
        `run ${id} began with ${record.flow}@${record.version}, which this process does not have`,
      );
    const deployment = await this.ready();
    this.#givenBack.delete(id);
    this.#parts.locals.set(id, options);
    if (deployment !== undefined && status !== "running") {
      await this.#worker.again(); // a call that is pinned nowhere goes to the worker that was registered last
      await moveTo(this.#parts, row, deployment);
    }
    if (isHeld) await go(this.#parts, row);
    this.#follow(row, options);
    this.#limit(row, options);
    return this.handle(row);
  }

  handle(target: Target): RunHandle<Json> {
    return {
      id: target.id,
      result: (signal) => {
        const result = this.#attach(target);
        return signal ? until(result, signal) : result;
      },
    };
  }

  /** Why this process does not execute the run. */
  refusal(runId: string): BosunError | undefined {
    return this.#stopped ?? this.#givenBack.get(runId);
  }

  /** This process stops executing a run, whose readers are told where they have asked to be. */
  noteSuspended(runId: string, reason: BosunError): void {
    const local = this.#parts.locals.get(runId);
    if (!local?.onSuspend) return this.#serving?.onSuspend?.(runId, reason);
    local.onSuspend(reason);
    this.#parts.locals.delete(runId);
    const readers = this.#readers.get(runId);
    this.#readers.delete(runId);
    readers?.abort(reason);
  }

  async serve(options: ServeOptions, signal: AbortSignal): Promise<void> {
    if (this.#serving)
      throw new BosunError("usage", "this engine serves already: one `serve` at a time");
    this.#serving = options;
    const { serverId, pollMs } = this.#options;
    const serving = createServing(this.#parts, { serverId, worker: this.#worker, options });
    const either = AbortSignal.any([signal, this.#closing.signal]);
    try {
      await this.#worker.ready();
      while (!either.aborted) {
        await serving.look().catch((error: unknown) => {
          // A server that is away for a moment: the next look tells.
          if (!isBosunError(error) || error.code !== "store/failed") throw error;
        });
        await this.#parts.clock.sleep(pollMs, either).catch(() => undefined); // the abort is its end
      }
    } finally {
      this.#serving = undefined;
      if (!this.#closing.signal.aborted) await serving.end();
    }
  }

  async suspend(graceMs: number): Promise<void> {
    const reason = new BosunError(
      "run/suspended",
      "this process gives its runs back. Another one can go on with them: `bosun runs resume`",
      { retryable: true },
    );
    this.#stopped ??= reason;
    const { clock, executions } = this.#parts;
    const all = [...executions.values()];
    for (const execution of all) execution.stop(reason);
    const endsAt = clock.now() + graceMs;
    while (clock.now() < endsAt && all.some(({ journal }) => !journal.isIdle))
      await clock.sleep(GRACE_LOOK_MS, LIVE);
    for (const execution of all) execution.abandon(reason);
    this.#closing.abort(reason);
    await this.#worker.close();
  }

  /** @throws BosunError `run/queue-full`. */
  async #put(
    queue: string,
    run: {
      readonly id: string;
      readonly service: string;
      readonly priority: number;
      readonly tenant: string | undefined;
      readonly delayMs: number;
    },
  ): Promise<void> {
    const { delayMs, tenant, ...rest } = run;
    const dueAt = delayMs > 0 ? Math.ceil(this.#parts.clock.now() + delayMs) : 0;
    const input = { ...rest, dueAt, ...(tenant === undefined ? {} : { tenant }) };
    if (await callQueue(this.#parts, queue, "put", input)) return;
    throw new BosunError(
      "run/queue-full",
      `the queue "${queue}" is full: run ${run.id} is not taken. Try again later`,
      { retryable: true },
    );
  }

  /** A run that had been started before, and has ended, does not stand in its queue. */
  async #unput(queue: string, id: string): Promise<void> {
    const row = await findRun(this.#parts, id);
    if (row?.record.endedAt !== undefined) await callQueue(this.#parts, queue, "leave", { id });
  }

  /** Ends a run with its caller's signal, as long as this process is there; gives it back where that is the signal's reason. */
  #follow({ id }: Target, { signal }: Pick<StartOptions, "signal">): void {
    if (!signal) return;
    const abort = (): void => {
      if (isSuspension(signal.reason)) this.#giveBack(id, signal.reason);
      else void this.#end(id, signal.reason).catch(() => undefined); // the server is away: the run goes on
    };
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  }

  #giveBack(id: string, reason: BosunError): void {
    this.#givenBack.set(id, reason);
    this.#parts.executions.get(id)?.abandon(reason);
    this.#readers.get(id)?.abort(reason);
    this.#readers.delete(id);
  }

  /** The time limit of a resumed run, which its journal does not know. */
  #limit(
    target: Target,
    { timeoutMs, timeoutError }: Pick<StartOptions, "timeoutMs" | "timeoutError">,
  ): void {
    if (timeoutMs === undefined) return;
    const expired = (): Error =>
      new BosunError("run/timed-out", `${target.id}: no end within ${timeoutMs} ms`);
    const expire = (): void => {
      const error = (timeoutError ?? expired)();
      this.#end(target.id, error).catch(() => undefined); // the server is away: the run goes on
    };
    const timer = this.#parts.clock.timer(timeoutMs, expire);
    const end = (): void => timer[Symbol.dispose]();
    this.#attach(target).then(end, end);
  }

  async #end(id: string, reason: unknown): Promise<void> {
    const row = await findRun(this.#parts, id);
    if (row === undefined || row.record.endedAt !== undefined) return;
    const error =
      reason instanceof Error ? reason : new BosunError("run/cancelled", String(reason));
    await cancel(this.#parts, row, error);
  }

  /** What the run comes to. */
  #attach(target: Target): Promise<Json> {
    const readers = this.#readers.get(target.id) ?? new AbortController();
    this.#readers.set(target.id, readers);
    const signal = AbortSignal.any([this.#closing.signal, readers.signal]);
    const result = readResult(this.#parts, target, signal);
    const forget = (): void => {
      if (!signal.aborted) this.#readers.delete(target.id); // it has ended
    };
    result.then(forget, forget);
    if (this.#options.isWorker) void this.#keepLooking();
    return result;
  }

  /** A run that is waited for here goes on here when the worker that it was given to is gone. */
  async #keepLooking(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    const { signal } = this.#closing;
    while (this.#readers.size > 0 && !signal.aborted) {
      await this.#parts.clock.sleep(LOST_LOOK_MS, signal).catch(() => undefined); // closing is its end
      const ids = [...this.#readers.keys()].slice(0, MOST_LOOKED);
      if (this.#serving || ids.length === 0 || signal.aborted) continue;
      await takeOver(this.#parts, this.#worker, ids).catch(() => undefined); // the server is away: the next look
    }
    this.#isLooking = false;
  }
}

const LIVE = new AbortController().signal;

function metaOf(options: StartOptions): Meta {
  const { queue, priority = 0, tenant, timeoutMs, timeoutError } = options;
  return {
    queue,
    priority,
    tenant,
    timeoutMs,
    timeoutError:
      timeoutMs === undefined || !timeoutError ? undefined : toErrorJson(timeoutError()),
  };
}
