// One run as the terminal shows it, from its beginning to its end, or to the interrupt that gives it back.

import { inspect } from "node:util";
import type { Bosun, StartedRun } from "../bosun.ts";
import { type BosunError, isBosunError } from "../error.ts";
import { isSuspension } from "../orchestration/durable/engine.ts";
import type { RunState } from "../orchestration/run/state.ts";
import type { AskHandler } from "../run-option.ts";
import { createAsker } from "./ask.ts";
import { commandName, dataFlag } from "./command-name.ts";
import { errorText, EXIT, exitCodeOfCode } from "./failure.ts";
import { graceOf, stoppingText } from "./interrupt.ts";
import { createLineInput } from "./line-input.ts";
import { placeOf } from "./load-error.ts";
import { createProgress, type Progress, type ProgressMode } from "./progress.ts";
import { reportLines } from "./report.ts";
import { canRedraw, type Terminal, writeLines } from "./terminal.ts";
import { unfinishedLines } from "./unfinished.ts";
import type { UserConsole } from "./user-console.ts";
import { printable } from "./width.ts";

/** A run to show. */
export type WholeRun = {
  readonly terminal: Terminal;
  readonly bosun: Bosun;
  readonly userConsole: UserConsole;
  readonly json: boolean;
  /** The --data of the command, for the line that says how to go on. */
  readonly data: string | undefined;
  /** Whether questions stay open when the input has ended. */
  readonly wait: boolean | undefined;
  /** Starts the run, or goes on with it. */
  readonly begin: (onAsk: AskHandler) => Promise<StartedRun>;
};

/** Follows a run to its end and tells it. @returns the exit code. */
export async function showWholeRun(shown: WholeRun): Promise<number> {
  const { terminal, bosun, userConsole, json, begin, data, wait: isPatient = false } = shown;
  const { signal, err } = terminal;
  using progress = createProgress({
    mode: modeOf(terminal, json),
    output: err,
    clock: terminal.clock,
  });
  using input = createLineInput(() => terminal.input.stream);
  const hold = (): Disposable => progress.hold();
  const run = await begin(createAsker({ terminal, input, hold, isPatient, data }));
  userConsole.to((lines) => progress.print(lines));
  const suspend = (): void => {
    progress.print([err.paint("yellow", stoppingText(signal))]);
    bosun.suspend(graceOf(signal)).catch(() => undefined); // what fails shows in the run's own end
  };
  if (signal.aborted) suspend();
  else signal.addEventListener("abort", suspend, { once: true });
  const ended = await follow(run, { terminal, progress, json });
  signal.removeEventListener("abort", suspend);
  progress[Symbol.dispose]();
  const keptIn = (await bosun.store())?.path;
  const models = progress.live.models;
  if ("suspended" in ended)
    return tellSuspended(shown, { ...ended, runId: run.runId, models, keptIn });
  return tell(shown, { state: ended.state, models, keptIn }, run.cause());
}

/** With events on a terminal's stdout there is no room for anything else on it. */
function modeOf(terminal: Terminal, json: boolean): ProgressMode {
  if (json && terminal.out.isTerminal) return "none";
  return canRedraw(terminal) ? "live" : "lines";
}

type Following = {
  readonly terminal: Terminal;
  readonly progress: Progress;
  readonly json: boolean;
};

type End =
  | { readonly state: RunState }
  | { readonly state: RunState; readonly suspended: BosunError };

/** Shows a run's events until its end. What stops the showing stops the run. */
async function follow(
  run: StartedRun,
  { terminal: { out }, progress, json }: Following,
): Promise<End> {
  try {
    for await (const event of run.log.read(0, new AbortController().signal)) {
      progress.event(event);
      if (!json) continue;
      out.write(`${JSON.stringify(event)}\n`);
      await out.drained();
    }
    return { state: await run.ended };
  } catch (error) {
    if (isSuspension(error)) {
      await run.ended.catch(() => undefined); // it is given back: the same reason
      return { state: run.log.state, suspended: error };
    }
    run.giveBack("its events cannot be shown or kept any more");
    await run.ended.catch(() => undefined); // the first error says more
    if (!isBosunError(error) || error.code !== "store/failed") throw error;
    return { state: run.log.state, suspended: error };
  }
}

type Told = {
  readonly state: RunState;
  readonly models: Readonly<Record<string, number>>;
  readonly keptIn: string | undefined;
};

/** The run goes on later: says how. */
function tellSuspended(
  { terminal, data }: WholeRun,
  { runId, suspended, ...told }: Told & { readonly runId: string; readonly suspended: BosunError },
): number {
  const { err } = terminal;
  const columns = err.isTerminal ? err.columns() : undefined;
  const input = { ...told, status: "interrupted" };
  writeLines(err, ["", ...reportLines(input, { columns, paint: err.paint })]);
  const isOurs = suspended.code === "run/suspended";
  if (!isOurs) writeLines(err, [err.paint("red", errorText(suspended))]);
  writeLines(err, [
    err.paint(
      "yellow",
      `The run is interrupted. Go on with it: ${commandName()} runs resume ${runId}${dataFlag(data)}`,
    ),
  ]);
  return isOurs ? EXIT.interrupted : EXIT.failed;
}

/** The text to stdout; the tables beside it on a terminal, else to stderr. */
function tell({ terminal, json, data }: WholeRun, told: Told, cause: unknown): number {
  const { out, err } = terminal;
  const { state } = told;
  const isGood = state.status === "done" || state.status === "partial";
  if (isGood && !json) out.write(`${out.isTerminal ? `\n${printable(state.raw)}\n` : state.raw}\n`);
  const side = out.isTerminal && !json ? out : err;
  writeLines(side, ["", ...unfinishedLines(state, side.paint)]);
  const columns = side.isTerminal ? side.columns() : undefined;
  writeLines(side, reportLines(told, { columns, paint: side.paint }));
  return isGood ? EXIT.done : tellFailure(terminal, { state, cause, data });
}

/** Why a run did not end well, and how its work can go on. */
function tellFailure(
  { err, signal, env }: Terminal,
  {
    state,
    cause,
    data,
  }: Pick<Told, "state"> & {
    readonly cause: unknown;
    readonly data: string | undefined;
  },
): number {
  const { error, status } = state;
  const code = error?.code ?? "run/failed";
  if (canRerun(state)) {
    const command = `${commandName()} runs rerun ${state.runId}${dataFlag(data)}`;
    writeLines(err, [`What is done is kept. To do the rest in another run: ${command}`]);
  }
  // Of what a user's own function threw: where it is.
  const thrown = firstCause(cause);
  const place = thrown === undefined ? "" : placeOf(thrown);
  const message = `${place ? `${place}: ` : ""}${error?.message ?? `the run ${status}`}`;
  writeLines(err, [err.paint("red", errorText({ code, message }))]);
  if (env()["BOSUN_DEBUG"] === "1" && cause !== undefined)
    writeLines(err, inspect(cause).split("\n"));
  const isInterrupted = signal.aborted && status === "cancelled";
  return isInterrupted ? EXIT.interrupted : exitCodeOfCode(code);
}

/** What an error began with, where that is none of Bosun's. */
function firstCause(error: unknown): unknown {
  let [first, depth] = [error, 0];
  while (first instanceof Error && first.cause !== undefined && depth++ < 10) first = first.cause;
  return isBosunError(first) ? undefined : first;
}

/** Where something was done, and another try may come to more. */
function canRerun({ status, tasks, steps }: RunState): boolean {
  const isDone = [...Object.values(tasks), ...Object.values(steps)].some(
    (one) => one.status === "done",
  );
  return isDone && (status === "failed" || status === "timed-out");
}
