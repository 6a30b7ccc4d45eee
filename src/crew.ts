// A crew that can be kicked off: the plain data of orchestration/crew with kickoff, stream and kickoffForEach bound to a Bosun.

import { type Bosun, createBosun } from "./bosun.ts";
import { BosunError } from "./error.ts";
import {
  checkKickoff,
  type Ending,
  finishRun,
  kickoffEach,
  kickoffOptions,
  streamRun,
} from "./kickoff.ts";
import type { Agent } from "./orchestration/crew/agent.ts";
import { type Crew, type CrewOptions, defineCrew, type Policy } from "./orchestration/crew/crew.ts";
import type { CrewInputs, CrewNames } from "./orchestration/crew/crew-input.ts";
import type { Task } from "./orchestration/crew/task.ts";
import type { ItemResult } from "./orchestration/run/each.ts";
import type { RunEvent } from "./orchestration/run/event.ts";
import { failRun, type RunResult, type TaskResults, toResult } from "./orchestration/run/result.ts";
import type { RunOptions } from "./run-option.ts";

export type { CrewInputs } from "./orchestration/crew/crew-input.ts";

type ManagerIn<M> = M extends Agent ? readonly [M] : readonly [];

/** Options of a kickoff. `inputs` may be left out only when no text asks for one. */
export type KickoffOptions<In> = Omit<RunOptions, "inputs"> &
  (In extends { readonly [name: string]: never }
    ? { readonly inputs?: In }
    : { readonly inputs: In });

type KickoffArguments<In> = In extends { readonly [name: string]: never }
  ? [options?: KickoffOptions<In>]
  : [options: KickoffOptions<In>];

/** A crew with what runs it. */
export type RunnableCrew<
  Tasks extends readonly Task[] = readonly Task[],
  P extends Policy = Policy,
  Agents extends readonly Agent[] = readonly [],
> = Crew<Tasks, P, CrewNames<Tasks, Agents>> & {
  /**
   * Runs the crew once.
   * @returns the result of a run that is done or partial.
   * @throws BosunError for every other end; `partialResult(error)` gives what was finished.
   */
  kickoff(
    ...options: KickoffArguments<CrewInputs<Tasks, Agents>>
  ): Promise<RunResult<TaskResults<Tasks, P>>>;
  /** Runs the crew and yields what happens. Leaving the loop cancels the run. Throws after run-end where kickoff would. */
  stream(
    ...options: KickoffArguments<CrewInputs<Tasks, Agents>>
  ): AsyncGenerator<RunEvent, RunResult<TaskResults<Tasks, P>>>;
  /** Runs the crew for each inputs, `concurrency` at once (default 4). Never rejects for one item: results and errors are in order; an
   * abort leaves out what was not started. */
  kickoffForEach(
    items: Iterable<CrewInputs<Tasks, Agents>> | AsyncIterable<CrewInputs<Tasks, Agents>>,
    options?: Omit<RunOptions, "inputs" | "runId" | "session"> & {
      readonly concurrency?: number | undefined;
    },
  ): Promise<readonly ItemResult<CrewInputs<Tasks, Agents>, RunResult<TaskResults<Tasks, P>>>[]>;
};

let shared: Bosun | undefined;

/**
 * Makes a crew.
 * @param options.bosun what it runs on, as createBosun makes it. Default: one for the process, made from the environment at the
 *   first kickoff; its connections and its store do not keep the process alive.
 * @throws BosunError `crew/…` for a crew that cannot run.
 */
export function crew<
  const Tasks extends readonly Task[],
  const P extends Policy = "fail-fast",
  const Agents extends readonly Agent[] = readonly [],
  const Manager extends Agent | undefined = undefined,
>(
  options: CrewOptions<Tasks, P, Agents> & {
    readonly manager?: Manager;
    readonly bosun?: Bosun | undefined;
  },
): RunnableCrew<Tasks, P, readonly [...Agents, ...ManagerIn<Manager>]> {
  const { bosun, ...rest } = options;
  type All = readonly [...Agents, ...ManagerIn<Manager>];
  const data = defineCrew<Tasks, P, CrewNames<Tasks, All>>(rest);
  const home = (): Bosun => homeOf(bosun);
  return {
    ...data,
    kickoff: (...[run]) => kickoff(home(), data, run),
    stream: (...[run]) => stream(home(), data, run),
    async kickoffForEach(items, run = {}) {
      checkKickoff(`kickoffForEach of crew "${data.name}"`, run);
      const { concurrency, signal, ...each } = run;
      if ("session" in each)
        throw new BosunError(
          "usage",
          "kickoffForEach: items run at once, and cannot be turns of one session",
        );
      const work = async (inputs: CrewInputs<Tasks, All>, itemSignal: AbortSignal) =>
        kickoff(home(), data, { ...each, inputs, signal: itemSignal });
      return kickoffEach(items, work, { concurrency, signal });
    },
  };
}

/** The given Bosun, else the one of the process, made from the environment at its first use. */
export function homeOf(bosun: Bosun | undefined): Bosun {
  return bosun ?? (shared ??= createBosun());
}

/** Runs a crew once on a Bosun. See RunnableCrew.kickoff. */
export async function kickoff<Tasks extends readonly Task[], P extends Policy>(
  bosun: Bosun,
  data: Crew<Tasks, P>,
  options: Partial<RunOptions> = {},
): Promise<RunResult<TaskResults<Tasks, P>>> {
  return finishRun(
    await bosun.start(data, kickoffOptions(`crew "${data.name}"`, options)),
    endingOf(data),
  );
}

/** Runs a crew on a Bosun and yields what happens. See RunnableCrew.stream. */
export async function* stream<Tasks extends readonly Task[], P extends Policy>(
  bosun: Bosun,
  data: Crew<Tasks, P>,
  options: Partial<RunOptions> = {},
): AsyncGenerator<RunEvent, RunResult<TaskResults<Tasks, P>>> {
  return yield* streamRun(
    await bosun.start(data, kickoffOptions(`crew "${data.name}"`, options)),
    endingOf(data),
  );
}

const endingOf = <Tasks extends readonly Task[], P extends Policy>(
  data: Crew<Tasks, P>,
): Ending<RunResult<TaskResults<Tasks, P>>> => ({
  toResult: (state) => toResult(data, state),
  toFailure: (result, cause) =>
    result.status === "done" || result.status === "partial" ? undefined : failRun(result, cause),
});
