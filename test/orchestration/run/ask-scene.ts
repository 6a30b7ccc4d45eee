// What the tests of questions to people share: a run whose questions the test answers itself.

import type { Bosun, StartedRun } from "../../../src/bosun.ts";
import type { Crew } from "../../../src/orchestration/crew/crew.ts";
import type { RunEvent } from "../../../src/orchestration/run/event.ts";
import type { RunOptions } from "../../../src/run-option.ts";
import { only, settle } from "./scenario.ts";

/** A run that has asked its first questions. */
export type Waiting = {
  readonly run: StartedRun;
  /** What has happened so far. */
  readonly events: readonly RunEvent[];
  /** The names of the questions that are open, in the order in which they were asked. */
  readonly open: () => readonly string[];
};

export async function startedRun(
  bosun: Bosun,
  made: Crew,
  options: Partial<RunOptions> = {},
): Promise<Waiting> {
  const run = await bosun.start(made, { inputs: {}, ...options });
  const events: RunEvent[] = [];
  void readAll(run, events);
  const hasAsked = (): boolean => only(events, "ask-start").length > 0;
  for (let turn = 0; turn < 100 && !hasAsked(); turn++) await settle(); // a schema's library is loaded at its first use
  await settle();
  const open = (): readonly string[] => {
    const ended = new Set(only(events, "ask-end").map(({ name }) => name));
    return only(events, "ask-start").flatMap(({ name }) => (ended.has(name) ? [] : [name]));
  };
  return { run, events, open };
}

async function readAll({ log }: StartedRun, events: RunEvent[]): Promise<void> {
  for await (const event of log.read(0, new AbortController().signal)) events.push(event);
}
