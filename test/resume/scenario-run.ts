// A run that ends early at a place of its journal, and goes on in another Bosun on the same folder.

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
import { ID } from "../resume-scene.ts";

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

/** The run from its beginning to its end. */
export async function whole(scenario: Scenario, data: string): Promise<Came> {
  return follow(scenario, data, (bosun, onAsk) => begin(scenario, bosun, onAsk));
}

/** The run from where it was interrupted. */
export async function resumed(scenario: Scenario, data: string): Promise<Came> {
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

/** Where a run ends early: when so many of its steps have come to a point. */
export type Place = { readonly point: (typeof POINTS)[number]; readonly n: number };

/** Of one step: before it is done, when it has ended and is kept nowhere, when it is kept. */
export const POINTS = ["begun", "ended", "kept"] as const;

export function isPoint(text: string | undefined): text is Place["point"] {
  return POINTS.some((point) => point === text);
}

/** Executes the run until the place, where it is given back, or what `end` does. */
export async function interrupted(
  scenario: Scenario,
  data: string,
  place: Place,
  {
    how = "begin",
    end = (bosun) => void bosun.suspend(),
  }: {
    readonly how?: "begin" | "resume";
    readonly end?: (bosun: Bosun) => void;
  } = {},
): Promise<void> {
  let [count, ended]: [number, (() => void) | undefined] = [0, undefined];
  await using opened = open(scenario, data, (point) => {
    if (point === place.point && ++count === place.n) ended?.();
  });
  const { bosun } = opened;
  ended = () => end(bosun);
  const { crew, onAsk } = scenario;
  const run = await (how === "begin"
    ? begin(scenario, bosun, onAsk)
    : bosun.resume(crew(), ID, { onAsk }));
  await run.ended.catch(() => undefined); // given back, or at its end before
}

/** The earlier run is in the store, and not in the journal. */
export async function before(
  { before: crew, script, options }: Scenario,
  data: string,
): Promise<void> {
  if (crew === undefined) return;
  const bosun = createBosun({ data, env: {}, engine: "inline", model: scriptedModel(script) });
  const run = await bosun.start(crew, { inputs: {}, session: options?.session });
  await run.ended;
  await bosun.close();
}
