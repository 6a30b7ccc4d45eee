// `bosun/fleet`: what fits on which GPU and what it costs, computed before anything is rented.

export {
  COPY_OVERHEAD_BYTES,
  type CopiesPlan,
  type CopiesRequest,
  planCopies,
} from "./inference/fleet/copies.ts";
export { defineGpu, type Gpu, type GpuFacts } from "./inference/fleet/gpu.ts";
export { findGpu, GPUS, requireGpu } from "./inference/fleet/gpu-catalogue.ts";
export {
  BLOCK_TOKENS,
  type KvDtype,
  toBlocks,
  toKvBytesPerToken,
  toSafeConcurrency,
} from "./inference/fleet/kv.ts";
export { type MemoryPlan, planMemory } from "./inference/fleet/memory.ts";
export {
  DEFAULT_UTILIZATION,
  type MemoryCase,
  type MemoryRequest,
} from "./inference/fleet/memory-case.ts";
export type {
  Checkpoint,
  ModelChoice,
  ModelFacts,
  ModelShape,
  Quantization,
  Serving,
} from "./inference/fleet/model.ts";
export { findModel, MODELS, requireModel } from "./inference/fleet/model-catalogue.ts";
export { fromConfig } from "./inference/fleet/model-config.ts";
export type { MemoryUse, Outcome } from "./inference/fleet/outcome.ts";
export { findPrice, type GpuPrice, PRICES, type Rental } from "./inference/fleet/price.ts";
export { type Remedy, tellRemedy } from "./inference/fleet/remedy.ts";
export {
  calibrateReserve,
  DEFAULT_RESERVE,
  readKvCacheTokens,
  type Reserve,
  toReserveBytes,
} from "./inference/fleet/reserve.ts";
export { type Parameters, toParameters, toWeightBytes } from "./inference/fleet/weights.ts";
