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
export { type StepCoefficients, toStepCost } from "./inference/twin/latency/coefficients.ts";
export { calibrate, type CalibrateOptions } from "./inference/twin/latency/calibrate.ts";
export { type Calibration, readCalibration } from "./inference/twin/latency/calibration.ts";
export {
  CALIBRATION_WAVES,
  type Timing,
  toObservations,
  type Wave,
} from "./inference/twin/latency/calibration-load.ts";
export {
  efficiencyOf,
  type GpuEfficiency,
  type ReadEfficiency,
} from "./inference/twin/latency/efficiency.ts";
export {
  type Fit,
  type FitOptions,
  type FitPoint,
  fitStepCost,
  type Observation,
} from "./inference/twin/latency/fit.ts";
export {
  createServedReplica,
  type FrontendOptions,
  type ServedReplica,
} from "./inference/twin/latency/frontend.ts";
export { type Noise, withNoise } from "./inference/twin/latency/noise.ts";
export {
  NO_OVERHEAD,
  type StepOverhead,
  VLLM_OVERHEAD,
} from "./inference/twin/latency/overhead.ts";
export {
  createRoofline,
  type RooflineSetup,
  toCoefficients,
} from "./inference/twin/latency/roofline.ts";
export {
  createRandom,
  drawExponential,
  drawLognormal,
  drawNormal,
  type Random,
} from "./inference/twin/random.ts";
export {
  type Bill,
  type BilledTime,
  findWorkerPrice,
  type Stretch,
  type WorkerPrice,
} from "./inference/twin/serverless/bill.ts";
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
export {
  createFaults,
  type Fault,
  type FaultRule,
  type Faults,
  parseFault,
} from "./inference/twin/fault.ts";
export { type FlagOptions, planFlags, type ServingFlags } from "./inference/twin/flag.ts";
export { createTwinServer, type TwinServerOptions } from "./inference/twin/http/server.ts";
export { createTwinModel } from "./inference/twin/model.ts";
export type { Scaling, Served } from "./inference/twin/served.ts";
export { planTwin, type TwinPlan, type TwinSetup } from "./inference/twin/setup.ts";
export { type ServerlessStart, type StartOptions, startTwin } from "./inference/twin/start.ts";
export {
  type CallHabit,
  echoSource,
  fillerSource,
  modelSource,
} from "./inference/twin/text/plain-source.ts";
export { readScript, type ScriptReply, scriptSource } from "./inference/twin/text/script.ts";
export type { Constraint, TextSource, WriteAsk, Written } from "./inference/twin/text/source.ts";
export { decodeIds, encodeText } from "./inference/twin/text/tokenizer.ts";
export { createTwin, type Twin, type TwinEvent, type TwinOptions } from "./inference/twin/twin.ts";
