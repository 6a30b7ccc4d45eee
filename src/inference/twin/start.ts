// Starts the replicas of a plan on a clock and puts them together as a twin.

import type { Clock } from "../../clock.ts";
import { BosunError } from "../../error.ts";
import { toEngineConfig } from "./engine-config.ts";
import type { Faults } from "./fault.ts";
import type { Calibration } from "./latency/calibration.ts";
import { toStepCost } from "./latency/coefficients.ts";
import { createServedReplica } from "./latency/frontend.ts";
import { withNoise } from "./latency/noise.ts";
import { createRoofline } from "./latency/roofline.ts";
import { createHistogram, type Histogram, ITERATION_TOKENS, observe } from "./metric/histogram.ts";
import { createScaledClock } from "./scaled-clock.ts";
import type { Served } from "./served.ts";
import { findWorkerPrice, type WorkerPrice } from "./serverless/bill.ts";
import { type ColdStart, vllmColdStart } from "./serverless/cold-start.ts";
import { createServerless } from "./serverless/served.ts";
import type { EndpointSettings } from "./serverless/settings.ts";
import type { TwinPlan } from "./setup.ts";
import { createSqueeze } from "./squeeze.ts";
import type { TextSource } from "./text/source.ts";
import { createTwin, type Twin } from "./twin.ts";

/** What a plan needs to run. */
export type StartOptions = {
  /** System or virtual. */
  readonly clock: Clock;
  readonly source: TextSource;
  readonly faults: Faults;
  /** Engines behind one address, 1 to 64. Default 1. */
  readonly replicas?: number | undefined;
  /** Times as fast as the clock, above 0. Default 1. */
  readonly speed?: number | undefined;
  /** Step times that were measured, instead of those of the GPU and the model. */
  readonly calibration?: Calibration | undefined;
  /** Of the noise in step times, and of cold starts. Default 0. */
  readonly seed?: number | undefined;
  /** Engines come and go in the workers of a serverless endpoint, instead of `replicas`. */
  readonly serverless?: ServerlessStart | undefined;
};

/** How a provider scales the engines. */
export type ServerlessStart = {
  /** Default: Runpod's. */
  readonly settings?: EndpointSettings | undefined;
  /** Default: that of a vLLM worker with the plan's weights. */
  readonly coldStart?: ColdStart | undefined;
  /** Default: Runpod's for the plan's GPU. */
  readonly price?: WorkerPrice | undefined;
};

const MAX_REPLICAS = 64;
/** Spread of a step's time; measured ones have 0.03 to 0.05 (latency/noise.ts). */
const STEP_NOISE_CV = 0.04;

/** A twin that runs. @throws BosunError `config/invalid` for a number out of its bounds. */
export function startTwin(plan: TwinPlan, options: StartOptions): Twin {
  const { source, faults, replicas = 1, speed = 1, seed = 0, serverless } = options;
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > MAX_REPLICAS)
    throw new BosunError(
      "config/invalid",
      `replicas must be 1 to ${MAX_REPLICAS}, got ${replicas}`,
    );
  if (serverless && replicas > 1)
    throw new BosunError("config/invalid", "replicas: the workers of a serverless endpoint scale");
  if (!(speed > 0) || !Number.isFinite(speed))
    throw new BosunError("config/invalid", `speed must be above 0, got ${speed}`);
  // One clock for all: replicas of one clock are driven together.
  const clock = speed === 1 ? options.clock : createScaledClock(options.clock, speed);
  const { calibration } = options;
  const start = (place: number): Served =>
    serverless
      ? startServerless(plan, serverless, { clock, seed, calibration })
      : startReplica(plan, { clock, seed: seed + place, calibration });
  const others = Array.from({ length: replicas - 1 }, (_, place) => start(place + 1));
  return createTwin({ replicas: [start(0), ...others], clock, flags: plan.flags, source, faults });
}

function startServerless(
  plan: TwinPlan,
  { settings, coldStart, price }: ServerlessStart,
  { clock, seed, calibration }: ReplicaStart,
): Served {
  const { gpu } = plan.memory.assumed;
  const known = price ?? findWorkerPrice(gpu.id);
  if (!known)
    throw new BosunError(
      "config/invalid",
      `serverless: no price of a worker with ${gpu.id} is known. Give one, or take another GPU`,
    );
  const iterationTokens = createHistogram(ITERATION_TOKENS);
  let launches = 0;
  return createServerless({
    clock,
    seed,
    coldStart: coldStart ?? vllmColdStart({ weightBytes: plan.memory.use.weightBytes }),
    price: known,
    settings,
    config: toEngineConfig(plan.engine),
    iterationTokens,
    launch: () =>
      startReplica(plan, { clock, seed: seed + ++launches, calibration, iterationTokens }),
  });
}

type ReplicaStart = Pick<StartOptions, "clock" | "calibration"> & {
  readonly seed: number;
  /** Default: its own. */
  readonly iterationTokens?: Histogram;
};

function startReplica({ memory, engine }: TwinPlan, start: ReplicaStart): Served {
  const { clock, seed, calibration } = start;
  const { iterationTokens = createHistogram(ITERATION_TOKENS) } = start;
  const { model, gpu, quantization, kvDtype, tensorParallel } = memory.assumed;
  const cost = calibration
    ? toStepCost(calibration.coefficients)
    : createRoofline({ shape: model, gpu, quantization, kvDtype, tensorParallel });
  const { replica, generate } = createServedReplica(
    {
      config: engine,
      stepCost: withNoise(cost, { cv: STEP_NOISE_CV, seed }),
      clock,
      onStep: ({ batch }) => observe(iterationTokens, batch.prefillTokens + batch.decodeSeqs),
    },
    { frontendMs: calibration?.coefficients.frontendMs },
  );
  const { config } = replica;
  return {
    config,
    generate,
    iterationTokens,
    stats: () => replica.stats(),
    sleep: (level) => replica.sleep(level),
    wakeUp: () => replica.wakeUp(),
    kill: () => replica.kill(),
    restart: () => replica.restart(),
    // Neighbours come past the frontend: they are there when the request that they squeeze arrives.
    squeeze: createSqueeze({ config, generate: (...args) => replica.generate(...args) }),
  };
}
