// What a twin in this process tells a pool about itself.
//
// Behind a provider that scales it tells what the provider would: its queue and its jobs, nothing of any worker's cache.

import type { Capacity } from "../pool/capacity.ts";
import type { Gauges, Health, Probe } from "../pool/probe.ts";
import type { Scaling, Served } from "./served.ts";
import type { ReplicaStats } from "./stats.ts";
import { SPECIAL } from "./text/tokenizer.ts";
import type { Twin } from "./twin.ts";

/** The probe of a twin; a client that knows only HTTP reads the same from /metrics, or from /v2/ID/health. */
export function createTwinProbe(twin: Twin): Probe {
  const { replicas, clock } = twin;
  const [first] = replicas;
  const { scaling } = first;
  let wakes = 0;
  return {
    async gauges() {
      if (scaling) return gaugesOfJobs(scaling, clock.now());
      const stats = replicas.map((replica) => replica.stats());
      return gaugesOf(stats, clock.now());
    },
    capacity: async () => capacityOf(first, replicas.length),
    health: async () =>
      scaling ? healthOfWorkers(scaling) : healthOf(replicas.map((replica) => replica.stats())),
    // No call starts a worker: demand does. The request has to stay until a worker takes it, because the scaler forgets what leaves
    // the queue; so this lasts as long as a cold start, and who does not want to wait for that does not await it. A worker that is awake
    // begins its idle time anew.
    async wake(signal) {
      for (const replica of replicas) if (isAsleep(replica.stats())) replica.wakeUp();
      if (!scaling) return true;
      await twin.prefill(`wake-${++wakes}`, Int32Array.of(SPECIAL["<|im_end|>"]), signal);
      return true;
    },
  };
}

function gaugesOf(all: readonly ReplicaStats[], at: number): Gauges {
  const sum = (of: (stats: ReplicaStats) => number): number =>
    all.reduce((total, stats) => total + of(stats), 0);
  return {
    at,
    running: sum((stats) => stats.numRequestsRunning),
    waiting: sum((stats) => stats.numRequestsWaiting),
    kvUsage: sum((stats) => stats.kvCacheUsage) / all.length,
    preemptions: sum(({ counters }) => counters.preemptions),
    prefixQueries: sum(({ counters }) => counters.prefixCacheQueries),
    prefixHits: sum(({ counters }) => counters.prefixCacheHits),
  };
}

function gaugesOfJobs(scaling: Scaling, at: number): Gauges {
  const { inProgress, inQueue } = scaling.health().jobs;
  return {
    at,
    running: inProgress,
    waiting: inQueue,
    kvUsage: undefined,
    preemptions: undefined,
    prefixQueries: undefined,
    prefixHits: undefined,
  };
}

/** Of all replicas; of one worker, with how many there may be, where a provider scales. */
function capacityOf({ config, scaling }: Served, replicas: number): Capacity {
  const kvTokens = config.numGpuBlocks * config.blockSize;
  if (!scaling) return { kvTokens: kvTokens * replicas, maxNumSeqs: config.maxNumSeqs * replicas };
  const { jobsPerWorker, workersMax } = scaling.settings;
  return {
    kvTokens,
    maxNumSeqs: Math.min(config.maxNumSeqs, jobsPerWorker),
    maxWorkers: workersMax,
  };
}

function healthOf(all: readonly ReplicaStats[]): Health {
  if (all.some(({ state }) => state === "awake")) return "awake";
  return all.some(isAsleep) ? "asleep" : "unhealthy";
}

function isAsleep({ state }: ReplicaStats): boolean {
  return state === "weights_offloaded" || state === "discard_all";
}

/** Workers that initialise start nothing by themselves: an endpoint of only those sleeps. */
function healthOfWorkers(scaling: Scaling): Health {
  const { running, starting, idle, initializing } = scaling.health().workers;
  if (running > 0) return "awake";
  if (starting > 0) return "starting";
  return idle + initializing > 0 ? "asleep" : "unhealthy";
}
