import { describe, expect, it } from "vitest";
import { type MemoryRequest, planMemory, tellRemedy } from "../../../src/fleet.ts";

const toldFor = (request: MemoryRequest): readonly string[] =>
  planMemory(request).remedies.map((remedy) => tellRemedy(remedy));

describe("what would fit instead", () => {
  it("of a context that is too long: a shorter one, more of the GPU, smaller caches and weights, more GPUs, another", () => {
    expect(
      toldFor({ gpu: "L40S", model: "Qwen/Qwen3-32B-FP8", gpuMemoryUtilization: 0.85 }),
    ).toEqual([
      "--max-model-len 17520",
      "--gpu-memory-utilization 0.92, then up to 30416 tokens a request",
      "--kv-cache-dtype fp8, then up to 35040 tokens a request",
      "Qwen/Qwen3-32B-AWQ, then up to 40960 tokens a request",
      "--tensor-parallel-size 2, then up to 40960 tokens a request",
      "GPU A100-80, then up to 40960 tokens a request",
    ]);
  });

  it("of weights that do not fit: checkpoints that do, by name", () => {
    expect(toldFor({ gpu: "L40S", model: "Qwen3-32B", maxModelLen: 8192 })).toEqual([
      "Qwen/Qwen3-32B-FP8, then up to 8192 tokens a request",
      "Qwen/Qwen3-32B-AWQ, then up to 8192 tokens a request",
      "--tensor-parallel-size 2, then up to 8192 tokens a request",
      "GPU A100-80, then up to 8192 tokens a request",
    ]);
  });

  it("of a checkpoint that the catalogue does not know: the format", () => {
    expect(toldFor({ gpu: "4090", model: "Qwen3-0.6B", gpuMemoryUtilization: 0.13 })).toContain(
      "weights in int4, then up to 5760 tokens a request",
    );
  });

  it("of too many copies: fewer, or a smaller share for each", () => {
    const ask = { gpu: "L40S", model: "Llama-3.1-8B", maxModelLen: 4096 };

    expect(toldFor({ ...ask, copies: 2 })).toEqual([
      "--gpu-memory-utilization 0.49, then up to 4096 tokens a request",
      "one copy on the GPU, then up to 4096 tokens a request",
    ]);
    expect(toldFor({ ...ask, copies: 3, gpuMemoryUtilization: 0.45 })).toEqual([
      "2 copies on the GPU, then up to 4096 tokens a request",
    ]);
  });

  it("never an fp8 cache where the tensor cores have no fp8", () => {
    const { remedies } = planMemory({ gpu: "A100", model: "Llama-3.1-70B", quantization: "fp8" });

    expect(remedies.map(({ type }) => type)).toEqual([
      "shorter-context",
      "quantization",
      "tensor-parallel",
      "gpu",
    ]);
  });

  it("is nothing where nothing fits", () => {
    const plan = planMemory({
      gpu: "L4",
      model: "Llama-3.1-70B",
      copies: 64,
      gpuMemoryUtilization: 0.001,
    });

    expect(plan).toMatchObject({ type: "out-of-memory-at-load", remedies: [] });
  });
});
