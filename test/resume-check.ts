// What must hold of a run however often, and wherever, it is interrupted.

import { expect } from "vitest";
import { seeded } from "./orchestration/run/scenario.ts";
import {
  asSet,
  type Came,
  cutOff,
  keptKeys,
  resumedRun,
  suspendedRun,
  tempFolder,
  timeless,
  wholeRun,
} from "./resume-scene.ts";
import { richCrew } from "./rich-crew.ts";

/** As if its process had been killed: some steps are kept, and some events, of which the last ones may be missing or ahead. @returns its steps. */
export async function checkCuts(seed: number, cuts: number): Promise<number> {
  using folder = tempFolder();
  const expected = await wholeRun(richCrew(seed), folder.path);
  const keys = keptKeys(folder.path);
  const random = seeded(seed);
  for (let cut = 0; cut < cuts; cut++) {
    const steps = Math.round(random() * keys.length);
    const events = Math.round(random() * expected.events.length);
    using copy = tempFolder();
    cutOff(folder.path, copy.path, { steps, events });

    const came = await resumedRun(richCrew(seed), copy.path);

    const where = `seed ${seed}, cut after ${steps} of ${keys.length} steps and ${events} events`;
    expectSame(came, expected, { where, done: keys.slice(0, steps) });
    expect(came.events.filter(({ replayed }) => replayed).length, where).toBe(events);
  }
  return keys.length;
}

/** Given back while one of its model calls is under way. @returns its calls. */
export async function checkSuspensions(seed: number): Promise<number> {
  using folder = tempFolder();
  const expected = await wholeRun(richCrew(seed), folder.path);
  for (let n = 1; n <= expected.calls.length; n++) {
    using copy = tempFolder();
    const done = await suspendedRun(richCrew(seed), copy.path, n);

    const came = await resumedRun(richCrew(seed), copy.path);

    expectSame(came, expected, { where: `seed ${seed}, given back at call ${n}`, done });
  }
  return expected.calls.length;
}

function expectSame(
  came: Came,
  expected: Came,
  { where, done }: { readonly where: string; readonly done: readonly string[] },
): void {
  const isDone = new Set(done);
  expect(
    came.calls.filter((call) => isDone.has(call)),
    where,
  ).toEqual([]);
  expect(timeless(came.state), where).toEqual(timeless(expected.state));
  expect(asSet(came.events), where).toEqual(asSet(expected.events));
  const numbers = came.events.map(({ seq }) => seq);
  expect(numbers, where).toEqual(numbers.map((_, index) => index + 1));
}
