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
