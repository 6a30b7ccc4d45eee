// `bosun run`: one kickoff of a crew, shown while it goes, with its result and tables at the end.

import { type Bosun, createBosun, type StartedRun } from "../bosun.ts";
import { BosunError } from "../error.ts";
import type { ModelRef } from "../inference/model/endpoint.ts";
import type { RunState } from "../orchestration/run/state.ts";
import { runBatch } from "./batch.ts";
import { loadCrew, type LoadedCrew } from "./crew-file.ts";
import { EXIT, errorText, exitCodeOfCode } from "./failure.ts";
import { checkAllInputs, inputNamesOf, parseInputs, unusedInputs } from "./input.ts";
import { type LiveState, NOTHING_LIVE } from "./live.ts";
import { createProgress, type Progress, type ProgressMode } from "./progress.ts";
import { reportLines } from "./report.ts";
import { type Output, type Terminal, writeLines } from "./terminal.ts";
import { unfinishedLines } from "./unfinished.ts";
import { printable } from "./width.ts";

/** The flags of `run`, as commander gives them. */
export type RunFlags = {
  readonly input: readonly string[];
  readonly inputs?: string | undefined;
  readonly out?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly model?: string | undefined;
  readonly runId?: string | undefined;
  readonly showPrompts?: boolean | undefined;
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
};

/** Runs a crew once, or once for each line of a file. @returns the exit code. */
export async function runCommand(
  path: string,
  flags: RunFlags,
  terminal: Terminal,
): Promise<number> {
  checkFlags(flags);
  const given = parseInputs(flags.input);
  const loaded = await orInterrupted(loadCrew(path), terminal.signal);
  warnUnused(terminal, loaded, Object.keys(unusedInputs(loaded.crew, given)));
  const bosun = createBosun({ data: flags.data, env: terminal.env() });
  try {
    const { inputs: jobs, out, model, concurrency } = flags;
    if (jobs === undefined || out === undefined)
      return await runOnce({ terminal, bosun, loaded, flags, given });
    const json = flags.json === true;
    const batch = { crew: loaded.crew, given, jobs, out, model, concurrency, json };
    return await runBatch(batch, { terminal, bosun });
  } finally {
    await bosun.close();
  }
}
