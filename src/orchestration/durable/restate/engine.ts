// The fleet's engine: runs on a Restate server, executed by whichever worker it calls. The server keeps the journal.

import { randomUUID } from "node:crypto";
import type { Blobs } from "../../../blob.ts";
import { type Clock, systemClock } from "../../../clock.ts";
import { BosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import type { DurableEngine, JournalProbe, RunHandle } from "../engine.ts";
import { fromStored, toStored } from "../sqlite/value.ts";
import { callQueue, cancel, give } from "./control.ts";
import { type EngineParts, MAX_VALUE_BYTES } from "./engine-parts.ts";
import { fork, keptOf } from "./fork.ts";
import { Host } from "./host.ts";
import { type Addresses, createHttp } from "./http.ts";
import { findRun, listRuns, type RunRow } from "./query.ts";
import { loadSdk } from "./sdk.ts";
import { readInput, readSteps } from "./step-query.ts";

/** Options of the fleet's engine. */
export type RestateEngineOptions = Addresses & {
  readonly clock?: Clock | undefined;
  /** Where values over 1 MiB go: all workers must see the same. Default: such a value is refused. */
  readonly blobs?: Blobs | undefined;
  /** Longest try of a step: give the crew's own longest call. Default 10 minutes. */
  readonly maxStepMs?: number | undefined;
  /**
   * How long a run only waits before it leaves its process and the server's count of invocations (1,000 on a node): it is executed again
   * from its journal when something comes. Whoever started it here with `onSuspend` is told. Default: a minute more than `maxStepMs`.
   */
  readonly inactivityMs?: number | undefined;
  /** False: this process starts runs and looks at them, and executes none. Default true. */
  readonly isWorker?: boolean | undefined;
  /** Where this worker listens. Default 127.0.0.1, any free port. */
  readonly listen?: { readonly host?: string; readonly port?: number } | undefined;
  /** Where the server reaches it, one URL for each version of the code: of the balancer where several workers share it. Default: where it listens. */
  readonly url?: string | undefined;
  /** How often `serve` looks for queues and lost runs. Default 500. */
  readonly pollMs?: number | undefined;
  /** How long the server keeps what an ended run came to. Default one day. */
  readonly keepMs?: number | undefined;
  readonly probe?: JournalProbe | undefined;
};

const MAX_STEP_MS = 600_000;
const POLL_MS = 500;
const KEEP_MS = 86_400_000;

/**
 * Opens the engine. Nothing is registered or listened on before the first run is started, resumed or served here.
 * @throws BosunError `config/invalid` without the SDK, which is an optional package.
 */
export async function createRestateEngine(options: RestateEngineOptions): Promise<DurableEngine> {
  const { clock = systemClock, maxStepMs = MAX_STEP_MS, keepMs = KEEP_MS, probe } = options;
  const parts: EngineParts = {
    sdk: await loadSdk(),
    http: createHttp(options, clock),
    clock,
    blobs: options.blobs ?? NO_BLOBS,
    maxStepMs,
    inactivityMs: options.inactivityMs,
    keepMs,
    probe,
    flows: new Map(),
    executions: new Map(),
    locals: new Map(),
    onSuspend: (runId, reason) => host.noteSuspended(runId, reason),
    refusal: (runId) => host.refusal(runId),
  };
  const { host: address = "127.0.0.1", port = 0 } = options.listen ?? {};
  const host: Host = new Host(parts, {
    listen: { host: address, port, url: options.url },
    isWorker: options.isWorker ?? true,
    pollMs: options.pollMs ?? POLL_MS,
    serverId: randomUUID(),
  });
  return {
    name: "restate",
    caps: { maxValueBytes: MAX_VALUE_BYTES, maxStepMs, isMultiNode: true },
    ...createReader(parts),
    ...createControl(parts, host),
    register: (flow) => register(parts, flow),
    async start<I extends Json, O extends Json>(...[flow, input, started]: Start<I, O>) {
      register(parts, flow);
      return host.start(flow, input, started) as Promise<RunHandle<O>>; // `as`: the flow says what it gives
    },
    async get<O extends Json>(id: string) {
      return host.handle(await existing(parts, id)) as RunHandle<O>; // `as`: the caller knows the flow
    },
    async resume<O extends Json>(id: string, resumed = {}) {
      return host.resume(await existing(parts, id), resumed) as Promise<RunHandle<O>>; // `as`: the caller knows the flow
    },
    serve: (served, signal) => host.serve(served, signal),
    suspend: (graceMs) => host.suspend(graceMs),
    [Symbol.asyncDispose]: () => host.suspend(0),
  };
}

type Start<I extends Json, O extends Json> = [
  flow: Flow<I, O>,
  input: I,
  options: Parameters<DurableEngine["start"]>[2],
];

function register({ flows }: EngineParts, flow: Flow<never, Json>): void {
  flows.set(`${flow.name}@${flow.version}`, flow); // it is called with the input that it was started with
}

/** The methods that only read. */
function createReader(
  parts: EngineParts,
): Pick<DurableEngine, "find" | "input" | "list" | "steps"> {
  return {
    find: async (id) => (await findRun(parts, id))?.record,
    async input(id) {
      const body = await readInput(parts, (await existing(parts, id)).invocation);
      return fromStored(body?.input ?? null, parts.blobs) ?? null;
    },
    list: (query) => listRuns(parts, query),
    async steps(id) {
      const row = await existing(parts, id);
      const own = await readSteps(parts, row.invocation);
      const kept = row.meta.isHeld ? await keptOf(parts, row) : [];
      return [...kept, ...own].map(({ record }) => record);
    },
  };
}

/** The methods that reach runs from outside. */
function createControl(
  parts: EngineParts,
  host: Host,
): Pick<DurableEngine, "fork" | "signal" | "send" | "cancel" | "queue"> {
  const stored = (id: string, name: string, value: Json) =>
    toStored(value, `what is given to run ${id} as "${name}"`, parts.blobs);
  return {
    fork: async (id, forked) => fork(parts, await existing(parts, id), forked),
    signal(rootId, name, value) {
      const execution = parts.executions.get(rootId);
      const given = { name, value: stored(rootId, name, value) };
      if (!execution || execution.journal.answered.has(name)) return false;
      execution.journal.answered.add(name);
      void give(parts, { service: execution.service, id: rootId }, given).catch(() => undefined); // the server is away: whoever waits is told by that
      return true;
    },
    async send(id, name, value) {
      const given = { name, value: stored(id, name, value) };
      const row = await existing(parts, id);
      return row.record.endedAt === undefined && give(parts, row, given);
    },
    async cancel(id, reason) {
      const row = await existing(parts, id);
      if (row.record.endedAt !== undefined) return false;
      await cancel(parts, row, new BosunError("run/cancelled", reason));
      return true;
    },
    async queue(name, limits) {
      await host.ready();
      await callQueue(parts, name, "limit", { ...limits });
    },
  };
}

/** @throws BosunError `run/unknown`. */
async function existing(parts: EngineParts, id: string): Promise<RunRow> {
  const row = await findRun(parts, id);
  if (row) return row;
  throw new BosunError(
    "run/unknown",
    `the Restate server has no run "${id}". \`bosun runs list\` shows those that there are`,
  );
}

const NO_BLOBS: Blobs = {
  put() {
    throw new BosunError(
      "durable/value",
      `a value over ${MAX_VALUE_BYTES} bytes needs a place that all workers see: give the engine \`blobs\``,
    );
  },
  get: (name) => {
    throw new BosunError(
      "store/failed",
      `blob ${name} is asked for, and the engine has no \`blobs\``,
    );
  },
  remove: () => undefined,
};
