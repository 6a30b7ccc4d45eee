// Running a program once, following it, or once for each of many inputs: what crews, agents and flows do alike.

import { BosunError } from "./error.ts";
import type { StartedRun } from "./follow-run.ts";
import { isObject } from "./json.ts";
import { show } from "./orchestration/crew/option.ts";
import { type ItemResult, runEach } from "./orchestration/run/each.ts";
import type { RunEvent } from "./orchestration/run/event.ts";
import type { RunState } from "./orchestration/run/state.ts";
import type { RunOptions } from "./run-option.ts";

/** What a kind of program makes of the end of its run. */
export type Ending<Result> = {
  readonly toResult: (state: RunState) => Result | Promise<Result>;
  /** The error that is thrown for a result; undefined for one that is returned. It carries the result as `partial`. */
  readonly toFailure: (result: Result, cause: unknown) => BosunError | undefined;
};

/**
 * Whoever kicks off has no other way to answer than onAsk: without one, nobody is waited for.
 * @param what For the message: `crew "x"`. @throws BosunError `usage` for what are no options at all, and for inputs that are none; for
 *   those of a flow `flow/input`.
 */
export function kickoffOptions(
  what: string,
  options: Omit<RunOptions, "inputs"> & { readonly inputs?: RunOptions["inputs"] | undefined },
  code: "usage" | "flow/input" = "usage",
): RunOptions {
  checkKickoff(`a kickoff of ${what}`, options);
  const { inputs = {}, onAsk = () => ({ nobody: "the kickoff has no onAsk" }), ...rest } = options;
  if (!isObject(inputs))
    throw new BosunError(
      code,
      `a run of ${what}: its inputs must be an object of values by name, got ${show(inputs)}`,
    );
  return { ...rest, inputs, onAsk };
}

/** @throws BosunError `usage` for options that are no object: a caller without types may give anything. */
export function checkKickoff(where: string, options: unknown): void {
  if (!isObject(options))
    throw new BosunError(
      "usage",
      `${where}: its options must be an object, as { inputs: { … } }, got ${show(options)}`,
    );
}

/** Waits for a run's end. @throws BosunError for one that is not good, with what was finished as `partial`. */
export async function finishRun<Result>(
  run: StartedRun,
  { toResult, toFailure }: Ending<Result>,
): Promise<Result> {
  const state = await run.ended.catch(async (error: unknown) => {
    throw Object.assign(error instanceof Error ? error : new Error(String(error)), {
      partial: await toResult(run.log.state),
    });
  });
  const result = await toResult(state);
  const failure = toFailure(result, run.cause());
  if (failure) throw failure;
  return result;
}

/** Yields a run's events. Leaving the loop cancels the run. @throws after run-end as finishRun. */
export async function* streamRun<Result>(
  run: StartedRun,
  ending: Ending<Result>,
): AsyncGenerator<RunEvent, Result> {
  let isLeft = true;
  // A run that ends without run-end (a defect, or a store that failed) must not leave its reader waiting.
  const reading = new AbortController();
  run.ended.catch((error: unknown) => reading.abort(error));
  try {
    for await (const event of run.log.read(0, reading.signal)) {
      if (event.type === "run-end") isLeft = false;
      yield event;
    }
  } catch (error) {
    isLeft = false; // the events cannot be read any more; the run goes on to its end, for what it has paid for
    await finishRun(run, ending);
    throw error;
  } finally {
    if (isLeft) {
      run.cancel("the reader of its stream left");
      await run.ended.catch(() => undefined); // the reader is gone: there is nobody to tell
    }
  }
  return finishRun(run, ending);
}

/** How many of the items of a kickoffForEach run at once. */
const DEFAULT_CONCURRENCY = 4;

/** Options of a kickoffForEach, besides those of each run. */
export type EachOptions = {
  readonly concurrency?: number | undefined;
  readonly signal?: AbortSignal | undefined;
};

/** Runs one program for each item. Never rejects for one of them: results and errors are in order, an abort leaves out what was not started. */
export async function kickoffEach<Item, Result>(
  items: Iterable<Item> | AsyncIterable<Item>,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
  options: EachOptions,
): Promise<readonly ItemResult<Item, Result>[]> {
  if (!isIterable(items))
    throw new BosunError(
      "usage",
      `kickoffForEach: its items must be a list or an iterable of inputs, got ${show(items)}`,
    );
  const { concurrency = DEFAULT_CONCURRENCY, signal = new AbortController().signal } = options;
  if (!Number.isInteger(concurrency) || concurrency < 1)
    throw new BosunError(
      "usage",
      `kickoffForEach: concurrency must be a whole number of at least 1, got ${concurrency}`,
    );
  const results: ItemResult<Item, Result>[] = [];
  for await (const ended of runEach(items, work, { concurrency, signal }))
    results[ended.index] = ended;
  return results;
}

/** A text is no list of inputs, though it has letters. */
function isIterable(items: unknown): boolean {
  return (
    typeof items === "object" &&
    items !== null &&
    (Symbol.iterator in items || Symbol.asyncIterator in items)
  );
}
