// A crew of five tasks in a row whose models are at zero, each its own or one for all: how many cold starts the run waits for, and
// how many seconds of workers are billed for it.

import { createVirtualClock, type VirtualClock } from "../../src/clock.ts";
import type { ModelRef } from "../../src/inference/model/endpoint.ts";
import type { Model, ModelRequest } from "../../src/inference/model/model.ts";
import type { PoolEndpoint } from "../../src/inference/pool/deployment.ts";
import { createPool, type Pool } from "../../src/inference/pool/pool.ts";
import { agent } from "../../src/orchestration/crew/agent.ts";
import { defineCrew } from "../../src/orchestration/crew/crew.ts";
import { task } from "../../src/orchestration/crew/task.ts";
import { planCrew } from "../../src/orchestration/plan/plan.ts";
import { prewarm } from "../../src/orchestration/run/prewarm.ts";
import { formatNumber, type Section } from "../overhead/report.ts";
import { summarize } from "../overhead/statistics.ts";
import { promptOf, requestOf } from "./measure.ts";
import { CHAIN } from "./profile.ts";
import { type Server, startServer } from "./serverless.ts";
import { drawWorkload, type Program, type Workload } from "./workload.ts";

/** Seconds that a worker stays after its last request: Runpod's default, a task's length, and long enough for all gaps. */
const IDLE_SECONDS = [5, 120, 300] as const;
/** Until all workers are initialised, or asleep again. */
const SETTLE_MS = 1_800_000;
const TASKS = CHAIN.long.tasks;

type Way = {
  readonly name: string;
  readonly hasPool: boolean;
  /** The crew tells the pool which models it needs; workers are kept awake for so long. Undefined = it does not. */
  readonly keptAwakeMs?: number;
  /** Runs before the measured one. */
  readonly rehearsals: number;
};

/** The fleet file's default. */
const KEPT_MS = 300_000;

const WAYS: readonly Way[] = [
  { name: "no pool", hasPool: false, rehearsals: 0 },
  { name: "bosun, nothing told", hasPool: true, rehearsals: 0 },
  { name: "bosun, woken only", hasPool: true, keptAwakeMs: 0, rehearsals: 0 },
  { name: "bosun", hasPool: true, keptAwakeMs: KEPT_MS, rehearsals: 0 },
  { name: "bosun, 4th run", hasPool: true, keptAwakeMs: KEPT_MS, rehearsals: 3 },
];

/** @param seeds runs, each from zero and with cold starts of its own. */
export async function measureColdStart(seeds: number): Promise<Section> {
  const workload = drawWorkload(CHAIN, seeds, 1);
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  for (const models of [TASKS, 1])
    for (const idleSeconds of IDLE_SECONDS)
      for (const way of WAYS) {
        const runs: Run[] = [];
        for (let seed = 1; seed <= seeds; seed++)
          runs.push(await runChain(workload, { ...way, models, idleSeconds, seed }));
        rows.push(toRow({ models, idleSeconds, way }, runs));
        data.push({ models, idleSeconds, way: way.name, runs });
      }
  return {
    title: "Cold starts: a crew of five tasks in a row, from zero",
    note:
      "Paid: seconds waited for workers, by the mean start of the run's workers; target: at most 1.1. Leaves: a worker that nobody asks stays so many seconds; Runpod's default is 5. " +
      "Billed: seconds of all workers from start to end, their last idle time included, and of them those without a request. A task takes about two minutes, a start one. " +
      "Nothing told: calls alone wake. Woken only: keepAwakeSeconds 0. Bosun: keepAwakeSeconds 300, the default. 4th run: the pool knows how long tasks and starts took.",
    rows,
    data,
  };
}

type Case = {
  readonly models: number;
  readonly idleSeconds: number;
  readonly way: Way;
};

function toRow({ models, idleSeconds, way }: Case, runs: readonly Run[]): Record<string, string> {
  const mean = (of: (run: Run) => number): string =>
    formatNumber(runs.reduce((sum, run) => sum + of(run), 0) / runs.length);
  const paidOf = (run: Run): number => run.waitedMs / run.startMs;
  return {
    way: way.name,
    models: `${models}`,
    "leaves s": `${idleSeconds}`,
    runs: `${runs.length}`,
    "cold starts paid, mean": mean(paidOf),
    p90: formatNumber(summarize(runs.map(paidOf)).p90),
    started: mean((run) => run.starts),
    "billed s": mean((run) => run.billedSeconds),
    "idle s": mean((run) => run.idleSeconds),
    "run s": formatNumber(summarize(runs.map((run) => run.latencyMs / 1_000)).median),
  };
}

type Run = {
  readonly waitedMs: number;
  /** Mean of its workers' starts. */
  readonly startMs: number;
  readonly starts: number;
  readonly billedSeconds: number;
  readonly idleSeconds: number;
  readonly latencyMs: number;
};

type Turn = Way & {
  readonly models: number;
  readonly idleSeconds: number;
  readonly seed: number;
};

/** The run of a seed's program, after as many rehearsals with others'. */
async function runChain(workload: Workload, way: Turn): Promise<Run> {
  const clock = createVirtualClock();
  const { seed, models, idleSeconds, keptAwakeMs = 0 } = way;
  const servers = Array.from({ length: models }, (_, index) => {
    const name = `model-${index}`;
    return {
      name,
      ...startServer({ name, workload, clock, seed: seed * 10 + index, idleSeconds }),
    };
  });
  const idle = { leavesAfterMs: idleSeconds * 1_000, keptAwakeMs };
  const pool = createPool({
    clock,
    resolve: (alias) => deploymentOf(alias, servers, idle),
  });
  const chain = { workload, clock, pool, servers, way };
  await clock.sleep(SETTLE_MS, NEVER);
  for (let before = 1; before <= way.rehearsals; before++) {
    await playChain(programAt(workload, seed - 1 + before), chain);
    await clock.sleep(SETTLE_MS, NEVER);
  }
  const billed = billOf(servers);
  const startedAt = clock.now();
  const waitedMs = await playChain(programAt(workload, seed - 1), chain);
  const latencyMs = clock.now() - startedAt;
  await clock.sleep(SETTLE_MS, NEVER); // the last worker's idle time is billed too
  pool.close();
  const after = billOf(servers);
  for (const { endpoint } of servers) endpoint[Symbol.dispose]();
  const starts = after.stretches - billed.stretches;
  return {
    waitedMs,
    startMs: (after.startMs - billed.startMs) / starts,
    starts,
    billedSeconds: after.billedSeconds - billed.billedSeconds,
    idleSeconds: (after.idleMs - billed.idleMs) / 1_000,
    latencyMs,
  };
}

const NEVER = new AbortController().signal;

function programAt({ programs }: Workload, index: number): Program {
  const program = programs[index % programs.length];
  if (!program) throw new Error("the workload has no program");
  return program;
}

type Named = Server & { readonly name: string };

/** All workers' time together. */
function billOf(servers: readonly Named[]) {
  const times = servers.map(({ endpoint }) => endpoint.bill().flex);
  const sum = (of: (time: (typeof times)[number]) => number): number =>
    times.reduce((total, time) => total + of(time), 0);
  return {
    stretches: sum((time) => time.stretches),
    startMs: sum((time) => time.startMs),
    idleMs: sum((time) => time.idleMs),
    billedSeconds: sum((time) => time.billedSeconds),
  };
}

type Chain = {
  readonly workload: Workload;
  readonly clock: VirtualClock;
  readonly pool: Pool;
  readonly servers: readonly Named[];
  readonly way: Turn;
};

/** @returns milliseconds waited for workers: what a first token took beyond WARM_MS. */
async function playChain(program: Program, chain: Chain): Promise<number> {
  const { workload, clock, pool, servers, way } = chain;
  const tell = way.keptAwakeMs === undefined ? () => undefined : tellerOf(servers, pool);
  let waitedMs = 0;
  let at = -1;
  let messages: ReturnType<typeof promptOf> = [];
  let working = new AbortController();
  for (const [index, call] of program.calls.entries()) {
    if (call.gapMs > 0) await clock.sleep(call.gapMs, NEVER);
    if (call.isFirst) {
      working.abort();
      working = new AbortController();
      tell(++at, working.signal);
    }
    const server = serverOf(servers, at);
    messages = promptOf(call, messages, workload);
    const model: Model = way.hasPool ? pool : server.model;
    const request = { ...requestOf(program, index, messages), models: [server.name] as const };
    waitedMs += Math.max(0, (await firstTokenMs(model, request, clock)) - WARM_MS);
    messages = [...messages, { role: "assistant", content: call.answer.text }];
  }
  working.abort();
  return waitedMs;
}

/** What a run of such a crew tells when one of its tasks starts. */
function tellerOf(
  servers: readonly Named[],
  pool: Pool,
): (at: number, signal: AbortSignal) => void {
  const tasks = Array.from({ length: TASKS }, (_, at) =>
    task({
      name: `task-${at}`,
      description: "work",
      expectedOutput: "text",
      agent: agent({ role: `worker ${at}`, goal: "work", model: serverOf(servers, at).name }),
    }),
  );
  const crew = defineCrew({ name: "chain", tasks });
  const run = { crew, plan: planCrew(crew), modelsFor };
  return (at, signal) => prewarm(pool, run, { name: `task-${at}`, signal });
}

function modelsFor(_: string, own?: { readonly models: readonly ModelRef[] }): readonly [ModelRef] {
  return [own?.models[0] ?? "none"];
}

async function firstTokenMs(
  model: Model,
  request: ModelRequest,
  clock: VirtualClock,
): Promise<number> {
  const at = clock.now();
  let firstAt: number | undefined;
  for await (const event of model.call(request, NEVER))
    if (event.type === "text-delta") firstAt ??= clock.now();
  return (firstAt ?? at) - at;
}

/** A task's server: its own, or the one that all have. */
function serverOf(servers: readonly Named[], at: number): Named {
  const server = servers[at % servers.length];
  if (!server) throw new Error(`no server ${at}`);
  return server;
}

/** A first token that comes within this met a worker that was there. */
const WARM_MS = 1_500;

function deploymentOf(
  alias: string,
  servers: readonly Named[],
  idle: NonNullable<PoolEndpoint["idle"]>,
) {
  const server = servers.find(({ name }) => name === alias);
  if (!server) throw new Error(`no model "${alias}"`);
  const endpoint: PoolEndpoint = { name: alias, at: server.model, capacity: {}, idle };
  return { type: "deployment", name: alias, endpoints: [endpoint] } as const;
}
