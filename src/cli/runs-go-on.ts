// `bosun runs resume`, `rerun` and `fork`: go on with a run, or begin another one from what it has done.

import { type Bosun, createBosun, type StartedRun } from "../bosun.ts";
import { BosunError } from "../error.ts";
import { originOf } from "../kept-run.ts";
import type { AskHandler } from "../run-option.ts";
import type { Loaded } from "./crew-file.ts";
import { fleetWarnings } from "./fleet-warning.ts";
import { inputsFor, readPairs } from "./input.ts";
import { openCrew } from "./open-crew.ts";
import { fullRunId, journalOf } from "./find-run.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { captureConsole } from "./user-console.ts";
import { showWholeRun } from "./whole-run.ts";

/** Flags that all three have. */
type GoOnFlags = {
  /** Where the crew is, when it is not where it was. */
  readonly crew?: string | undefined;
  readonly model?: string | undefined;
  readonly json?: boolean | undefined;
  readonly data?: string | undefined;
  /** Leaves questions open when the input has ended. */
  readonly wait?: boolean | undefined;
};

export type ResumeFlags = GoOnFlags & { readonly acceptChanges?: boolean | undefined };

export type RerunFlags = GoOnFlags & {
  readonly from?: string | undefined;
  readonly runId?: string | undefined;
};

export type ForkFlags = GoOnFlags & {
  readonly at?: string | undefined;
  readonly input?: readonly string[] | undefined;
  readonly runId?: string | undefined;
};

/** Finishes a run that was interrupted. @returns the exit code. */
export async function resumeRun(
  id: string,
  flags: ResumeFlags,
  terminal: Terminal,
): Promise<number> {
  const { model, acceptChanges } = flags;
  return goOn(id, flags, terminal, ({ bosun, loaded, runId, onAsk }) =>
    bosun.resume(loaded.program, runId, { model, acceptChanges, onAsk }),
  );
}

/** Runs again from a task or a step. @returns the exit code. */
export async function rerunRun(id: string, flags: RerunFlags, terminal: Terminal): Promise<number> {
  const { from, model, runId: newId } = flags;
  return goOn(id, flags, terminal, ({ bosun, loaded, runId, onAsk }) =>
    bosun.fork(loaded.program, runId, { from, model, runId: newId, onAsk }),
  );
}

/** Begins another run from a task or a step, with other inputs or another model. @returns the exit code. */
export async function forkRun(id: string, flags: ForkFlags, terminal: Terminal): Promise<number> {
  const { at, input = [], model, runId: newId } = flags;
  const pairs = readPairs(input);
  return goOn(id, flags, terminal, async ({ bosun, loaded, runId, onAsk }) => {
    const inputs = pairs.length > 0 ? await inputsFor(loaded.program, pairs) : undefined;
    return bosun.fork(loaded.program, runId, { from: at, inputs, model, runId: newId, onAsk });
  });
}

type Going = {
  readonly bosun: Bosun;
  readonly loaded: Loaded;
  readonly runId: string;
  readonly onAsk: AskHandler;
};

async function goOn(
  id: string,
  { crew, model, json = false, data, wait }: GoOnFlags,
  terminal: Terminal,
  begin: (going: Going) => Promise<StartedRun>,
): Promise<number> {
  const { runId, origin } = await whereFrom(id, data, terminal);
  using userConsole = captureConsole((lines) => writeLines(terminal.err, lines));
  const loaded = await openCrew(crew ?? fileOf(runId, origin), { model }, terminal);
  const bosun = createBosun({ data, env: loaded.env, ...fleetWarnings(terminal) });
  try {
    const beginHere = (onAsk: AskHandler): Promise<StartedRun> =>
      begin({ bosun, loaded, runId, onAsk });
    return await showWholeRun({ terminal, bosun, userConsole, json, data, wait, begin: beginHere });
  } finally {
    await bosun.close();
  }
}

/** The run's whole id, and where its crew was loaded from. */
async function whereFrom(
  id: string,
  data: string | undefined,
  { env, clock }: Terminal,
): Promise<{ readonly runId: string; readonly origin: string | undefined }> {
  const bosun = createBosun({ data, fleet: false, env: env(), clock });
  try {
    const runId = await fullRunId(bosun, id);
    const journal = await journalOf(bosun);
    return { runId, origin: originOf(await journal.input(runId)) };
  } finally {
    await bosun.close();
  }
}

function fileOf(runId: string, origin: string | undefined): string {
  if (origin !== undefined) return origin;
  throw new BosunError(
    "usage",
    `run ${runId} was started by a program, which alone knows its crew or flow. Give the file that exports it: --crew FILE, ` +
      "resume it in the program: createBosun().resume(crew, id), or start it with origin: the path of that file",
  );
}
