import { describe, expect, it } from "vitest";
import { type MemoryPlan, type MemoryRequest, planMemory } from "../../../src/fleet.ts";
import { failureOf } from "./failure-of.ts";

/** The table has whole thousands of whole tokens, a plan whole blocks. */
const ROUNDING = 0.5 + 0.032;

/** Thousands of tokens that a plan's KV cache holds; 0 when there is none. */
function thousands(request: MemoryRequest): number {
  const plan = planMemory({ maxModelLen: 16, ...request });
  return plan.type === "fits" ? plan.kvTokens / 1000 : 0;
}

// docs/kv-cache-sizing.md and its source table: thousands of tokens at a utilisation of 0.85 and 0.92, 2 GiB of reserve.
const COLUMNS = ["RTX-4090", "L4", "L40S", "80 GB", "H200", "B200"] as const;
const NONE = undefined;
const CAPACITY = [
  ["Llama-3.1-8B", "bf16", [28, 42], [18, 31], [174, 200], [417, 463], [839, 919], [1108, 1211]],
  ["Llama-3.1-8B", "fp8", [81, 95], [71, 84], [228, 253], [470, 516], [892, 972], [1161, 1264]],
  ["Mistral-7B", "bf16", [40, 54], [30, 43], [186, 212], [429, 475], [851, 931], [1120, 1223]],
  ["Qwen3-8B", "fp8", [70, 82], [61, 72], [200, 223], [416, 456], [790, 862], [1030, 1121]],
  ["Qwen3-14B", "bf16", NONE, NONE, [57, 78], [251, 288], [589, 653], [804, 886]],
  ["Qwen3-14B", "fp8", [21, 32], [13, 23], [138, 159], [332, 369], [669, 734], [885, 967]],
  ["Qwen3-32B", "bf16", NONE, NONE, NONE, [19, 42], [231, 271], [365, 417]],
  ["Qwen3-32B", "fp8", NONE, NONE, [18, 30], [138, 161], [350, 390], [484, 536]],
  ["Qwen3-32B", "int4", [2, 8], [NONE, 3], [75, 88], [196, 219], [407, 447], [541, 593]],
  ["Llama-3.1-70B", "fp8", NONE, NONE, NONE, [NONE, 12], [163, 195], [270, 312]],
  ["Llama-3.1-70B", "int4", NONE, NONE, [NONE, 8], [94, 112], [263, 295], [371, 412]],
] as const;

const CELLS = CAPACITY.flatMap(([model, quantization, ...cells]) =>
  cells.flatMap((cell, at) =>
    [0.85, 0.92].map((utilization, which) => ({
      model,
      quantization,
      gpu: COLUMNS[at] ?? "",
      utilization,
      tokens: cell?.[which] ?? 0,
    })),
  ),
);

describe("the KV cache of", () => {
  it.each(CELLS.filter(({ gpu }) => gpu !== "80 GB"))(
    "$model in $quantization on $gpu at $utilization holds $tokens thousand tokens",
    ({ model, quantization, gpu, utilization, tokens }) => {
      const computed = thousands({ gpu, model, quantization, gpuMemoryUtilization: utilization });

      expect(Math.abs(computed - tokens)).toBeLessThan(ROUNDING);
    },
  );

  // One column for two cards that differ by 0.34 GiB: the H100 holds a little less than the table, the A100 a little more.
  it.each(CELLS.filter(({ gpu }) => gpu === "80 GB"))(
    "$model in $quantization on 80 GB at $utilization holds $tokens thousand tokens",
    ({ model, quantization, utilization, tokens }) => {
      const ask = { model, quantization, gpuMemoryUtilization: utilization };
      const [h100, a100] = [thousands({ ...ask, gpu: "H100" }), thousands({ ...ask, gpu: "A100" })];

      expect(Math.round(h100)).toBeLessThanOrEqual(tokens);
      expect(Math.round(a100)).toBeGreaterThanOrEqual(tokens);
    },
  );

  it("any model holds twice as much in fp8", () => {
    const ask = { gpu: "L40S", model: "Qwen/Qwen3-32B-FP8" };

    const [bf16, fp8] = [thousands(ask), thousands({ ...ask, kvDtype: "fp8" })];

    expect(fp8 / bf16).toBeCloseTo(2, 2);
  });
});

describe("a plan that fits", () => {
  it("says what the server holds and prints", () => {
    const plan = planMemory({ gpu: "L40S", model: "Qwen/Qwen3-32B-FP8", maxModelLen: 8192 });

    expect(plan).toMatchObject({ type: "fits", blocks: 1901, kvTokens: 30_416, remedies: [] });
    expect(plan.type === "fits" && plan.log).toEqual([
      "Available KV cache memory: 7.43 GiB",
      "GPU KV cache size: 30,416 tokens",
      "Maximum concurrency for 8,192 tokens per request: 3.71x",
    ]);
  });

  it("says what it assumed", () => {
    const { assumed, use } = planMemory({ gpu: "h100", model: "Qwen3-8B" });

    expect(assumed).toMatchObject({
      quantization: "bf16",
      kvDtype: "bf16",
      tensorParallel: 1,
      maxModelLen: 40_960,
      gpuMemoryUtilization: 0.92,
      copies: 1,
    });
    expect(use.reserveBytes).toBe(2 * 2 ** 30);
    expect(use.poolBytes).toBe(use.budgetBytes - use.weightBytes - use.reserveBytes);
  });

  // The start-up log of a vLLM server that a book prints: 79.14 GiB × 0.9, weights 14.99, non-torch 0.12, activations 1.19, KV 54.93.
  it("agrees with a server's log when memory and reserve are that server's", () => {
    const GIB = 2 ** 30;
    const { gpu } = planMemory({ gpu: "A100", model: "Llama-3.1-8B" }).assumed;

    const { use } = planMemory({
      gpu: { ...gpu, memoryBytes: 79.14 * GIB },
      model: "Llama-3.1-8B",
      gpuMemoryUtilization: 0.9,
      reserve: { activationBytes: 1.19 * GIB, cudaGraphBytes: 0, nonTorchBytes: 0.12 * GIB },
    });

    expect(use.weightBytes / GIB).toBeCloseTo(14.99, 1);
    expect(use.poolBytes / GIB).toBeCloseTo(54.93, 1);
  });

  it("takes a model of one's own", () => {
    const { model } = planMemory({ gpu: "L40S", model: "Qwen3-8B" }).assumed;
    const own = {
      model: { ...model, layers: 18 },
      checkpoint: { name: "half", quantization: "fp8" },
    } as const;

    const plan = planMemory({ gpu: "L40S", model: own });

    expect(plan.assumed.quantization).toBe("fp8");
    expect(plan.use.kvBytesPerToken).toBe(147_456 / 2);
  });

  it("shares a model that one GPU cannot hold, and counts NCCL", () => {
    const plan = planMemory({
      gpu: "H100",
      model: "Llama-3.1-70B",
      quantization: "fp8",
      tensorParallel: 2,
    });

    expect(plan.type).toBe("fits");
    expect(plan.use.weightBytes).toBe(36_328_185_856);
    expect(plan.use.kvBytesPerToken).toBe(163_840);
    expect(plan.use.reserveBytes).toBe(2 * 2 ** 30 + 358_612_992);
  });
});

/** The plan, told apart by its type. */
function planAs<T extends MemoryPlan["type"]>(
  type: T,
  request: MemoryRequest,
): Extract<MemoryPlan, { readonly type: T }> {
  const plan = planMemory(request);
  if (plan.type !== type) throw new Error(`${plan.type}, not ${type}`);
  return plan as Extract<MemoryPlan, { readonly type: T }>; // `as`: told apart by the line above
}

describe("a server that does not start", () => {
  it("runs out of memory while it loads weights that are larger than the GPU", () => {
    const plan = planAs("out-of-memory-at-load", { gpu: "L40S", model: "Qwen/Qwen3-32B" });

    expect(plan.during).toBe("weights");
    expect(plan.message).toMatch(
      /^torch\.OutOfMemoryError: CUDA out of memory\. Tried to allocate 500\.00 MiB\. GPU 0 has a total capacity of 44\.99 GiB of which [\d.]+ MiB is free\.$/,
    );
    expect(plan.missingBytes).toBeGreaterThan(17e9);
  });

  it("runs out of memory while it profiles when only the weights have room", () => {
    const { gpu } = planMemory({ gpu: "L40S", model: "Qwen3-8B" }).assumed;
    const tight = { ...gpu, memoryBytes: 16_381_470_720 + 2 ** 30 };

    const plan = planAs("out-of-memory-at-load", { gpu: tight, model: "Qwen3-8B" });

    expect(plan.during).toBe("profile");
    expect(plan.message).toContain("Tried to allocate 1.25 GiB");
    expect(plan.missingBytes).toBe(0.375 * 2 ** 30);
  });

  it("has no memory for the cache when its share is used up, though the GPU is not", () => {
    const plan = planAs("no-kv-blocks", {
      gpu: "H100",
      model: "Llama-3.1-70B",
      quantization: "fp8",
      gpuMemoryUtilization: 0.85,
    });

    expect(plan.message).toBe(
      "ValueError: No available memory for the cache blocks. Try increasing `gpu_memory_utilization` when initializing the engine.",
    );
    expect(plan.use.poolBytes).toBeLessThan(0);
    expect(plan.missingBytes).toBe(16 * 327_680 - plan.use.poolBytes);
  });

  // A server's log in a public repository: Qwen3-8B, 5.62 GiB needed, 4.5 GiB there, 32768 estimated.
  it("says the longest context when the cache does not hold max_model_len, as vLLM does", () => {
    const { gpu } = planMemory({ gpu: "L4", model: "Qwen3-8B" }).assumed;
    const memoryBytes = 16_381_470_720 + 6.5 * 2 ** 30;

    const plan = planAs("context-too-long", {
      gpu: { ...gpu, memoryBytes },
      model: "Qwen3-8B",
      gpuMemoryUtilization: 1,
      reserve: { activationBytes: 2 * 2 ** 30, cudaGraphBytes: 0, nonTorchBytes: 0 },
    });

    expect(plan.message).toBe(
      "ValueError: To serve at least one request with the models's max seq len (40960), (5.62 GiB KV cache is needed, which is larger than the available KV cache memory (4.5 GiB). Based on the available memory, the estimated maximum model length is 32768. Try increasing `gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine.",
    );
    expect(plan.longest).toBe(32_768);
    expect(plan.missingBytes).toBe(1.125 * 2 ** 30);
  });

  it("finds its share taken by the copies that started before it", () => {
    const plan = planAs("no-free-memory", {
      gpu: "L40S",
      model: "Llama-3.1-8B",
      maxModelLen: 4096,
      copies: 2,
    });

    expect(plan.copiesThatFit).toBe(1);
    expect(plan.message).toBe(
      "ValueError: Free memory on device cuda:0 (3.47/44.99 GiB) on startup is less than desired GPU memory utilization (0.92, 41.39 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.",
    );
  });
});

describe("a server that wants the whole GPU", () => {
  it("does not get it: its own CUDA context is there before it looks", () => {
    const plan = planAs("no-free-memory", {
      gpu: "L40S",
      model: "Qwen3-32B",
      gpuMemoryUtilization: 1,
    });

    expect(plan.copiesThatFit).toBe(0);
    expect(plan.message).toContain(
      "(44.86/44.99 GiB) on startup is less than desired GPU memory utilization (1.0, 44.99 GiB)",
    );
  });
});

describe("copies of a server on one GPU", () => {
  it("fit with a share each, and hold what one with that share holds", () => {
    const ask = { gpu: "L40S", model: "Llama-3.1-8B-Instruct", maxModelLen: 4096 };
    const one = planAs("fits", { ...ask, gpuMemoryUtilization: 0.45 });
    const two = planAs("fits", { ...ask, gpuMemoryUtilization: 0.45, copies: 2 });

    expect(two.kvTokens).toBe(one.kvTokens);
    expect(planMemory({ ...ask, gpuMemoryUtilization: 0.45, copies: 3 }).type).toBe(
      "no-free-memory",
    );
  });

  it("fail as one does when even one does not start", () => {
    expect(planMemory({ gpu: "L4", model: "Qwen3-32B", copies: 3 }).type).toBe(
      "out-of-memory-at-load",
    );
  });
});

describe("a request that vLLM refuses", () => {
  const ask = { gpu: "L40S", model: "Qwen3-8B" };

  it.each([
    [{ gpu: "TPU" }, "fleet/unknown-gpu", /"TPU"/],
    [{ model: "gpt-5" }, "fleet/unknown-model", /"gpt-5"/],
    [{ gpuMemoryUtilization: 85 }, "fleet/invalid", /share of the GPU, at most 1, not 85/],
    [{ gpuMemoryUtilization: 0 }, "fleet/invalid", /gpuMemoryUtilization/],
    [{ gpuMemoryUtilization: NaN }, "fleet/invalid", /gpuMemoryUtilization/],
    [{ maxModelLen: 0 }, "fleet/invalid", /maxModelLen .* 1 to 40960, not 0/],
    [{ maxModelLen: 40_961 }, "fleet/invalid", /maxModelLen .* 1 to 40960, not 40961/],
    [{ maxModelLen: 1.5 }, "fleet/invalid", /maxModelLen/],
    [{ tensorParallel: 3 }, "fleet/invalid", /tensorParallel 3 .* 32 heads and 8 KV heads/],
    [{ tensorParallel: 0 }, "fleet/invalid", /tensorParallel/],
    [{ copies: 65 }, "fleet/invalid", /copies/],
    [
      { reserve: { activationBytes: -1, cudaGraphBytes: 0, nonTorchBytes: 0 } },
      "fleet/invalid",
      /reserve: activationBytes must be a number 0 or more, not -1/,
    ],
  ])("%j is an error that says why", (wrong, code, message) => {
    const error = failureOf(() => planMemory({ ...ask, ...wrong }));

    expect(error.code).toBe(code);
    expect(error.message).toMatch(message);
  });
});
