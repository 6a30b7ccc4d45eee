// A run that is given back at a place of its journal, and goes on in another Bosun on the same folder: what the tests beside this share.

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect } from "vitest";
import {
  type Bosun,
  type BosunOptions,
  createBosun,
  type Program,
  type StartedRun,
} from "../../src/bosun.ts";
import { createVirtualClock } from "../../src/clock.ts";
import type { Crew } from "../../src/orchestration/crew/crew.ts";
import type { DurableEngine, JournalProbe } from "../../src/orchestration/durable/engine.ts";
import { openSqliteEngine } from "../../src/orchestration/durable/sqlite/engine.ts";
import type { RunEvent } from "../../src/orchestration/run/event.ts";
import type { RunState } from "../../src/orchestration/run/state.ts";
import type { RunOptions } from "../../src/run-option.ts";
import { type Script, scriptedModel } from "../../src/test/scripted-model.ts";
import { QUICK } from "../orchestration/run/scenario.ts";
import { asSet, ID, keptKeys, tempFolder, timeless } from "../resume-scene.ts";

/** A crew or a flow and its surroundings. What comes from outside follows from the place where it is asked for. */
export type Scenario = {
  /** Makes it anew, as another process would. */
  readonly crew: () => Program;
  readonly script: Script;
  readonly inputs?: RunOptions["inputs"] | undefined;
  readonly onAsk?: RunOptions["onAsk"];
  readonly options?: Pick<RunOptions, "session" | "limits" | "showPrompts"> | undefined;
  readonly bosun?: Pick<BosunOptions, "responseCache"> | undefined;
  readonly contextTokens?: number | undefined;
  /** In virtual time, which jumps when nothing else can happen. */
  readonly isVirtual?: boolean | undefined;
  /** A run of its session that has ended before. */
  readonly before?: Crew | undefined;
};

type Opened = AsyncDisposable & { readonly bosun: Bosun; readonly engine: DurableEngine };

/** Opens a Bosun on the folder that executes each run once more when it is done. */
function open(scenario: Scenario, data: string, probe: JournalProbe): Opened {
  const { script, contextTokens, bosun: own } = scenario;
  const model = Object.assign(scriptedModel(script, { contextTokens }), {
    usdPerMillionTokens: PRICE,
  });
  const clock = scenario.isVirtual ? createVirtualClock({ auto: true }) : undefined;
  const engine = openSqliteEngine(data, { clock, probe, checkReplay: true });
  const bosun = createBosun({
    ...own,
    clock,
    data,
    env: {},
    engine,
    model,
    retry: QUICK,
    outputFolder: data,
  });
  return {
    bosun,
    engine,
    async [Symbol.asyncDispose]() {
      await bosun.close();
      await engine[Symbol.asyncDispose]();
    },
  };
}

/** A power of two for each token: sums are the same in any order. */
const PRICE = { input: 1_000_000 / 2 ** 20, output: 1_000_000 / 2 ** 18 };

/** What a run came to, and what was done for it. */
export type Came = {
  readonly state: RunState;
  readonly events: readonly RunEvent[];
  /** Steps and questions that were begun, by key. */
  readonly begun: readonly string[];
  readonly asked: readonly string[];
};

/** Events as texts, in an order of their own, whichever folder they name. */
const told = ({ events }: Came, folder: string): readonly string[] =>
  asSet(events).map((event) => event.replaceAll(folder, ""));

/** The run from its beginning to its end. */
export async function whole(scenario: Scenario, data: string): Promise<Came> {
  return follow(scenario, data, (bosun, onAsk) => begin(scenario, bosun, onAsk));
}

/** The run from where it was interrupted. */
async function resumed(scenario: Scenario, data: string): Promise<Came> {
  return follow(scenario, data, (bosun, onAsk) => bosun.resume(scenario.crew(), ID, { onAsk }));
}

async function begin(
  scenario: Scenario,
  bosun: Bosun,
  onAsk: RunOptions["onAsk"],
): Promise<StartedRun> {
  const { crew, inputs = {}, options } = scenario;
  return bosun.start(crew(), { ...options, inputs, onAsk, runId: ID });
}

async function follow(
  scenario: Scenario,
  data: string,
  run: (bosun: Bosun, onAsk: RunOptions["onAsk"]) => Promise<StartedRun>,
): Promise<Came> {
  const [begun, asked]: [string[], string[]] = [[], []];
  await using opened = open(scenario, data, (point, key) => {
    if (point === "begun") begun.push(key);
  });
  const started = await run(opened.bosun, (question, context) => {
    asked.push(question.name);
    return scenario.onAsk?.(question, context);
  });
  const state = await started.ended;
  const events: RunEvent[] = [];
  for await (const event of started.log.read(0, new AbortController().signal))
    if (event.type !== "model-delta") events.push(event);
  return { state, events, begun, asked };
}

/** Where a run is given back: when so many of its steps have come to a point. */
export type Place = { readonly point: "begun" | "ended" | "kept"; readonly n: number };

/** Executes the run until it is given back at the place. */
async function interrupted(
  scenario: Scenario,
  data: string,
  place: Place,
  how: "begin" | "resume" = "begin",
): Promise<void> {
  let [count, bosun]: [number, Bosun | undefined] = [0, undefined];
  await using opened = open(scenario, data, (point) => {
    if (point === place.point && ++count === place.n) void bosun?.suspend();
  });
  ({ bosun } = opened);
  const { crew, onAsk } = scenario;
  const run = await (how === "begin"
    ? begin(scenario, bosun, onAsk)
    : bosun.resume(crew(), ID, { onAsk }));
  await run.ended.catch(() => undefined); // given back, or at its end before
}

/** The earlier run is in the store, and not in the journal. */
async function before({ before: crew, script, options }: Scenario, data: string): Promise<void> {
  if (crew === undefined) return;
  const bosun = createBosun({ data, env: {}, engine: "inline", model: scriptedModel(script) });
  const run = await bosun.start(crew, { inputs: {}, session: options?.session });
  await run.ended;
  await bosun.close();
}

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

/** Interrupts the run again and again, each time when so many further steps are kept. */
export async function checkAgain(scenario: Scenario, steps: number): Promise<void> {
  const expected = await expectedOf(scenario);
  using folder = tempFolder();
  await before(scenario, folder.path);
  const place = { point: "kept", n: steps } as const;
  await interrupted(scenario, folder.path, place);
  while (keptKeys(folder.path).length + 2 * steps < expected.kept)
    await interrupted(scenario, folder.path, place, "resume");
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
