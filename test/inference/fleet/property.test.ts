import { describe, expect, it } from "vitest";
import {
  BLOCK_TOKENS,
  GPUS,
  type MemoryPlan,
  type MemoryRequest,
  MODELS,
  planCopies,
  planMemory,
  type Quantization,
  type Remedy,
  requireGpu,
  requireModel,
} from "../../../src/fleet.ts";

/** Numbers from 0 to 1, the same in each run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const random = createRandom(20_261_125);
function pick<T>(items: readonly [T, ...T[]] | readonly T[]): T {
  const item = items[Math.floor(random() * items.length)];
  if (item === undefined) throw new Error("nothing to pick from");
  return item;
}

function makeRequest(): MemoryRequest & {
  readonly maxModelLen: number;
  readonly copies: number;
  readonly gpuMemoryUtilization: number;
} {
  const model = pick(MODELS);
  return {
    gpu: pick(GPUS),
    model: requireModel(model.name),
    quantization: pick<Quantization>(["bf16", "fp8", "int4"]),
    kvDtype: pick(["bf16", "fp8"]),
    tensorParallel: pick([1, 1, 2, 4, 8]),
    maxModelLen: 1 + Math.floor(random() * model.maxContext),
    gpuMemoryUtilization: 0.1 + 0.9 * random(),
    copies: pick([1, 1, 1, 2, 3]),
  };
}

const REQUESTS = Array.from({ length: 3000 }, () => makeRequest());

/** The request after the change that a remedy names. */
function applyRemedy(request: MemoryRequest, remedy: Remedy): MemoryRequest {
  const changed = { ...request, maxModelLen: remedy.maxModelLen };
  switch (remedy.type) {
    case "shorter-context":
      return changed;
    case "fp8-kv":
      return { ...changed, kvDtype: "fp8" };
    case "quantization":
      return { ...changed, quantization: remedy.quantization };
    case "utilization":
      return { ...changed, gpuMemoryUtilization: remedy.gpuMemoryUtilization };
    case "fewer-copies":
      return { ...changed, copies: remedy.copies };
    case "tensor-parallel":
      return { ...changed, tensorParallel: remedy.tensorParallel };
    case "gpu":
      return { ...changed, gpu: requireGpu(remedy.gpu) };
    default:
      return remedy satisfies never;
  }
}

const tokensOf = (plan: MemoryPlan): number => (plan.type === "fits" ? plan.kvTokens : -1);

describe("any plan", () => {
  it("is of each type somewhere among those that are tried", () => {
    const types = new Set(REQUESTS.map((request) => planMemory(request).type));

    expect([...types].toSorted()).toEqual([
      "context-too-long",
      "fits",
      "no-free-memory",
      "no-kv-blocks",
      "out-of-memory-at-load",
    ]);
  });

  it("that fits stays within its share and holds its longest request", () => {
    for (const request of REQUESTS) {
      const plan = planMemory(request);
      if (plan.type !== "fits") continue;
      const { use, kvTokens, blocks } = plan;

      expect(kvTokens).toBe(blocks * BLOCK_TOKENS);
      expect(kvTokens * use.kvBytesPerToken).toBeLessThanOrEqual(use.poolBytes);
      expect(use.weightBytes + use.reserveBytes + use.poolBytes).toBe(use.budgetBytes);
      expect(use.budgetBytes * request.copies).toBeLessThanOrEqual(use.gpuBytes + request.copies);
      expect(kvTokens).toBeGreaterThanOrEqual(request.maxModelLen);
      expect(plan.maxConcurrency).toBeGreaterThanOrEqual(1);
      expect(plan.remedies).toEqual([]);
    }
  });

  it("that does not fit says how much is missing, in whole sentences, and only remedies that start", () => {
    for (const request of REQUESTS) {
      const plan = planMemory(request);
      if (plan.type === "fits") continue;
      const missing = "missingBytes" in plan ? plan.missingBytes : 1;

      expect(missing).toBeGreaterThan(0);
      expect(plan.message).not.toMatch(/NaN|undefined|-\d/);
      for (const remedy of plan.remedies)
        expect(planMemory(applyRemedy(request, remedy)).type, JSON.stringify(remedy)).toBe("fits");
    }
  });

  it("starts with the longest context that it names, and not with one block more", () => {
    for (const request of REQUESTS) {
      const plan = planMemory({ ...request, copies: 1, gpuMemoryUtilization: 0.9 });
      if (plan.type !== "context-too-long") continue;
      const ask = { ...request, copies: 1, gpuMemoryUtilization: 0.9 };

      expect(planMemory({ ...ask, maxModelLen: plan.longest }).type).toBe("fits");
      expect(planMemory({ ...ask, maxModelLen: plan.longest + 1 }).type).toBe("context-too-long");
    }
  });

  it("holds no fewer tokens with more memory, narrower weights or a narrower cache", () => {
    for (const request of REQUESTS) {
      const ask = { ...request, maxModelLen: 16, copies: 1 };
      const tokens = tokensOf(planMemory(ask));
      const { gpu } = planMemory(ask).assumed;
      const larger = { ...gpu, memoryBytes: gpu.memoryBytes + 1_000_000 };

      for (const better of [
        { ...ask, gpu: larger },
        { ...ask, quantization: "int4" as const },
        { ...ask, kvDtype: "fp8" as const },
      ])
        expect(tokensOf(planMemory(better))).toBeGreaterThanOrEqual(tokens);
    }
  });
});

describe("any plan of copies", () => {
  it("loads all or stops, never more than a card holds, and needs exactly as many cards as it says", () => {
    for (let round = 0; round < 1000; round++) {
      const [gpu, model] = [pick(GPUS), pick(MODELS).name];
      const ask = { gpu, model, copies: 1 + Math.floor(random() * 20) };
      const gpus = 1 + Math.floor(random() * 10);
      const plan = planCopies({ ...ask, gpus });
      const loaded = plan.copiesPerGpu.reduce((sum, count) => sum + count, 0);

      expect(Math.max(...plan.copiesPerGpu) * plan.bytesPerCopy).toBeLessThanOrEqual(
        gpu.memoryBytes,
      );
      expect(loaded).toBe(plan.type === "fits" ? ask.copies : plan.failedCopy);
      if (plan.type === "fits" || plan.fewestGpus === undefined) continue;
      expect(plan.fewestGpus).toBeGreaterThan(gpus);
      expect(planCopies({ ...ask, gpus: plan.fewestGpus }).type).toBe("fits");
      expect(planCopies({ ...ask, gpus: plan.fewestGpus - 1 }).type).not.toBe("fits");
    }
  });
});
