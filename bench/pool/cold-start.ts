// A crew of five tasks in a row, each with a model of its own whose workers are at zero: how many cold starts the run waits for.

import { createVirtualClock, type VirtualClock } from "../../src/clock.ts";
import { toWeightBytes } from "../../src/fleet.ts";
import type { Model, ModelRequest } from "../../src/inference/model/model.ts";
import type { PoolEndpoint } from "../../src/inference/pool/deployment.ts";
import { createPool, type Pool } from "../../src/inference/pool/pool.ts";
import type { Probe } from "../../src/inference/pool/probe.ts";
import {
  createRoofline,
  createServedReplica,
  findWorkerPrice,
  type GenerateRequest,
  planTwin,
  ServerlessEndpoint,
  vllmColdStart,
} from "../../src/twin.ts";
import { formatNumber, type Section } from "../overhead/report.ts";
import { summarize } from "../overhead/statistics.ts";
import { createEncoder, createTextModel } from "./fleet.ts";
import { answersOf, promptOf, requestOf } from "./measure.ts";
import { CHAIN, L40S } from "./profile.ts";
import { drawWorkload, type Program, type Workload } from "./workload.ts";

/** Seconds that a worker stays after its last request: Runpod's default, and long enough for a worker that was woken to be there still. */
const IDLE_SECONDS = [5, 120, 300] as const;
/** Until all workers are initialised and asleep. */
const SETTLE_MS = 1_800_000;

type Way = { readonly name: string; readonly hasPool: boolean; readonly isWarmed: boolean };

const WAYS: readonly Way[] = [
  { name: "no pool", hasPool: false, isWarmed: false },
  { name: "bosun", hasPool: true, isWarmed: false },
  { name: "bosun, next model woken", hasPool: true, isWarmed: true },
];

/** @param seeds runs, each from zero and with cold starts of its own. */
export async function measureColdStart(seeds: number): Promise<Section> {
  const workload = drawWorkload(CHAIN, seeds, 1);
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  for (const [way, idleSeconds] of WAYS.flatMap((one) =>
    IDLE_SECONDS.map((idle) => [one, idle] as const),
  )) {
    const runs: Run[] = [];
    for (const [seed, program] of workload.programs.entries())
      runs.push(await runChain(program, workload, { ...way, idleSeconds, seed: seed + 1 }));
    const paid = summarize(runs.map((run) => run.waitedMs / run.startMs));
    rows.push({
      way: way.name,
      "idle s": `${idleSeconds}`,
      runs: `${runs.length}`,
      "cold starts paid, mean": formatNumber(
        runs.reduce((sum, run) => sum + run.waitedMs / run.startMs, 0) / runs.length,
      ),
      p90: formatNumber(paid.p90),
      "workers started": formatNumber(runs.reduce((sum, run) => sum + run.starts, 0) / runs.length),
      "run s": formatNumber(summarize(runs.map((run) => run.latencyMs / 1_000)).median),
    });
    data.push({ way: way.name, idleSeconds, runs });
  }
  return {
    title: "Cold starts: a crew of five tasks in a row, five models at zero",
    note:
      `Paid: seconds waited for workers, by the mean start of the run's workers. A worker stays as many seconds as stand under idle; a task takes about two minutes, a start one. ` +
      "Woken: the next task's model when a task begins; a worker that does not stay until it is asked was woken for nothing. Target: at most 1.1.",
    rows,
    data,
  };
}

type Run = {
  readonly waitedMs: number;
  readonly startMs: number;
  readonly starts: number;
  readonly latencyMs: number;
};

type Turn = Way & { readonly idleSeconds: number; readonly seed: number };

async function runChain(program: Program, workload: Workload, way: Turn): Promise<Run> {
  const clock = createVirtualClock();
  const names = Array.from({ length: CHAIN.long.tasks }, (_, index) => `model-${index}`);
  const servers = names.map((name, index) =>
    startServer({
      name,
      workload,
      clock,
      seed: way.seed * 10 + index,
      idleSeconds: way.idleSeconds,
    }),
  );
  const pool = createPool({
    clock,
    resolve: (alias) => deploymentOf(alias, servers[names.indexOf(alias)]),
  });
  await clock.sleep(SETTLE_MS, NEVER);
  const startedAt = clock.now();
  const waitedMs = await playChain(program, workload, { clock, pool, servers, names, way });
  const latencyMs = clock.now() - startedAt;
  pool.close();
  const starts = servers.flatMap(({ endpoint }) => endpoint.starts());
  for (const { endpoint } of servers) endpoint[Symbol.dispose]();
  const startMs = starts.reduce((sum, { ms }) => sum + ms, 0) / starts.length;
  return { waitedMs, startMs, starts: starts.length, latencyMs };
}

const NEVER = new AbortController().signal;

type Server = {
  readonly endpoint: ServerlessEndpoint;
  readonly model: Model & Pick<Probe, "health" | "wake">;
};

type Chain = {
  readonly clock: VirtualClock;
  readonly pool: Pool;
  readonly servers: readonly Server[];
  readonly names: readonly string[];
  readonly way: Way;
};

/** @returns milliseconds waited for workers: what a first token took beyond WARM_MS. */
async function playChain(
  program: Program,
  workload: Workload,
  { clock, pool, servers, names, way }: Chain,
): Promise<number> {
  let waitedMs = 0;
  let task = -1;
  let messages: ReturnType<typeof promptOf> = [];
  for (const [index, call] of program.calls.entries()) {
    if (call.gapMs > 0) await clock.sleep(call.gapMs, NEVER);
    if (call.isFirst) task++;
    const [name = "", next] = names.slice(task);
    if (call.isFirst && way.isWarmed && next !== undefined) pool.prewarm?.([next]);
    messages = promptOf(call, messages, workload);
    const model: Model = way.hasPool ? pool : serverOf(servers, task).model;
    const request = { ...requestOf(program, index, messages), models: [name] as const };
    waitedMs += Math.max(0, (await firstTokenMs(model, request, clock)) - WARM_MS);
    messages = [...messages, { role: "assistant", content: call.answer.text }];
  }
  return waitedMs;
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

function serverOf(servers: readonly Server[], task: number): Server {
  const server = servers[task];
  if (!server) throw new Error(`no server ${task}`);
  return server;
}

/** A first token that comes within this met a worker that was there. */
const WARM_MS = 1_500;

function deploymentOf(name: string, server: Server | undefined) {
  if (!server) throw new Error(`no model "${name}"`);
  const endpoint: PoolEndpoint = { name, at: server.model, capacity: {} };
  return { type: "deployment", name, endpoints: [endpoint] } as const;
}

type Starting = {
  readonly name: string;
  readonly workload: Workload;
  readonly clock: VirtualClock;
  readonly seed: number;
  readonly idleSeconds: number;
};

function startServer({ name, workload, clock, seed, idleSeconds }: Starting): Server {
  const { engine, memory } = planTwin(L40S);
  const { model: shape, gpu, quantization, kvDtype } = memory.assumed;
  const stepCost = createRoofline({ shape, gpu, quantization, kvDtype });
  const price = findWorkerPrice("L40S");
  if (!price) throw new Error("no price of an L40S is known");
  const weightBytes = toWeightBytes(shape, quantization);
  const endpoint = new ServerlessEndpoint({
    clock,
    seed,
    price,
    coldStart: vllmColdStart({ weightBytes, flashBootHitProbability: undefined }),
    settings: {
      workersMax: 1,
      idleTimeout: idleSeconds,
      scaler: { type: "REQUEST_COUNT", requests: 1 },
    },
    launch: () => createServedReplica({ config: engine, stepCost, clock }),
  });
  const parts = { name, clock, toIds: createEncoder(), answerOf: answersOf(workload) };
  const generate = endpoint.generate.bind(endpoint);
  return {
    endpoint,
    model: {
      ...createTextModel({ ...parts, generate }, engine.maxModelLen),
      async health() {
        const { running, starting } = endpoint.health().workers;
        return running > 0 ? "awake" : starting > 0 ? "starting" : "asleep";
      },
      async wake() {
        const request = endpoint.generate(WAKE, NEVER);
        void request.next().then(() => request.return(undefined)); // not waited for: the worker starts all the same
      },
    },
  };
}

/** One token: what wakes an endpoint that scales. */
const WAKE: GenerateRequest = {
  id: "wake",
  promptIds: Int32Array.of(1),
  outputIds: Int32Array.of(1),
  finish: "length",
  priority: 0,
  cacheSalt: undefined,
  lora: undefined,
};
