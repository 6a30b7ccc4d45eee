// A run that is given back or killed at a place of its journal, and goes on in another Bosun on the same folder: what the tests beside this share.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import { asSet, ID, keptKeys, tempFolder, timeless } from "../resume-scene.ts";
import { scenarioOf } from "./flows.ts";
import {
  before,
  type Came,
  interrupted,
  type Place,
  resumed,
  type Scenario,
  whole,
} from "./scenario-run.ts";

/** Events as texts, in an order of their own, whichever folder they name. */
const told = ({ events }: Came, folder: string): readonly string[] =>
  asSet(events).map((event) => event.replaceAll(folder, ""));

type Expected = Came & { readonly told: readonly string[] };

async function expectedOf(scenario: Scenario): Promise<Expected & { readonly kept: number }> {
  using folder = tempFolder();
  await before(scenario, folder.path);
  const came = await whole(scenario, folder.path);
  return { ...came, told: told(came, folder.path), kept: keptKeys(folder.path).length };
}

/** Interrupts the run at each of the places, and goes on with it. */
export async function checkPlaces(
  scenario: Scenario,
  places: (kept: number) => readonly Place[],
): Promise<void> {
  const expected = await expectedOf(scenario);
  for (const place of places(expected.kept)) await checkPlace(scenario, place, expected);
}

async function checkPlace(scenario: Scenario, place: Place, expected: Expected): Promise<void> {
  using folder = tempFolder();
  await before(scenario, folder.path);
  await interrupted(scenario, folder.path, place);
  await checkResumed(scenario, folder.path, {
    expected,
    where: `given back when step ${place.n} was ${place.point}`,
  });
}

/** Kills the run's process with -9 at each of the places, and goes on with it in this one. */
export async function checkKills(
  name: string,
  places: (kept: number) => readonly Place[],
): Promise<void> {
  const scenario = scenarioOf(name);
  const expected = await expectedOf(scenario);
  for (const { point, n } of places(expected.kept)) {
    using folder = tempFolder();
    const args = [KILLED, name, folder.path, point, String(n)];
    const { signal, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
    const where = `killed when step ${n} was ${point}`;
    // One that was at its end before the place came has ended by itself.
    if (signal !== "SIGKILL") expect([stderr, isEnded(folder.path)], where).toEqual(["", true]);
    await checkResumed(scenario, folder.path, { expected, where });
  }
}

const KILLED = join(import.meta.dirname, "killed-process.ts");

/** Interrupts the run again and again, each time when so many further steps are kept. */
export async function checkAgain(scenario: Scenario, steps: number): Promise<void> {
  const expected = await expectedOf(scenario);
  using folder = tempFolder();
  await before(scenario, folder.path);
  const place = { point: "kept", n: steps } as const;
  await interrupted(scenario, folder.path, place);
  while (keptKeys(folder.path).length + 2 * steps < expected.kept)
    await interrupted(scenario, folder.path, place, { how: "resume" });
  const where = `given back after each ${steps} steps`;
  await checkResumed(scenario, folder.path, { expected, where });
}

async function checkResumed(
  scenario: Scenario,
  folder: string,
  { expected, where }: { readonly expected: Expected; readonly where: string },
): Promise<void> {
  const kept = new Set(keptKeys(folder));
  const stored = storedEvents(folder);
  if (isEnded(folder)) return; // before the place came

  const came = await resumed(scenario, folder);

  expect(timeless(came.state), where).toEqual(timeless(expected.state));
  expect(told(came, folder), where).toEqual(expected.told);
  expect(
    came.events.map(({ seq }) => seq),
    where,
  ).toEqual(came.events.map((_, n) => n + 1));
  expect(
    came.events.map(({ replayed }) => replayed),
    where,
  ).toEqual(came.events.map((_, n) => n < stored));
  expect(
    came.begun.filter((key) => kept.has(key)),
    where,
  ).toEqual([]);
  expect(
    came.asked.filter((name) => kept.has(`wait:${name}`)),
    where,
  ).toEqual([]);
}

function storedEvents(folder: string): number {
  using store = new DatabaseSync(join(folder, "runs.db"));
  const row = store
    .prepare(
      "SELECT count(*) AS count FROM events WHERE run = (SELECT id FROM runs WHERE run_id = ?)",
    )
    .get(ID);
  return Number(row?.["count"]);
}

function isEnded(folder: string): boolean {
  using journal = new DatabaseSync(join(folder, "journal.db"));
  const row = journal.prepare("SELECT phase FROM runs WHERE run_id = ?").get(ID);
  return row?.["phase"] === "done" || row?.["phase"] === "failed";
}
