// How much faster than real time a fleet of replicas runs in virtual time, with and without running ahead of the clock.

import { type Clock, createVirtualClock } from "../../src/clock.ts";
import {
  createReplica,
  createScaledClock,
  type GenerateRequest,
  type Replica,
} from "../../src/twin.ts";
import { formatNumber, type Section } from "../overhead/report.ts";
import { summarize } from "../overhead/statistics.ts";
import { benchStepCost, createWorkload } from "./workload.ts";

const REPLICAS = 8;

/** Agents for each replica, each of which asks again as soon as it has its answer. */
const LOADS = [1, 4, 8, 16, 32] as const;

type Figures = { readonly times: number; readonly steps: number; readonly tokens: number };

/** @param rounds measured ones, after one that warms up. @param requests of a round, all agents together. */
export async function measureFleet(rounds: number, requests: number): Promise<Section> {
  const next = createWorkload(1);
  const results = [];
  for (const load of LOADS) {
    const calls = Math.ceil(requests / (REPLICAS * load));
    const figures = { ahead: [] as Figures[], timers: [] as Figures[] };
    for (let round = 0; round <= rounds; round++) {
      const names =
        round % 2 === 0 ? (["ahead", "timers"] as const) : (["timers", "ahead"] as const);
      for (const name of names) {
        const measured = await runFleet(next, { load, calls, isAhead: name === "ahead" });
        if (round > 0) figures[name].push(measured);
      }
    }
    results.push({ load, figures });
  }
  return {
    title: `Fleet: ${REPLICAS} replicas in virtual time, one core`,
    note: "x real time: seconds that the fleet lived through, by seconds of processor time. A timer per step: the same, with a clock that hides its horizon.",
    rows: results.map(({ load, figures }) => {
      const { n, median, p90, spread } = summarize(figures.ahead.map(({ times }) => times));
      const of = (pick: (figures: Figures) => number): string =>
        formatNumber(summarize(figures.ahead.map(pick)).median);
      return {
        "agents/replica": `${load}`,
        n: `${n}`,
        "x real time": formatNumber(median),
        p90: formatNumber(p90),
        spread: `${formatNumber(spread * 100)} %`,
        "steps/s": of(({ steps }) => steps),
        "tokens/s": of(({ tokens }) => tokens),
        "x with a timer per step": formatNumber(
          summarize(figures.timers.map(({ times }) => times)).median,
        ),
      };
    }),
    data: results,
  };
}

type Run = { readonly load: number; readonly calls: number; readonly isAhead: boolean };

async function runFleet(
  next: () => GenerateRequest,
  { load, calls, isAhead }: Run,
): Promise<Figures> {
  const virtual = createVirtualClock();
  const clock: Clock = isAhead ? virtual : createScaledClock(virtual, 1); // which has no horizon
  const replicas = Array.from({ length: REPLICAS }, () =>
    createReplica({
      config: { numGpuBlocks: 8_000, maxModelLen: 16_384, maxNumBatchedTokens: 8_192 },
      stepCost: benchStepCost,
      clock,
      chunkTokens: 64,
    }),
  );
  const before = process.cpuUsage();
  await Promise.all(
    replicas.flatMap((replica) => Array.from({ length: load }, () => ask(replica, next, calls))),
  );
  const { user, system } = process.cpuUsage(before);
  const seconds = (user + system) / 1e6;
  const counters = replicas.map((replica) => replica.stats().counters);
  return {
    times: clock.now() / 1_000 / seconds,
    steps: sum(counters.map(({ steps }) => steps)) / seconds,
    tokens: sum(counters.map(({ generationTokens }) => generationTokens)) / seconds,
  };
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value);
}

/** One agent. */
async function ask(replica: Replica, next: () => GenerateRequest, calls: number): Promise<void> {
  const { signal } = new AbortController();
  for (let call = 0; call < calls; call++) {
    let tokens = 0;
    for await (const event of replica.generate(next(), signal))
      if (event.type === "tokens") tokens += event.to - event.from;
    if (tokens === 0) throw new Error("expected tokens, got none");
  }
}
