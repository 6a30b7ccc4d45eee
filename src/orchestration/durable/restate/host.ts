// What this process does for runs: starts them, executes them as a worker, waits for what they come to, gives them back.

import { type Clock, until } from "../../../clock.ts";
import { BosunError, isBosunError } from "../../../error.ts";
import { isObject, type Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import type { RunHandle, ServeOptions, StartOptions } from "../engine.ts";
import { fromStored, type Stored, toErrorJson, toStored } from "../sqlite/value.ts";
import { callQueue, cancel, go, moveTo, submit } from "./control.ts";
import type { EngineParts } from "./engine-parts.ts";
import { checkRunId } from "./fork.ts";
import type { Meta } from "./meta.ts";
import { serviceOf } from "./name.ts";
import { findRun, type RunRow } from "./query.ts";
import { createServing } from "./serving.ts";
import { fromTerminal } from "./terminal.ts";
import { createWorker, type Listen, type Worker } from "./worker.ts";

export type HostOptions = {
  readonly listen: Listen;
  readonly isWorker: boolean;
  readonly pollMs: number;
  readonly onStop: (reason: BosunError) => void;
  readonly serverId: string;
};

type Target = Pick<RunRow, "service" | "id">;

/** Between two looks whether the steps of a run that is given back have ended. */
const GRACE_LOOK_MS = 10;
/** A wait for a result that was cut off after so long was only long: it is taken up again. */
const LONG_MS = 10_000;
const RETRY_MS = 200;

export class Host {
  readonly #parts: EngineParts;
  readonly #options: HostOptions;
  readonly #worker: Worker;
  readonly #closing = new AbortController();
  #isServing = false;

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
    const { id, queue, priority = 0, tenant, delayMs = 0, signal, onSuspend } = options;
    checkRunId(id);
    const stored = toStored(input, `the input of run ${id}`, this.#parts.blobs);
    await this.ready();
    const target = { service: serviceOf(flow), id };
    if (queue !== undefined) await this.#put(queue, { ...target, priority, tenant, delayMs });
    this.#parts.locals.set(id, { signal, onSuspend });
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
  async resume(
    row: RunRow,
    options: Pick<StartOptions, "signal" | "timeoutMs" | "timeoutError" | "onSuspend">,
  ): Promise<RunHandle<Json>> {
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
    this.#parts.locals.set(id, { signal: options.signal, onSuspend: options.onSuspend });
    if (deployment !== undefined && status !== "running")
      await moveTo(this.#parts, row, deployment);
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

  async serve(options: ServeOptions, signal: AbortSignal): Promise<void> {
    if (this.#isServing)
      throw new BosunError("usage", "this engine serves already: one `serve` at a time");
    this.#isServing = true;
    const { serverId, pollMs } = this.#options;
    const deployment = (): Promise<string> => this.#worker.ready();
    const serving = createServing(this.#parts, { serverId, deployment, options });
    const either = AbortSignal.any([signal, this.#closing.signal]);
    try {
      await deployment();
      while (!either.aborted) {
        await serving.look().catch((error: unknown) => {
          // A server that is away for a moment: the next look tells.
          if (!isBosunError(error) || error.code !== "store/failed") throw error;
        });
        await this.#parts.clock.sleep(pollMs, either).catch(() => undefined); // the abort is its end
      }
    } finally {
      this.#isServing = false;
      if (!this.#closing.signal.aborted) await serving.end();
    }
  }

  async suspend(graceMs: number): Promise<void> {
    const reason = new BosunError(
      "run/suspended",
      "this process gives its runs back. Another one can go on with them: `bosun runs resume`",
      { retryable: true },
    );
    this.#options.onStop(reason);
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

  /** Ends a run with its caller's signal, as long as this process is there. */
  #follow({ id }: Target, { signal }: Pick<StartOptions, "signal">): void {
    if (!signal) return;
    const abort = (): void => void this.#end(id, signal.reason).catch(() => undefined); // the server is away: the run goes on
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
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
  async #attach({ service, id }: Target): Promise<Json> {
    const { http, clock, blobs } = this.#parts;
    const { signal } = this.#closing;
    for (;;) {
      const begunAt = clock.now();
      try {
        const answer = await http.ingress(`/restate/workflow/${service}/${id}/attach`, { signal });
        const { status, body } = answer;
        if (status === 200 && isObject(body)) {
          const value = fromStored((body["value"] ?? null) as Stored, blobs); // `as`: the execution made it
          return value ?? null;
        }
        if (status === 404) throw new BosunError("run/unknown", `run ${id} is gone`);
        if (isObject(body) && body["source"] === "invocation") throw fromTerminal(body, id);
      } catch (error) {
        const isCut = isBosunError(error) && error.code === "store/failed" && error.retryable;
        if (signal.aborted || !isCut || clock.now() - begunAt < LONG_MS) throw error;
      }
      await pause(clock, signal);
    }
  }
}

const LIVE = new AbortController().signal;

const pause = (clock: Clock, signal: AbortSignal): Promise<void> => clock.sleep(RETRY_MS, signal);

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
