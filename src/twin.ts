// `bosun/twin`: a simulated vLLM, for tests, benchmarks and sizing without a GPU.

export type { Admission, Refusal } from "./inference/twin/admission.ts";
export type { EngineCounters } from "./inference/twin/counters.ts";
export { Engine, type EngineState, type StepEvents } from "./inference/twin/engine.ts";
export {
  type EngineConfig,
  type EngineOptions,
  toEngineConfig,
} from "./inference/twin/engine-config.ts";
export type { GenerateEvent, GenerateRequest, GenerateTimings } from "./inference/twin/generate.ts";
export { createReplica, type Replica, type ReplicaOptions } from "./inference/twin/replica.ts";
export { createScaledClock } from "./inference/twin/scaled-clock.ts";
export type { Sequence, SequenceFinish } from "./inference/twin/sequence.ts";
export type { FinishReport, ReplicaStats, StepReport } from "./inference/twin/stats.ts";
export { constantStepCost, type StepBatch, type StepCost } from "./inference/twin/step-cost.ts";
export {
  createRandom,
  drawExponential,
  drawLognormal,
  drawNormal,
  type Random,
} from "./inference/twin/random.ts";
export type { Bill, BilledTime, Stretch, WorkerPrice } from "./inference/twin/serverless/bill.ts";
export {
  type ColdStart,
  type DrawnStart,
  drawStages,
  drawStart,
  type FlashBoot,
  type Stage,
  vllmColdStart,
  type WorkerKind,
} from "./inference/twin/serverless/cold-start.ts";
export {
  type EndpointHealth,
  type EndpointOptions,
  ServerlessEndpoint,
  type WorkerReplica,
} from "./inference/twin/serverless/endpoint.ts";
export {
  type Load,
  planWorkers,
  type Scaler,
  type WorkerBounds,
} from "./inference/twin/serverless/scaler.ts";
export type { EndpointSettings } from "./inference/twin/serverless/settings.ts";
export type { WorkerState } from "./inference/twin/serverless/worker.ts";
