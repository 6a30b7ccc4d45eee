// Whole copies of a model on GPUs without a server: each loads its weights and generates for itself, as pipelines of a library in
// threads or processes do. Nothing is reserved; a card is full when the next copy does not fit.

import type { Gpu } from "./gpu.ts";
import { requireGpu } from "./gpu-catalogue.ts";
import type { ModelChoice, Quantization } from "./model.ts";
import { requireModel } from "./model-catalogue.ts";
import { toCount, toPositive } from "./number.ts";
import { GIB } from "./unit.ts";
import { tellOutOfMemory } from "./vllm-message.ts";
import { toProjectionBytes, toWeightBytes } from "./weights.ts";

/**
 * Bytes of a copy besides its weights: half a GiB for the process's CUDA context and half for the KV cache of one answer of 4,096
 * tokens (7 and 8 billion parameters, bf16: 0.5 GiB). An estimate, not a measurement.
 */
export const COPY_OVERHEAD_BYTES: number = GIB;

/** What is to be placed. */
export type CopiesRequest = {
  readonly gpu: Gpu | string;
  /** Cards of that kind, at most 1024. */
  readonly gpus: number;
  readonly model: ModelChoice | string;
  /** Default: the checkpoint's. */
  readonly quantization?: Quantization | undefined;
  /** At most 10 000. */
  readonly copies: number;
  /** Bytes of a copy besides its weights. Default 1 GiB. */
  readonly overheadBytes?: number | undefined;
};

/** Where the copies are. Copy n is on card n modulo cards. */
export type CopiesPlan = {
  readonly bytesPerCopy: number;
  /** Copies that are loaded on each card. */
  readonly copiesPerGpu: readonly number[];
} & (
  | { readonly type: "fits" }
  | {
      readonly type: "out-of-memory-at-load";
      readonly message: string;
      /** The first copy that does not load, from 0. */
      readonly failedCopy: number;
      /** Cards of this kind that would hold all; undefined when one holds no copy. */
      readonly fewestGpus: number | undefined;
    }
);

/**
 * Loads copies card by card in turn until all are loaded or one does not fit.
 * @throws BosunError `fleet/unknown-gpu`, `fleet/unknown-model`, `fleet/invalid`.
 * @example eight copies of Mistral 7B in bf16 on cards with 48 GB: three fit on a card, so 1 and 2 cards fail and 3 hold 3, 3 and 2.
 */
export function planCopies(request: CopiesRequest): CopiesPlan {
  const gpu = typeof request.gpu === "string" ? requireGpu(request.gpu) : request.gpu;
  const { model, checkpoint } =
    typeof request.model === "string" ? requireModel(request.model) : request.model;
  const gpus = toCount(request.gpus, "gpus", 1024);
  const copies = toCount(request.copies, "copies", 10_000);
  const quantization = request.quantization ?? checkpoint.quantization;
  const bytesPerCopy = toPositive(
    toWeightBytes(model, quantization) + (request.overheadBytes ?? COPY_OVERHEAD_BYTES),
    "bytes of a copy",
  );
  const mostPerGpu = Math.floor(gpu.memoryBytes / bytesPerCopy);
  const loaded = Math.min(copies, mostPerGpu * gpus);
  const copiesPerGpu = Array.from({ length: gpus }, (_none, card) =>
    Math.ceil((loaded - card) / gpus),
  ).map((count) => Math.max(0, count));
  if (loaded === copies) return { type: "fits", bytesPerCopy, copiesPerGpu };
  const wantedBytes = toProjectionBytes(model, quantization);
  return {
    type: "out-of-memory-at-load",
    bytesPerCopy,
    copiesPerGpu,
    message: tellOutOfMemory({
      gpu: loaded % gpus,
      wantedBytes,
      gpuBytes: gpu.memoryBytes,
      freeBytes: (gpu.memoryBytes - mostPerGpu * bytesPerCopy) % wantedBytes,
    }),
    failedCopy: loaded,
    fewestGpus: mostPerGpu === 0 ? undefined : Math.ceil(copies / mostPerGpu),
  };
}
