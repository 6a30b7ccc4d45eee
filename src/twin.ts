// `bosun/twin`: a simulated vLLM, for tests, benchmarks and sizing without a GPU.

export type { GenerateEvent, GenerateRequest, GenerateTimings } from "./inference/twin/generate.ts";
export type { Sequence, SequenceFinish } from "./inference/twin/sequence.ts";
export { constantStepCost, type StepBatch, type StepCost } from "./inference/twin/step-cost.ts";
