// The development check: a run that has ended is executed once more from its journal. A body that then asks for other things, or comes
// to something else, would not have survived a restart.

import { strict as assert } from "node:assert";
import { BosunError } from "../../../error.ts";
import { canonicalJson, type Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import { DurableRun } from "../run.ts";
import type { EngineParts } from "./engine-parts.ts";
import { SqliteJournal } from "./journal.ts";
import type { RunRow } from "./run-table.ts";
import { fromStored } from "./value.ts";

type Ended = {
  readonly row: Pick<RunRow, "id" | "runId" | "input">;
  readonly flow: Flow<Json, Json>;
  readonly output: Json;
};

/** @throws BosunError `run/nondeterministic` with the first key that differs. */
export async function checkReplay(parts: EngineParts, { row, flow, output }: Ended): Promise<void> {
  const { clock, blobs, steps, writer, maxStepMs } = parts;
  const kept = steps.of(row.id).filter(({ ok }) => ok !== undefined);
  const fence = { run: row.id, fence: -1, runId: row.runId }; // nobody's: it can write nothing
  const journal = new SqliteJournal({
    clock,
    writer,
    table: steps,
    blobs,
    fence,
    maxStepMs,
    kept,
    probe: undefined,
    noteBlob: () => assert.fail("a replay keeps nothing"),
    onLost: () => undefined,
    onPause: () => undefined,
  });
  let asked: string | undefined;
  const refuse = new BosunError("run/nondeterministic", "");
  journal.refuse = (key) => {
    asked ??= key;
    return refuse;
  };
  const run = new DurableRun({ clock, journal, runId: row.runId, rootId: row.runId, limits: {} });
  const again = await run
    .execute(flow, fromStored(row.input, blobs) ?? null)
    .catch((error: unknown) => {
      if (asked === undefined)
        throw nondeterministic(row, `fails when it is executed again: ${String(error)}`);
      return null;
    });
  if (asked !== undefined)
    throw nondeterministic(
      row,
      `asks for "${asked}" when it is executed again, which was not kept`,
    );
  const missing = kept.find(({ key }) => !journal.asked.has(key));
  if (missing)
    throw nondeterministic(row, `does not ask for "${missing.key}" when it is executed again`);
  if (canonicalJson(again) !== canonicalJson(output))
    throw nondeterministic(row, "comes to another output when it is executed again");
}

function nondeterministic({ runId }: Ended["row"], what: string): BosunError {
  return new BosunError(
    "run/nondeterministic",
    `the body of run ${runId} ${what}: after a restart it would go wrong. Take times from d.now, random numbers from d.random, and put everything that may differ into steps`,
  );
}
