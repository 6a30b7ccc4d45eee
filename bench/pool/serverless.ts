// A model on a serverless endpoint at zero, as the pool knows it: a twin of an L40S in each of its workers, in virtual time.

import type { VirtualClock } from "../../src/clock.ts";
import { toWeightBytes } from "../../src/fleet.ts";
import type { Model } from "../../src/inference/model/model.ts";
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
import { createEncoder, createTextModel } from "./fleet.ts";
import { answersOf } from "./measure.ts";
import { L40S } from "./profile.ts";
import type { Workload } from "./workload.ts";

export type Server = {
  readonly endpoint: ServerlessEndpoint;
  readonly model: Model & Pick<Probe, "health" | "wake">;
};

export type Starting = {
  readonly name: string;
  readonly workload: Workload;
  readonly clock: VirtualClock;
  readonly seed: number;
  readonly idleSeconds: number;
};

/** One worker at most; it takes a minute to start. */
export function startServer({ name, workload, clock, seed, idleSeconds }: Starting): Server {
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
        return false;
      },
    },
  };
}

/** One token: what wakes an endpoint that scales. */
const NEVER = new AbortController().signal;
const WAKE: GenerateRequest = {
  id: "wake",
  promptIds: Int32Array.of(1),
  outputIds: Int32Array.of(1),
  finish: "length",
  priority: 0,
  cacheSalt: undefined,
  lora: undefined,
};
