// A serverless endpoint as one served replica, so that what stands on a twin (HTTP, the in-process Model) stands on an endpoint too.
//
// Its stats are those of its workers together, with the provider's queue among what waits. What befalls a replica (a death, a squeeze)
// befalls the workers that run then. Counters outlive the workers that counted.

import { addCounters, type EngineCounters, zeroCounters } from "../counters.ts";
import type { EngineConfig } from "../engine-config.ts";
import type { Served } from "../served.ts";
import type { ReplicaStats } from "../stats.ts";
import { type EndpointOptions, ServerlessEndpoint } from "./endpoint.ts";
import { resolveSettings } from "./settings.ts";

/** What an endpoint is made of, with what runs in its workers. */
export type ServerlessOptions = Omit<EndpointOptions, "launch"> & {
  /** Of each worker's engine. */
  readonly config: EngineConfig;
  readonly launch: (workerId: string) => Served;
  readonly iterationTokens?: Served["iterationTokens"];
};

/** An endpoint that is served. */
export type ServerlessServed = Served & Required<Pick<Served, "scaling">>;

/** The endpoint as a replica. @throws BosunError `config/invalid` for a setting that no endpoint can have. */
export function createServerless(options: ServerlessOptions): ServerlessServed {
  const { config, launch, iterationTokens, ...rest } = options;
  const workers = new Map<string, Served>();
  let gone: EngineCounters = { ...zeroCounters(), ...NO_LOOKUPS };
  const endpoint = new ServerlessEndpoint({
    ...rest,
    launch(id) {
      const worker = launch(id);
      workers.set(id, worker);
      return {
        generate: (request, signal) => worker.generate(request, signal),
        [Symbol.dispose]() {
          workers.delete(id);
          gone = addCounters(gone, worker.stats().counters);
        },
      };
    },
  });
  const each = (act: (worker: Served) => void): void => {
    for (const worker of workers.values()) act(worker);
  };
  return {
    config,
    iterationTokens,
    generate: (request, signal) => endpoint.generate(request, signal),
    stats: () => statsOf([...workers.values()], gone, endpoint.health().jobs.inQueue),
    sleep: (level) => each((worker) => worker.sleep(level)),
    wakeUp: () => each((worker) => worker.wakeUp()),
    kill: () => each((worker) => worker.kill()),
    restart: () => each((worker) => worker.restart()),
    squeeze: (share) => each((worker) => worker.squeeze?.(share)),
    scaling: {
      settings: resolveSettings(options.settings),
      health: () => endpoint.health(),
      starts: () => endpoint.starts(),
      bill: () => endpoint.bill(),
      close: () => endpoint[Symbol.dispose](),
    },
  };
}

const NO_LOOKUPS = { prefixCacheQueries: 0, prefixCacheHits: 0, preemptions: 0 };

/** All workers as one; `state` is the first one's that is not awake, else awake, also where there is no worker. */
function statsOf(
  workers: readonly Served[],
  gone: EngineCounters,
  numQueued: number,
): ReplicaStats {
  const all = workers.map((worker) => worker.stats());
  const sum = (of: (stats: ReplicaStats) => number): number =>
    all.reduce((total, stats) => total + of(stats), 0);
  const names = (of: (stats: ReplicaStats) => readonly string[]): readonly string[] =>
    [...new Set(all.flatMap(of))].toSorted();
  return {
    state: all.find(({ state }) => state !== "awake")?.state ?? "awake",
    numRequestsRunning: sum((stats) => stats.numRequestsRunning),
    numRequestsWaiting: numQueued + sum((stats) => stats.numRequestsWaiting),
    numRequestsDeferred: sum((stats) => stats.numRequestsDeferred),
    kvCacheUsage: all.length === 0 ? 0 : sum((stats) => stats.kvCacheUsage) / all.length,
    kvBlocksCached: sum((stats) => stats.kvBlocksCached),
    runningLoras: names((stats) => stats.runningLoras),
    waitingLoras: names((stats) => stats.waitingLoras),
    counters: all.reduce((total, { counters }) => addCounters(total, counters), gone),
  };
}
