// The ways to spread calls over a fleet that are compared: Bosun's pool, a semaphore of max_num_seqs for each replica with round robin,
// and round robin with nothing between.

import type { Model, ModelRequest } from "../../src/inference/model/model.ts";
import type { Deployment, PoolEndpoint } from "../../src/inference/pool/deployment.ts";
import { createPool } from "../../src/inference/pool/pool.ts";
import type { Fleet, FleetReplica } from "./fleet.ts";

/** A way, ready on a fleet. */
export type Made = { readonly model: Model; close(): void };

export type Contender = {
  readonly name: string;
  /** What exactly it does, for the report. */
  readonly does: string;
  readonly create: (fleet: Fleet) => Made;
};

/** Straight to the replicas in turn; vLLM holds the queue. */
export const noPool: Contender = {
  name: "no pool",
  does: "round robin straight to the replicas; vLLM queues",
  create: ({ replicas }) => made(spread(replicas.map(({ model }) => model))),
};

/** The same through a first-come semaphore of max_num_seqs for each replica. */
export const semaphore: Contender = {
  name: "semaphore",
  does: "round robin, each replica behind a first-come semaphore of its max_num_seqs",
  create: ({ replicas, capacity }) =>
    made(spread(replicas.map(({ model }) => guarded(model, capacity.maxNumSeqs)))),
};

/** One replica, nobody else: for unloaded latencies. */
export const alone: Contender = { ...noPool, name: "alone" };

/** Bosun's pool as a fleet file would make it. */
export function bosun(options: Partial<Pick<Deployment, "route" | "order">> = {}): Contender {
  const name = ["bosun", ...Object.values(options)].join(" ");
  return {
    name,
    does: "Bosun's pool with each replica's KV tokens and max_num_seqs as its capacity",
    create(fleet) {
      const deployment = deploymentOf(fleet, options);
      const pool = createPool({
        clock: fleet.clock,
        resolve: () => deployment,
        random: () => 0.5,
      });
      return { model: pool, close: () => pool.close() };
    },
  };
}

function deploymentOf(
  { replicas, capacity }: Fleet,
  options: Partial<Pick<Deployment, "route" | "order">>,
): Deployment {
  const toEndpoint = ({ name, model }: FleetReplica): PoolEndpoint => ({
    name,
    at: model,
    capacity,
  });
  const [first, ...others] = replicas;
  if (!first) throw new Error("a fleet has at least one replica");
  return {
    type: "deployment",
    name: "model",
    endpoints: [toEndpoint(first), ...others.map(toEndpoint)],
    ...options,
  };
}

function made(model: Model): Made {
  return { model, close: () => undefined };
}

/** Each call to the next of them. */
function spread(models: readonly Model[]): Model {
  let next = 0;
  return {
    call(request, signal) {
      const model = models[next++ % models.length];
      if (!model) throw new Error("a fleet has at least one replica");
      return model.call(request, signal);
    },
    contextTokens: async () => undefined,
  };
}

/** At most `limit` calls at once; the others wait in the order in which they came. */
function guarded(model: Model, limit: number): Model {
  const waiting: (() => void)[] = []; // as long as the workload has runs
  let running = 0;
  return {
    async *call(request: ModelRequest, signal: AbortSignal) {
      if (running < limit) running++;
      else await new Promise<void>((resolve) => void waiting.push(resolve));
      try {
        yield* model.call(request, signal);
      } finally {
        const next = waiting.shift();
        if (next) next();
        else running--;
      }
    },
    contextTokens: async () => undefined,
  };
}
