// Begins the life of a run: its row, and, unless a queue gets it, its first execution, in one transaction.

import type { Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import type { StartOptions } from "../engine.ts";
import type { EngineParts } from "./engine-parts.ts";
import type { Stored } from "./value.ts";

/** "full": its queue takes no more. Undefined: there is a run of that id. `fence` is 0 for a run that waits in a queue. */
export type Inserted = { readonly id: number; readonly fence: number } | "full" | undefined;

export type Inserting = StartOptions & {
  readonly stored: Stored;
  /** Who executes it at once. */
  readonly owner: number | undefined;
};

/** Resolves when it is kept. */
export function insertRun(
  { clock, writer, runs, due, queues, noteBlob }: EngineParts,
  flow: Flow<Json, Json>,
  run: Inserting,
): Promise<Inserted> {
  const {
    id: runId,
    queue,
    priority = 0,
    tenant,
    delayMs = 0,
    timeoutMs,
    stored: input,
    owner,
  } = run;
  const { name, version } = flow;
  const { promise, resolve, reject } = Promise.withResolvers<Inserted>();
  let inserted: Inserted;
  const isFull = (): boolean => {
    const { maxDepth = Infinity } = queue === undefined ? {} : queues.of(queue);
    if (queue === undefined || maxDepth === Infinity || runs.find(runId)) return false;
    return due.depth(queue) >= maxDepth;
  };
  const write = (): void => {
    const now = clock.now();
    if (isFull()) return void (inserted = "full");
    const dueAt = now + delayMs;
    const row = {
      runId,
      flow: name,
      version,
      input,
      queue,
      priority,
      tenant,
      createdAt: now,
      timeoutMs,
      dueAt,
    };
    const id = runs.insert(row);
    inserted = undefined;
    if (id === undefined) return;
    noteBlob(id, input);
    inserted = { id, fence: owner === undefined ? 0 : runs.take(id, owner, now) };
  };
  const kept = (error: Error | undefined): void => (error ? reject(error) : resolve(inserted));
  writer.add({ fence: undefined, write, kept });
  return promise;
}
