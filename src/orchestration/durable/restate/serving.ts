// A process that takes runs from queues: it tells the queues, and takes over runs whose process is gone.

import type { JsonObject } from "../../../json.ts";
import type { ServeOptions } from "../engine.ts";
import { callQueue, moveTo } from "./control.ts";
import type { EngineParts } from "./engine-parts.ts";
import { textAt } from "./field.ts";
import { QUEUE_SERVICE, serviceOf } from "./name.ts";
import type { Server } from "./queue-object.ts";
import type { Worker } from "./worker.ts";

/** How long a queue believes that a process is there, and how often it is told. */
const SERVE_FOR_MS = 30_000;
const TELL_EVERY_MS = 10_000;
/** So often is a run tried where it was, before another process takes it. */
const LOST_AFTER_TRIES = 3;
/** Runs that are taken over in one look. */
const MOST_MOVED = 100;

export type Serving = {
  /** Looks for queues and for runs without a process. */
  look(): Promise<void>;
  /** Takes nothing more. */
  end(): Promise<void>;
};

export function createServing(
  parts: EngineParts,
  {
    serverId,
    worker,
    options,
  }: {
    readonly serverId: string;
    readonly worker: Pick<Worker, "ready" | "again">;
    readonly options: ServeOptions;
  },
): Serving {
  const { clock } = parts;
  const told = new Map<string, number>();
  const tellQueues = async (): Promise<void> => {
    const queues = options.queues ?? (await queuesOf(parts));
    const server: Server = {
      id: serverId,
      concurrency: options.concurrency,
      forMs: SERVE_FOR_MS,
      services: [...parts.flows.values()].map(serviceOf),
    };
    for (const queue of queues) {
      if ((told.get(queue) ?? -Infinity) > clock.now() - TELL_EVERY_MS) continue;
      await callQueue(parts, queue, "serve", server);
      told.set(queue, clock.now());
    }
  };
  let telling: Promise<void> | undefined;
  const tellAgain = (): void =>
    void (telling ??= tellQueues()
      .catch(() => undefined) // told again at the next look
      .finally(() => (telling = undefined)));
  return {
    async look() {
      // Not awaited: a queue whose own call is stuck on a process that is gone answers only after it was taken over.
      tellAgain();
      await takeOver(parts, worker);
    },
    async end() {
      for (const queue of told.keys())
        await callQueue(parts, queue, "unserve", { id: serverId }).catch(() => undefined); // it is forgotten in time
    },
  };
}

/**
 * Makes this worker go on with what another one has left alone.
 * @param ids Of these runs only, and of the queues. Default: of all whose flows it has.
 */
export async function takeOver(
  parts: EngineParts,
  worker: Pick<Worker, "ready" | "again">,
  ids?: readonly string[],
): Promise<void> {
  const own = await worker.ready();
  const services = inSql([...parts.flows.values()].map(serviceOf));
  const which = ids ? ` AND target_service_key IN (${inSql(ids)})` : "";
  const rows = await parts.http.query(
    `SELECT id, status, pinned_deployment_id, last_attempt_deployment_id FROM sys_invocation ` +
      `WHERE (target_service_name = '${QUEUE_SERVICE}' OR (target_service_name IN (${services})${which})) ` +
      `AND (status = 'paused' OR (status = 'backing-off' AND retry_count >= ${LOST_AFTER_TRIES})) LIMIT ${MOST_MOVED}`,
  );
  // What no worker has taken yet goes to the one that was registered last, which is gone: this one has to be the last.
  const isForNobody = (row: JsonObject): boolean =>
    textAt(row, "pinned_deployment_id") === "" && textAt(row, "last_attempt_deployment_id") !== own;
  if (rows.some(isForNobody)) await worker.again();
  for (const row of rows) {
    const invocation = textAt(row, "id");
    const isPaused = textAt(row, "status") === "paused";
    if (textAt(row, "pinned_deployment_id") === own && !isPaused) continue;
    await moveTo(parts, { invocation }, own);
  }
}

/** Names and ids hold no quote: they were looked at when they were given. */
function inSql(names: readonly string[]): string {
  return names.map((name) => `'${name}'`).join(", ");
}

async function queuesOf({ http }: EngineParts): Promise<readonly string[]> {
  const rows = await http.query(
    `SELECT DISTINCT service_key FROM state WHERE service_name = '${QUEUE_SERVICE}'`,
  );
  return rows.map((row) => textAt(row, "service_key"));
}
