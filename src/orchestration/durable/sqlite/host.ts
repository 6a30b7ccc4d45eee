// What runs in this process, and what it hears of other processes: signals, cancels, ends, and work in the queues.
//
// One timer looks at all of it while there is anything to look for; nothing is read from the file while nobody else has written.

import { systemClock, type Timer, until } from "../../../clock.ts";
import { BosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import type { ExecuteOptions, RunHandle, ServeOptions, StartOptions } from "../engine.ts";
import { type Claimed, claimRun } from "./claim.ts";
import { claimDue } from "./claim-due.ts";
import type { EngineParts } from "./engine-parts.ts";
import { insertRun } from "./insert-run.ts";
import { Execution } from "./execution.ts";
import type { RunRow } from "./run-table.ts";
import { fromErrorJson, fromStored, toErrorJson, toStored } from "./value.ts";

type Watcher = Pick<PromiseWithResolvers<Json>, "resolve" | "reject">;

export type HostOptions = {
  readonly pollMs: number;
  /** Called after each ENDS runs that ended. */
  readonly onEnds: () => void;
};

/** Half of what one removal takes at most (retention.ts): the file does not grow, and a backlog goes. */
const ENDS = 100;
/** Between two looks whether the steps of a run that is given back have ended. */
const GRACE_LOOK_MS = 10;

export class Host {
  readonly #parts: EngineParts;
  readonly #options: HostOptions;
  readonly #executions = new Map<string, Execution>();
  readonly #watchers = new Map<string, Set<Watcher>>();
  #serving: ServeOptions | undefined;
  #suspended: BosunError | undefined;
  #timer: Timer | undefined;
  /** For runs whose time comes. */
  #dueTimer: Timer | undefined;
  #dataVersion = -1;
  #lastSignal: number;
  #ends = 0;

  constructor(parts: EngineParts, options: HostOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#lastSignal = parts.signals.lastId();
  }

  async start(
    flow: Flow<Json, Json>,
    input: Json,
    options: StartOptions,
  ): Promise<RunHandle<Json>> {
    if (this.#suspended) throw this.#suspended;
    const { blobs, lease } = this.#parts;
    const stored = toStored(input, `the input of run ${options.id}`, blobs);
    const owner = options.queue === undefined ? lease.id() : undefined;
    const begun = await insertRun(this.#parts, flow, { ...options, stored, owner });
    if (begun === "full")
      throw new BosunError(
        "run/queue-full",
        `the queue "${options.queue}" is full: run ${options.id} is not taken. Try again later`,
        { retryable: true },
      );
    if (begun && owner !== undefined) {
      const row = {
        id: begun.id,
        runId: options.id,
        input: stored,
        cancelled: undefined,
        queue: undefined,
        timeoutMs: undefined,
      };
      return this.#execute({ row, fence: begun.fence, kept: [], signals: [] }, flow, options);
    }
    this.#takeDue();
    return this.handle(options.id);
  }

  resume(runId: string, options: ExecuteOptions): RunHandle<Json> {
    if (this.#suspended) throw this.#suspended;
    if (this.#executions.has(runId))
      throw new BosunError("run/owned", `run ${runId} is executed by this process`, {
        retryable: true,
      });
    const claimed = claimRun(this.#parts, runId);
    return this.#execute(claimed, this.#flowOf(claimed.row), options);
  }

  handle(runId: string): RunHandle<Json> {
    const result = (signal?: AbortSignal): Promise<Json> => {
      const execution = this.#executions.get(runId);
      const settled = execution?.result ?? this.#watch(runId);
      return signal ? until(settled, signal) : settled;
    };
    return { id: runId, result };
  }

  /** Of a run that is executed here. */
  signal(runId: string, name: string, value: Json): boolean {
    const execution = this.#executions.get(runId);
    const stored =
      toStored(value, `what is given to run ${runId} as "${name}"`, this.#parts.blobs) ?? "null";
    if (!execution?.journal.signals.give(name, value)) return false;
    const { writer, signals, clock } = this.#parts;
    const { run } = execution.fence;
    const write = (): void => void signals.insert(run, { name, value: stored, at: clock.now() });
    writer.add({ fence: execution.fence, write, kept: () => undefined });
    return true;
  }

  send(row: RunRow, name: string, value: Json): boolean {
    if (this.#executions.has(row.runId)) return this.signal(row.runId, name, value);
    const { sqlite, steps, signals, blobs, clock, noteBlob } = this.#parts;
    const stored =
      toStored(value, `what is given to run ${row.runId} as "${name}"`, blobs) ?? "null";
    return sqlite.transaction(() => {
      const at = clock.now();
      if (row.endedAt !== undefined || steps.isOver(row.id, `wait:${name}`, at)) return false;
      noteBlob(row.id, stored);
      return signals.insert(row.id, { name, value: stored, at });
    });
  }

  cancel({ runId }: RunRow, reason: string): boolean {
    const execution = this.#executions.get(runId);
    const { sqlite, runs, lease, clock, blobs } = this.#parts;
    if (execution) {
      execution.cancel(reason);
      sqlite.transaction(() => runs.cancel(execution.fence.run, reason)); // it holds also when this process ends first
      return true;
    }
    const error = toStored(toErrorJson(new BosunError("run/cancelled", reason)), "an error", blobs);
    return sqlite.transaction(() => {
      const row = runs.find(runId);
      if (row === undefined || row.endedAt !== undefined) return false;
      if (lease.isHeld(row)) runs.cancel(row.id, reason);
      else runs.end(row.id, { phase: "cancelled", output: null, error, endedAt: clock.now() });
      return true;
    });
  }

  /** Takes runs until the signal aborts. */
  async serve(options: ServeOptions, signal: AbortSignal): Promise<void> {
    if (this.#serving)
      throw new BosunError("usage", "this engine serves already: one `serve` at a time");
    this.#serving = options;
    this.#takeDue();
    this.#tickSoon();
    await until(new Promise<never>(() => undefined), signal).catch(() => undefined); // the abort is its end
    this.#serving = undefined;
    this.#dueTimer?.[Symbol.dispose]();
  }

  async suspend(graceMs: number): Promise<void> {
    const reason = (this.#suspended ??= new BosunError(
      "run/suspended",
      "this process gives its runs back. Another one can go on with them: `bosun runs resume`",
      { retryable: true },
    ));
    this.#serving = undefined;
    const executions = [...this.#executions.values()];
    for (const execution of executions) execution.stop(reason);
    const { clock } = this.#parts;
    const endsAt = clock.now() + graceMs;
    const signal = new AbortController().signal;
    while (clock.now() < endsAt && executions.some(({ isIdle }) => !isIdle))
      await clock.sleep(GRACE_LOOK_MS, signal);
    for (const execution of executions) execution.abort(reason);
    await Promise.allSettled(executions.map(({ result }) => result));
    this.#timer?.[Symbol.dispose]();
    this.#dueTimer?.[Symbol.dispose]();
    for (const [, watchers] of this.#watchers) for (const { reject } of watchers) reject(reason);
    this.#watchers.clear();
  }

  #flowOf({ flow, version }: RunRow): Flow<Json, Json> {
    const found = this.#parts.flowOf(flow, version);
    if (found) return found;
    throw new Error(`no flow ${flow}@${version}`); // whoever claims a run has looked
  }

  #execute(
    claimed: Omit<Claimed, "row"> & {
      readonly row: Pick<RunRow, "id" | "runId" | "input" | "cancelled" | "queue" | "timeoutMs">;
    },
    flow: Flow<Json, Json>,
    options: ExecuteOptions,
  ): RunHandle<Json> {
    const { lease } = this.#parts;
    lease.acquire();
    const execution = new Execution(this.#parts, { ...claimed, flow, options });
    const { runId } = execution;
    this.#executions.set(runId, execution);
    const end = (): void => {
      lease.release();
      if (this.#executions.get(runId) === execution) this.#executions.delete(runId); // not one that took it back
      this.#settle(runId);
      if (++this.#ends % ENDS === 0) this.#options.onEnds();
      this.#lookSafely(); // nobody would hear of what fails here
    };
    execution.result.then(end, end);
    this.#tickSoon();
    return {
      id: runId,
      result: (signal) => (signal ? until(execution.result, signal) : execution.result),
    };
  }

  #watch(runId: string): Promise<Json> {
    const { promise, resolve, reject } = Promise.withResolvers<Json>();
    promise.catch(() => undefined); // its reader may have gone
    const watchers = this.#watchers.get(runId) ?? new Set();
    this.#watchers.set(runId, watchers.add({ resolve, reject }));
    this.#settle(runId);
    this.#tickSoon();
    return promise;
  }

  /** Tells those who wait for a run's end, when it has ended. */
  #settle(runId: string): void {
    const watchers = this.#watchers.get(runId);
    if (watchers === undefined) return;
    const { runs, blobs } = this.#parts;
    const row = runs.find(runId);
    if (row !== undefined && row.endedAt === undefined) return;
    this.#watchers.delete(runId);
    for (const { resolve, reject } of watchers) {
      if (row === undefined) reject(new BosunError("run/unknown", `run ${runId} is gone`));
      else if (row.phase === "done") resolve(fromStored(row.output, blobs) ?? null);
      else reject(fromErrorJson(fromStored(row.error, blobs)));
    }
  }

  #tickSoon(): void {
    const isNeeded =
      this.#executions.size > 0 || this.#watchers.size > 0 || this.#serving !== undefined;
    if (!isNeeded || this.#timer) return;
    // In real time on every clock: other processes live in it, and a virtual clock would run away.
    this.#timer = systemClock.timer(this.#options.pollMs, () => this.#tick());
  }

  #tick(): void {
    this.#timer = undefined;
    for (const execution of this.#executions.values()) execution.look();
    this.#lookSafely();
    this.#tickSoon();
  }

  #lookSafely(): void {
    try {
      this.#lookAround();
    } catch {
      // a file that cannot be read now: the next look tries again, and a write that fails says why
    }
  }

  /** What others have written. */
  #lookAround(): void {
    const { sqlite, signals } = this.#parts;
    this.#takeDue();
    const version = Number(sqlite.database.prepare("PRAGMA data_version").get()?.["data_version"]);
    if (version === this.#dataVersion) return;
    this.#dataVersion = version;
    for (const { id, runId, name, value } of signals.after(this.#lastSignal)) {
      this.#lastSignal = id;
      this.#executions
        .get(runId)
        ?.journal.signals.give(name, fromStored(value, this.#parts.blobs) ?? null);
    }
    for (const { runId, reason } of this.#parts.runs.cancelled())
      this.#executions.get(runId)?.cancel(reason);
    for (const runId of this.#watchers.keys()) this.#settle(runId);
  }

  #takeDue(): void {
    if (!this.#serving) return;
    const { concurrency, queues, onSuspend } = this.#serving;
    const busy = [...this.#executions.values()].filter(
      ({ queue, isWaiting }) => queue !== undefined && !isWaiting,
    );
    const most = concurrency - busy.length;
    const isHere = (runId: string): boolean => this.#executions.has(runId);
    const { claimed, nextAt } = claimDue(this.#parts, { most, queues, isHere });
    for (const one of claimed) {
      const { runId } = one.row;
      const told = (reason: BosunError): void => onSuspend?.(runId, reason);
      this.#execute(one, this.#flowOf(one.row), { onSuspend: told });
    }
    this.#dueTimer?.[Symbol.dispose]();
    const { clock } = this.#parts;
    this.#dueTimer =
      nextAt === undefined
        ? undefined
        : clock.timer(nextAt - clock.now(), () => this.#lookSafely());
  }
}
