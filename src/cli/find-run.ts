// Finds a run in the store by what the user typed.

import type { Bosun } from "../bosun.ts";
import { BosunError } from "../error.ts";
import type { DurableEngine } from "../orchestration/durable/engine.ts";
import type { RunSummary, Store } from "../service/store/store.ts";

/** The run's whole id. @throws BosunError `run/unknown` with the nearest ids. */
export async function fullRunId(bosun: Bosun, id: string): Promise<string> {
  const store = await bosun.store();
  if (store === undefined) throw new BosunError("usage", "there is no data folder");
  return findRun(store, id).runId;
}

/** The journal that the runs of a data folder have. */
export async function journalOf(bosun: Bosun): Promise<DurableEngine> {
  const journal = await bosun.journal();
  if (journal === undefined) throw new BosunError("usage", "there is no data folder");
  return journal;
}

/** @param id An id, the beginning of one, or LATEST. @throws BosunError `run/unknown` with the nearest ids. */
export function findRun(store: Pick<Store, "path" | "list" | "find">, id: string): RunSummary {
  const found = id === LATEST ? store.list({ limit: 1 })[0] : store.find(id);
  if (found) return found;
  const ids = store.list({ limit: MAX_LOOKED_AT }).map(({ runId }) => runId);
  const matching = ids.filter((one) => one.startsWith(id));
  if (matching.length > 1)
    throw new BosunError(
      "run/unknown",
      `"${id}" is the beginning of ${matching.length} runs: ${listOf(matching)}. Give more of the id`,
    );
  const near = ids.toSorted((a, b) => sharedStart(b, id) - sharedStart(a, id));
  const advice = near.length > 0 ? `The nearest: ${listOf(near)}` : "There are no runs";
  throw new BosunError("run/unknown", `there is no run "${id}" in ${store.path}. ${advice}`);
}

/** In place of an id: the newest run. */
const LATEST = "latest";
/** Ids among which near ones are looked for. */
const MAX_LOOKED_AT = 1_000;

function listOf(ids: readonly string[]): string {
  return `${ids.slice(0, 3).join(", ")}${ids.length > 3 ? ", …" : ""}`;
}

function sharedStart(a: string, b: string): number {
  let length = 0;
  while (length < b.length && a[length] === b[length]) length++;
  return length;
}
