// What would fit instead: each change by itself, tried with the same arithmetic, so that no advice fails in its turn.

import type { Gpu } from "./gpu.ts";
import { GPUS } from "./gpu-catalogue.ts";
import { isShareable, DEFAULT_UTILIZATION, type MemoryCase } from "./memory-case.ts";
import { type Quantization, QUANTIZATIONS } from "./model.ts";
import { type Outcome, toOutcome } from "./outcome.ts";
import { findPrice } from "./price.ts";

/** One change that makes a server start, and the longest request that it then takes, in tokens. */
export type Remedy = { readonly maxModelLen: number } & (
  | { readonly type: "shorter-context" }
  | { readonly type: "fp8-kv" }
  | {
      readonly type: "quantization";
      readonly quantization: Quantization;
      /** On Hugging Face, where the catalogue knows one. */
      readonly checkpoint: string | undefined;
    }
  | { readonly type: "utilization"; readonly gpuMemoryUtilization: number }
  | { readonly type: "fewer-copies"; readonly copies: number }
  | { readonly type: "tensor-parallel"; readonly tensorParallel: number }
  | { readonly type: "gpu"; readonly gpu: string }
);

/** Tokens below which a context is no advice: an agent's prompt alone takes about 2,000. */
const SHORTEST_CONTEXT = 2048;

/** Changes that make `it` start, cheapest first; none for what starts anyway. At most one of a type but quantisation. */
export function findRemedies(it: MemoryCase, outcome: Outcome): readonly Remedy[] {
  if (outcome.type === "fits") return [];
  return [
    ...tryContext(it),
    ...tryUtilization(it),
    ...tryCopies(it, outcome),
    ...tryKv(it),
    ...tryQuantization(it),
    ...tryTensorParallel(it),
    ...tryGpu(it),
  ];
}

/** A remedy in words, with the flag that it stands for. */
export function tellRemedy(remedy: Remedy): string {
  const change = tellChange(remedy);
  return remedy.type === "shorter-context"
    ? change
    : `${change}, then up to ${remedy.maxModelLen} tokens a request`;
}

function tellChange(remedy: Remedy): string {
  switch (remedy.type) {
    case "shorter-context":
      return `--max-model-len ${remedy.maxModelLen}`;
    case "fp8-kv":
      return "--kv-cache-dtype fp8";
    case "quantization":
      return remedy.checkpoint ?? `weights in ${remedy.quantization}`;
    case "utilization":
      return `--gpu-memory-utilization ${remedy.gpuMemoryUtilization}`;
    case "fewer-copies":
      return remedy.copies === 1 ? "one copy on the GPU" : `${remedy.copies} copies on the GPU`;
    case "tensor-parallel":
      return `--tensor-parallel-size ${remedy.tensorParallel}`;
    case "gpu":
      return `GPU ${remedy.gpu}`;
    default:
      return remedy satisfies never;
  }
}

/** The longest context with which it starts, up to what was asked; undefined when none is worth it. */
function longestContext(it: MemoryCase): number | undefined {
  const outcome = toOutcome(it);
  if (outcome.type === "fits") return it.maxModelLen;
  if (outcome.type !== "context-too-long" || outcome.longest < SHORTEST_CONTEXT) return undefined;
  // Once more: a share that is not free shows only when the cache is large enough.
  return toOutcome({ ...it, maxModelLen: outcome.longest }).type === "fits"
    ? outcome.longest
    : undefined;
}

function tryContext(it: MemoryCase): readonly Remedy[] {
  const maxModelLen = longestContext(it);
  return maxModelLen === undefined ? [] : [{ type: "shorter-context", maxModelLen }];
}

/** More for one server that was given little; less for each of several. */
function tryUtilization(it: MemoryCase): readonly Remedy[] {
  const share = (it.gpu.memoryBytes - it.reserve.nonTorchBytes) / it.gpu.memoryBytes / it.copies;
  const gpuMemoryUtilization = Math.min(DEFAULT_UTILIZATION, Math.floor(share * 100) / 100);
  if (gpuMemoryUtilization <= 0 || gpuMemoryUtilization === it.gpuMemoryUtilization) return [];
  const maxModelLen = longestContext({ ...it, gpuMemoryUtilization });
  return maxModelLen === undefined
    ? []
    : [{ type: "utilization", gpuMemoryUtilization, maxModelLen }];
}

function tryCopies(it: MemoryCase, outcome: Outcome): readonly Remedy[] {
  if (outcome.type !== "no-free-memory" || outcome.copiesThatFit < 1) return [];
  const copies = outcome.copiesThatFit;
  return [{ type: "fewer-copies", copies, maxModelLen: it.maxModelLen }];
}

/** Only where the tensor cores have fp8: elsewhere vLLM's kernels for such a cache are not sure to be there. */
function tryKv(it: MemoryCase): readonly Remedy[] {
  if (it.kvDtype === "fp8" || it.gpu.fp8FlopsPerSecond === undefined) return [];
  const maxModelLen = longestContext({ ...it, kvDtype: "fp8" });
  return maxModelLen === undefined ? [] : [{ type: "fp8-kv", maxModelLen }];
}

function tryQuantization(it: MemoryCase): readonly Remedy[] {
  const narrower = QUANTIZATIONS.slice(QUANTIZATIONS.indexOf(it.quantization) + 1);
  return narrower.flatMap((quantization) => {
    const maxModelLen = longestContext({ ...it, quantization });
    if (maxModelLen === undefined) return [];
    const known = it.model.checkpoints.find((one) => one.quantization === quantization);
    return [{ type: "quantization", quantization, checkpoint: known?.name, maxModelLen }];
  });
}

/** The fewest GPUs with which the whole context fits, else the most that are tried. */
function tryTensorParallel(it: MemoryCase): readonly Remedy[] {
  const sizes = [2, 4, 8].filter((size) => size > it.tensorParallel && isShareable(it.model, size));
  const tried = sizes.flatMap((tensorParallel) => {
    const maxModelLen = longestContext({ ...it, tensorParallel });
    return maxModelLen === undefined
      ? []
      : [{ type: "tensor-parallel", tensorParallel, maxModelLen } as const];
  });
  return pick(tried, it);
}

/** The cheapest larger GPU of the catalogue on which the whole context fits, else the one that costs most. */
function tryGpu(it: MemoryCase): readonly Remedy[] {
  const larger = GPUS.filter(({ memoryBytes }) => memoryBytes > it.gpu.memoryBytes).toSorted(
    (a, b) => usdOf(a) - usdOf(b),
  );
  const tried = larger.flatMap((gpu) => {
    const maxModelLen = longestContext({ ...it, gpu });
    return maxModelLen === undefined ? [] : [{ type: "gpu", gpu: gpu.id, maxModelLen } as const];
  });
  return pick(tried, it);
}

/** US dollars an hour of a worker. */
function usdOf(gpu: Gpu): number {
  return findPrice(gpu.id, "flex")?.usdPerHour ?? Infinity;
}

function pick<T extends Remedy>(tried: readonly T[], it: MemoryCase): readonly T[] {
  const best = tried.find(({ maxModelLen }) => maxModelLen === it.maxModelLen) ?? tried.at(-1);
  return best ? [best] : [];
}
