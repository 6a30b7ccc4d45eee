// The GPUs that Bosun knows, and their look-up by whatever name a driver or a cloud prints.
//
// Sources, where a line names no other:
// - memory: `memory.total` of nvidia-smi, as its printouts in public repositories show it, read November 2026;
// - bandwidth, FLOPS: NVIDIA's datasheets; as collected by AIConfigurator, src/aiconfigurator/systems, August 2026.
// All FLOPS are dense: half of what a datasheet prints "with sparsity". Bandwidth and FLOPS are peaks.

import { BosunError } from "../../error.ts";
import { defineGpu, type Gpu, type GpuFacts } from "./gpu.ts";
import { findByName } from "./name.ts";
import { GIB, MIB } from "./unit.ts";

const TERA = 1e12;

const FACTS: readonly GpuFacts[] = [
  {
    id: "L4",
    aliases: ["L4 24GB"],
    memoryBytes: 23_034 * MIB,
    bandwidthBytesPerSecond: 0.3 * TERA,
    bf16FlopsPerSecond: 121 * TERA,
    fp8FlopsPerSecond: 242 * TERA,
  },
  {
    id: "RTX-4090",
    aliases: ["4090", "RTX 4090 24GB"],
    memoryBytes: 24_564 * MIB,
    bandwidthBytesPerSecond: 1.008 * TERA, // waredb.com/processor/nvidia-geforce-rtx-4090, August 2026, as the next two
    bf16FlopsPerSecond: 165 * TERA,
    fp8FlopsPerSecond: 330 * TERA,
  },
  {
    id: "A6000",
    aliases: ["RTX A6000", "RTX A6000 48GB", "A6000 48GB"],
    memoryBytes: 49_140 * MIB,
    bandwidthBytesPerSecond: 0.768 * TERA, // NVIDIA RTX A6000 datasheet, 2021
    bf16FlopsPerSecond: 154.8 * TERA, // same: 309.7 with sparsity. No fp8 tensor cores
  },
  {
    id: "L40S",
    aliases: ["L40S 48GB"],
    memoryBytes: 46_068 * MIB, // also AIConfigurator's
    bandwidthBytesPerSecond: 0.864 * TERA,
    bf16FlopsPerSecond: 362 * TERA,
    fp8FlopsPerSecond: 733 * TERA,
  },
  {
    id: "A100-80",
    aliases: ["A100", "A100 SXM", "A100 80GB", "A100 SXM4 80GB", "A100 SXM 80GB", "A100 80GB SXM"],
    memoryBytes: 80 * GIB, // 81 920 MiB
    bandwidthBytesPerSecond: 2.039 * TERA,
    bf16FlopsPerSecond: 312 * TERA, // no fp8 tensor cores
  },
  {
    id: "H100-SXM",
    aliases: [
      "H100",
      "H100 80GB",
      "H100 80GB HBM3",
      "H100 SXM5",
      "H100 SXM 80GB",
      "H100 SXM5 80GB",
      "H100 80GB SXM",
    ],
    memoryBytes: 81_559 * MIB,
    bandwidthBytesPerSecond: 3.35 * TERA,
    bf16FlopsPerSecond: 989 * TERA,
    fp8FlopsPerSecond: 1979 * TERA,
  },
  {
    id: "H200",
    aliases: ["H200 SXM", "H200 141GB", "H200 SXM 141GB", "H200 141GB HBM3e"],
    memoryBytes: 143_771 * MIB,
    bandwidthBytesPerSecond: 4.8 * TERA,
    bf16FlopsPerSecond: 989 * TERA,
    fp8FlopsPerSecond: 1979 * TERA,
  },
  {
    id: "B200",
    aliases: ["B200 SXM", "B200 180GB", "B200 192GB"],
    memoryBytes: 183_359 * MIB,
    bandwidthBytesPerSecond: 7.7 * TERA,
    bf16FlopsPerSecond: 2250 * TERA,
    fp8FlopsPerSecond: 4500 * TERA,
    fp4FlopsPerSecond: 9000 * TERA,
  },
];

/** All GPUs of the catalogue, by memory. */
export const GPUS: readonly Gpu[] = FACTS.map((facts) => defineGpu(facts)).toSorted(
  (a, b) => a.memoryBytes - b.memoryBytes,
);

/** Words of makers and brands, which some print and some do not. */
const BRANDS: ReadonlySet<string> = new Set(["nvidia", "geforce", "tesla"]);

/**
 * The GPU that `text` names: an id, or what nvidia-smi or PyTorch call it (`NVIDIA H100 80GB HBM3`). Undefined also for a relative of
 * a known one that computes or holds less: an H100 PCIe, an A100 with 40 GB, a slice of a GPU.
 */
export function findGpu(text: string): Gpu | undefined {
  return findByName(GPUS, text, ({ id, aliases }) => [id, ...aliases], BRANDS);
}

/**
 * As `findGpu`.
 * @throws BosunError `fleet/unknown-gpu`, which lists what is known.
 */
export function requireGpu(text: string): Gpu {
  const gpu = findGpu(text);
  if (gpu) return gpu;
  const known = GPUS.map(({ id }) => id);
  throw new BosunError(
    "fleet/unknown-gpu",
    `GPU "${text.slice(0, 80)}" is not in the catalogue: use one of ${known.join(", ")}, or describe yours with defineGpu`,
    { details: { known } },
  );
}
