// `bosun run`: one kickoff of a crew, shown while it goes, with its result and tables at the end.

import { type Bosun, createBosun, type StartedRun } from "../bosun.ts";
import { BosunError } from "../error.ts";
import type { Inputs } from "../orchestration/crew/input.ts";
import { similarTo } from "../orchestration/crew/similar.ts";
import type { AskHandler } from "../run-option.ts";
import { runBatch } from "./batch.ts";
import type { Loaded } from "./crew-file.ts";
import { dryRun } from "./dry-run.ts";
import { dryRunFlow } from "./dry-run-flow.ts";
import { checkAllInputs, inputNamesOf, inputsFor, readPairs, unusedInputs } from "./input.ts";
import { fleetWarnings } from "./fleet-warning.ts";
import { openCrew } from "./open-crew.ts";
import { showWholeRun } from "./whole-run.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { captureConsole, type UserConsole } from "./user-console.ts";

/** The flags of `run`, as commander gives them. */
export type RunFlags = {
  readonly input?: readonly string[] | undefined;
  readonly inputs?: string | undefined;
  readonly out?: string | undefined;
  readonly concurrency?: number | undefined;
  readonly model?: string | undefined;
  readonly runId?: string | undefined;
  readonly session?: string | undefined;
  readonly showPrompts?: boolean | undefined;
  /** Prints what the run would send, and calls nothing. */
  readonly dryRun?: boolean | undefined;
  readonly json?: boolean | undefined;
  /** Notes of a CrewAI project too; its warnings are always printed. */
  readonly notes?: boolean | undefined;
  readonly data?: string | undefined;
  /** Leaves questions open when the input has ended. */
  readonly wait?: boolean | undefined;
};

/** Runs a crew once, or once for each line of a file. @returns the exit code. */
export async function runCommand(
  path: string,
  flags: RunFlags,
  terminal: Terminal,
): Promise<number> {
  checkFlags(flags);
  const pairs = readPairs(flags.input ?? []);
  using userConsole = captureConsole((lines) => writeLines(terminal.err, lines));
  const loaded = await openCrew(path, flags, terminal);
  const given = await inputsFor(loaded.program, pairs);
  warnUnused(terminal, loaded, given);
  const bosun = createBosun({ data: flags.data, env: loaded.env, ...fleetWarnings(terminal) });
  try {
    const { inputs: jobs, out, model, concurrency = DEFAULT_CONCURRENCY, json = false } = flags;
    if (flags.dryRun) return await preview({ terminal, bosun, loaded, flags, given });
    if (jobs === undefined || out === undefined)
      return await runOnce({ terminal, bosun, loaded, flags, given, userConsole });
    const batch = { program: loaded.program, given, jobs, out, model, concurrency, json };
    return await runBatch(batch, bosun, terminal, userConsole);
  } finally {
    await bosun.close();
  }
}

/** Runs at once in a batch. */
const DEFAULT_CONCURRENCY = 4;

/** @throws BosunError `usage` for flags that contradict each other. */
function checkFlags(flags: RunFlags): void {
  const wrong = wrongFlags(flags);
  if (wrong !== undefined) throw new BosunError("usage", wrong);
}

function wrongFlags(flags: RunFlags): string | undefined {
  const { inputs, out, concurrency, runId, session, showPrompts } = flags;
  if ((inputs === undefined) !== (out === undefined))
    return "a batch needs both --inputs jobs.jsonl and --out results.jsonl";
  if (inputs === undefined)
    return concurrency === undefined
      ? undefined
      : "--concurrency is for a batch: give --inputs jobs.jsonl and --out results.jsonl too";
  if (flags.dryRun) return "--dry-run looks at one run: it cannot be used with --inputs";
  if (session !== undefined)
    return "--session makes runs one conversation: it cannot be used with --inputs";
  if (runId !== undefined) return "--run-id names one run: it cannot be used with --inputs";
  if (showPrompts) return "--show-prompts shows one run: it cannot be used with --inputs";
  return undefined;
}

function warnUnused({ err }: Terminal, { program: crew }: Loaded, given: Inputs): void {
  if (crew.type === "flow") return; // its state's schema says what it takes
  const unused = unusedInputs(crew, given);
  if (unused.length === 0) return;
  const names = inputNamesOf(crew);
  const known = names.join(", ") || "none";
  for (const name of unused) {
    // A slip of the hand would run with the default, and be paid for. Another name may be for a hook or a condition.
    const meant = similarTo(
      name,
      names.filter((one) => !Object.hasOwn(given, one)),
    );
    if (meant !== undefined)
      throw new BosunError(
        "usage",
        `--input ${name}=…: did you mean ${meant}? The crew's inputs: ${known}`,
      );
  }
  writeLines(err, [
    err.paint(
      "yellow",
      `Note: the crew asks for no input ${unused.join(", ")}; its inputs: ${known}`,
    ),
  ]);
}

async function preview({
  terminal,
  bosun,
  loaded,
  flags,
  given,
}: Omit<OneRun, "userConsole">): Promise<number> {
  const { program: crew } = loaded;
  const { model, json = false } = flags;
  const inputs = { ...loaded.inputs, ...given };
  if (crew.type === "flow") return dryRunFlow({ flow: crew, inputs, model, json }, bosun, terminal);
  checkAllInputs(crew, inputs);
  return dryRun({ crew, inputs, model, json }, bosun, terminal);
}

type OneRun = {
  readonly terminal: Terminal;
  readonly bosun: Bosun;
  readonly loaded: Loaded;
  readonly flags: RunFlags;
  readonly given: Inputs;
  readonly userConsole: UserConsole;
};

async function runOnce(one: OneRun): Promise<number> {
  const { terminal, bosun, loaded, flags, given, userConsole } = one;
  const { model, runId, showPrompts, session, json = false, data, wait } = flags;
  const inputs = { ...loaded.inputs, ...given };
  if (loaded.program.type === "crew") checkAllInputs(loaded.program, inputs);
  const options = { inputs, model, runId, showPrompts, session, origin: loaded.origin };
  const begin = (onAsk: AskHandler): Promise<StartedRun> =>
    bosun.start(loaded.program, { ...options, onAsk });
  return showWholeRun({ terminal, bosun, userConsole, json, data, wait, begin });
}
