// How much of a datasheet's peaks the kernels of vLLM reach, for each GPU.
//
// Sources, where a line names no other: medians over the GEMM tables that AIConfigurator measured with vLLM 0.24 (A100: 0.14),
// ai-dynamo/aiconfigurator, August 2026. Attention and KV reads: worked out from the same tables' attention operators at contexts of
// 2k and 8k (prefill) and 2k (decode). A GPU without a line has the numbers of its generation, marked "assumed".

import { ownValue } from "../../../json.ts";

/** Bytes per second over the peak of the memory, for GEMMs with a few rows. */
export type ReadEfficiency = {
  /** Matrices below LARGE_ELEMENTS. */
  readonly small: number;
  readonly large: number;
};

/** Where a matrix counts as large. */
export const LARGE_ELEMENTS = 100e6;

/** What a GPU reaches of its peaks, 0 to 1. */
export type GpuEfficiency = {
  /** FLOPS over the peak, for GEMMs of 2,048 rows and more. fp8 is absent where the GPU has no fp8 tensor cores. */
  readonly mfu: { readonly bf16: number; readonly fp8?: number | undefined };
  readonly read: { readonly bf16: ReadEfficiency; readonly fp8?: ReadEfficiency | undefined };
  /** FLOPS of causal attention in prefill, over the bf16 peak. */
  readonly attentionMfu: number;
  /** Reads of keys and values in decode. */
  readonly kvRead: number;
  /** Bytes per second that an all-reduce moves through one GPU. */
  readonly allReduceBytesPerSecond: number;
};

/** 80 % of one direction of NVLink's datasheet rate, which NCCL's own tests reach for large messages: assumed. */
const NVLINK4 = 0.8 * 450e9;
const NVLINK3 = 0.8 * 300e9;
const NVLINK5 = 0.8 * 900e9;
/** PCIe 4.0 x16 without peer-to-peer: assumed. */
const PCIE4 = 0.6 * 32e9;

const ADA: GpuEfficiency = {
  mfu: { bf16: 0.64, fp8: 0.5 },
  read: { bf16: { small: 0.81, large: 0.83 }, fp8: { small: 0.7, large: 0.71 } },
  attentionMfu: 0.3,
  kvRead: 0.7,
  allReduceBytesPerSecond: PCIE4,
};

const AMPERE: GpuEfficiency = {
  mfu: { bf16: 0.9 },
  read: { bf16: { small: 0.68, large: 0.75 } },
  attentionMfu: 0.39,
  kvRead: 0.72,
  allReduceBytesPerSecond: NVLINK3,
};

const HOPPER: GpuEfficiency = {
  mfu: { bf16: 0.81, fp8: 0.6 }, // fp8: the median of all shapes is 0.5; those of models of 8 to 32 B reach 0.54 to 0.67
  read: { bf16: { small: 0.8, large: 0.88 }, fp8: { small: 0.61, large: 0.77 } },
  attentionMfu: 0.4,
  kvRead: 0.8,
  allReduceBytesPerSecond: NVLINK4,
};

const EFFICIENCIES: Readonly<Record<string, GpuEfficiency>> = {
  L4: ADA, // assumed: as the L40S
  "RTX-4090": ADA, // assumed: as the L40S
  L40S: ADA,
  A6000: { ...AMPERE, allReduceBytesPerSecond: PCIE4 }, // assumed: as the A100
  "A100-80": AMPERE,
  "H100-SXM": HOPPER,
  H200: {
    mfu: { bf16: 0.79, fp8: 0.66 }, // fp8: median 0.55, by the same comparison
    read: { bf16: { small: 0.74, large: 0.83 }, fp8: { small: 0.52, large: 0.71 } },
    attentionMfu: 0.45,
    kvRead: 0.77,
    allReduceBytesPerSecond: NVLINK4,
  },
  B200: {
    mfu: { bf16: 0.7, fp8: 0.48 },
    read: { bf16: { small: 0.71, large: 0.82 }, fp8: { small: 0.39, large: 0.6 } },
    attentionMfu: 0.35,
    kvRead: 0.87,
    allReduceBytesPerSecond: NVLINK5,
  },
};

/** The efficiency of a GPU of the catalogue by its id; that of an H100 for one that nobody measured: assumed. */
export function efficiencyOf(gpuId: string): GpuEfficiency {
  return ownValue(EFFICIENCIES, gpuId) ?? HOPPER;
}
