// A fork: a new run whose call carries what the other one kept. Its journal answers those keys from there.

import { BosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import type { ForkOptions } from "../engine.ts";
import { toStored } from "../sqlite/value.ts";
import { submit } from "./control.ts";
import type { EngineParts } from "./engine-parts.ts";
import { readKept } from "./execution.ts";
import type { Outcome } from "./outcome.ts";
import { findRun, isRunId, type RunRow } from "./query.ts";
import { type KeptStep, readInput, readSteps } from "./step-query.ts";

export async function fork(
  parts: EngineParts,
  row: RunRow,
  { id, input, keep = () => true }: ForkOptions,
): Promise<void> {
  checkRunId(id);
  if (await findRun(parts, id))
    throw new BosunError("usage", `there is a run "${id}" already. Give another run id`);
  const steps = [
    ...(row.meta.isHeld ? await keptOf(parts, row) : []),
    ...(await readSteps(parts, row.invocation)),
  ];
  const kept = steps
    .filter(({ outcome }) => outcome !== undefined)
    .filter(({ record }, place) => keep(record, place + 1))
    .map(({ record, outcome }): Json => [record.key, { ...(outcome as Outcome) }]); // `as`: filtered above
  const before = await readInput(parts, row.invocation);
  const body = {
    input:
      input === undefined
        ? (before?.input ?? null)
        : toStored(input, `the input of run ${id}`, parts.blobs),
    kept: toStored(kept, `what run ${id} takes over`, parts.blobs),
  };
  const { priority, tenant } = row.meta;
  const isNew = await submit(
    parts,
    { service: row.service, id },
    {
      meta: { priority, tenant, isHeld: true },
      body,
    },
  );
  if (!isNew) throw new BosunError("usage", `there is a run "${id}" already. Give another run id`);
}

/** What a fork took over, as steps of its own. */
export async function keptOf(parts: EngineParts, row: RunRow): Promise<readonly KeptStep[]> {
  const body = await readInput(parts, row.invocation);
  if (!body) return [];
  return [...readKept(body, parts)].map(([key, { outcome }]) => {
    const { ok, at: startedAt, ms, value } = outcome;
    const bytes = value === null ? 0 : Buffer.byteLength(value);
    const status = ok ? "done" : "failed";
    return { record: { key, status, attempt: 1, startedAt, ms, bytes }, outcome };
  });
}

/** @throws BosunError `usage`. */
export function checkRunId(id: string): void {
  if (!isRunId(id))
    throw new BosunError("usage", `a run id is 1 to 64 letters, digits, _ or -, got "${id}"`);
}
