// `bosun runs export`: a run with everything that is kept of it, as one JSON document.

import { writeFile } from "node:fs/promises";
import { createBosun } from "../bosun.ts";
import { BosunError, messageOf } from "../error.ts";
import type { Json } from "../json.ts";
import type { RunRecord, StepRecord } from "../orchestration/durable/engine.ts";
import { EXIT } from "./failure.ts";
import { findRun, journalOf } from "./find-run.ts";
import { type Terminal, writeLines } from "./terminal.ts";

export type ExportFlags = {
  readonly out?: string | undefined;
  readonly data?: string | undefined;
};

/** What the journal has of a run; nothing of runs of earlier versions. */
type Journaled = {
  readonly record?: RunRecord | undefined;
  readonly input?: Json | undefined;
  readonly steps: readonly StepRecord[];
};

/** Writes a run to stdout, or to a file. @returns the exit code. */
export async function exportRun(
  id: string,
  { out, data }: ExportFlags,
  terminal: Terminal,
): Promise<number> {
  const bosun = createBosun({ data, fleet: false, env: terminal.env(), clock: terminal.clock });
  try {
    const store = await bosun.store();
    if (store === undefined) throw new BosunError("usage", "there is no data folder");
    const summary = findRun(store, id);
    const { runId } = summary;
    const journal = await journalOf(bosun);
    const record = await journal.find(runId);
    const kept: Journaled = record
      ? { record, input: await journal.input(runId), steps: await journal.steps(runId) }
      : { steps: [] };
    const text = `${JSON.stringify({ run: summary, ...kept, events: store.events(runId) })}\n`;
    if (out === undefined) terminal.out.write(text);
    else {
      await writeOut(out, text);
      writeLines(terminal.err, [`Run ${runId} is in ${out}.`]);
    }
    return EXIT.done;
  } finally {
    await bosun.close();
  }
}

async function writeOut(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
  } catch (cause) {
    throw new BosunError(
      "usage",
      `--out ${path} cannot be written: ${messageOf(cause)}. Nothing that is there is replaced`,
      { cause },
    );
  }
}
