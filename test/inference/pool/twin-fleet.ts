// Twins in virtual time as the endpoints of one deployment, small enough that a handful of calls fills them.

import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";
import type { Model, ModelHints, ModelRequest } from "../../../src/inference/model/model.ts";
import type { Deployment, PoolEndpoint } from "../../../src/inference/pool/deployment.ts";
import { createPool, type Pool, type PoolOptions } from "../../../src/inference/pool/pool.ts";
import { createFaults } from "../../../src/inference/twin/fault.ts";
import { createTwinModel } from "../../../src/inference/twin/model.ts";
import { planTwin } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import type { Twin } from "../../../src/inference/twin/twin.ts";

export type FleetScene = {
  readonly replicas?: number;
  /** Blocks of 16 tokens. */
  readonly blocks?: number;
  readonly outputTokens?: number;
  readonly deployment?: Partial<Omit<Deployment, "type" | "name" | "endpoints">>;
  readonly capacity?: PoolEndpoint["capacity"];
  readonly withProbe?: boolean;
  readonly onForeignLoad?: PoolOptions["onForeignLoad"];
};

export type TwinFleet = {
  readonly clock: VirtualClock;
  readonly pool: Pool;
  readonly twins: readonly Twin[];
  readonly deployment: Deployment;
  /** Most calls that any twin had in its own queue. */
  mostWaiting(): number;
  preemptions(): number;
  /** Tokens of prompts that were in a prefix cache. */
  cachedTokens(): number;
};

export function twinFleet(scene: FleetScene = {}): TwinFleet {
  const { replicas = 1, blocks = 256, outputTokens = 100, capacity, withProbe = false } = scene;
  const clock = createVirtualClock();
  const plan = planTwin({ gpu: "L40S", model: "Qwen/Qwen3-8B", maxModelLen: 4_096 });
  const { flags } = plan;
  const small = {
    ...plan,
    engine: { ...plan.engine, numGpuBlocks: blocks },
    flags: { ...flags, enablePromptTokensDetails: true },
  };
  const twins = Array.from({ length: replicas }, (_, seed) =>
    startTwin(small, {
      clock,
      source: fillerSource(outputTokens),
      faults: createFaults(),
      seed,
    }),
  );
  const endpoints = twins.map((twin, index): PoolEndpoint => {
    const model = createTwinModel(twin);
    return {
      name: `gpu-${index}`,
      at: withProbe ? model : withoutProbe(model),
      capacity: capacity ?? { kvTokens: blocks * 16 },
    };
  });
  const [first, ...others] = endpoints;
  if (first === undefined) throw new Error("a fleet has replicas");
  const deployment: Deployment = {
    type: "deployment",
    name: "large",
    endpoints: [first, ...others],
    ...scene.deployment,
  };
  const { onForeignLoad } = scene;
  const resolve = (): Deployment => deployment;
  const pool = createPool({ clock, random: () => 0.5, resolve, onForeignLoad });
  const stats = () => twins.flatMap(({ replicas: served }) => served.map((one) => one.stats()));
  let most = 0;
  const watch = (): void => {
    most = Math.max(most, ...stats().map(({ numRequestsWaiting }) => numRequestsWaiting));
  };
  const watched: Pool = {
    ...pool,
    async *call(request, signal) {
      for await (const event of pool.call(request, signal)) {
        watch();
        yield event;
      }
    },
  };
  const sum = (pick: (one: ReturnType<typeof stats>[number]) => number): number =>
    stats().reduce((total, one) => total + pick(one), 0);
  return {
    clock,
    pool: watched,
    twins,
    deployment,
    mostWaiting: () => most,
    preemptions: () => sum(({ counters }) => counters.preemptions),
    cachedTokens: () => sum(({ counters }) => counters.promptTokensCached),
  };
}

/** A model that tells nothing besides its answers. */
function withoutProbe(model: Model): Model {
  return {
    call: (request, signal) => model.call(request, signal),
    contextTokens: (models, signal) => model.contextTokens(models, signal),
  };
}

const LIVE = new AbortController().signal;

/** A request of so many tokens by Bosun's estimate. */
export function requestOf(
  promptTokens: number,
  hints: Partial<ModelHints> = {},
  text?: string,
): ModelRequest {
  const id = hints.runId ?? "r";
  const content = (text ?? `${id} `.repeat(promptTokens * 4)).slice(0, promptTokens * 4);
  return {
    models: ["large"],
    messages: [{ role: "user", content }],
    settings: { maxTokens: 1_000 },
    hints: { runId: id, path: [], purpose: "work", remainingCalls: 0, ...hints },
  };
}

/** Runs a call to its end and says when that was. */
export async function endOf(
  { pool, clock }: Pick<TwinFleet, "pool" | "clock">,
  request: ModelRequest,
  signal: AbortSignal = LIVE,
): Promise<{ readonly at: number; readonly events: readonly string[] }> {
  const events: string[] = [];
  for await (const event of pool.call(request, signal)) events.push(event.type);
  return { at: clock.now(), events };
}
