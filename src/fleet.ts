// `bosun/fleet`: what fits on which GPU and what it costs, computed before anything is rented.

export { defineGpu, type Gpu, type GpuFacts } from "./inference/fleet/gpu.ts";
export { findGpu, GPUS, requireGpu } from "./inference/fleet/gpu-catalogue.ts";
export { findPrice, type GpuPrice, PRICES, type Rental } from "./inference/fleet/price.ts";
