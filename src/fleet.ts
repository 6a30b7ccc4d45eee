// `bosun/fleet`: what fits on which GPU and what it costs, computed before anything is rented.

export { defineGpu, type Gpu, type GpuFacts } from "./inference/fleet/gpu.ts";
export { findGpu, GPUS, requireGpu } from "./inference/fleet/gpu-catalogue.ts";
export {
  BLOCK_TOKENS,
  type KvDtype,
  toBlocks,
  toKvBytesPerToken,
  toSafeConcurrency,
} from "./inference/fleet/kv.ts";
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
export { findPrice, type GpuPrice, PRICES, type Rental } from "./inference/fleet/price.ts";
export { type Parameters, toParameters, toWeightBytes } from "./inference/fleet/weights.ts";
