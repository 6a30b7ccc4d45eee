import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { createFaults } from "../../../src/inference/twin/fault.ts";
import { planFlags } from "../../../src/inference/twin/flag.ts";
import { planTwin } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";

describe("the plan of a twin", () => {
  it("has the blocks that fit, and vLLM's defaults for the GPU", () => {
    const { memory, engine, flags } = planTwin({ gpu: "H100-SXM", model: "Qwen/Qwen3-8B" });

    expect(engine.numGpuBlocks).toBe(memory.blocks);
    expect(engine).toMatchObject({
      maxModelLen: 40_960,
      maxNumSeqs: 1_024,
      maxNumBatchedTokens: 8_192,
    });
    expect(flags).toMatchObject({
      model: "Qwen/Qwen3-8B",
      maxModelLen: 40_960,
      schedulingPolicy: "fcfs",
    });
  });

  it("hands policy and adapters to the engine too", () => {
    const { engine } = planTwin({
      gpu: "H100-SXM",
      model: "Qwen/Qwen3-8B",
      engine: { maxNumSeqs: 8 },
      serving: { schedulingPolicy: "priority", loraModules: ["a", "b"] },
    });

    expect(engine).toMatchObject({ schedulingPolicy: "priority", maxLoras: 2, maxNumSeqs: 8 });
  });

  it("lets more requests run than a step of the GPU's default has tokens", () => {
    const { engine } = planTwin({
      gpu: "L40S",
      model: "Qwen/Qwen3-8B",
      engine: { maxNumSeqs: 4_096 },
    });

    expect(engine.maxNumBatchedTokens).toBe(4_096);
  });

  it.each([
    [
      { gpu: "RTX-4090", model: "Qwen/Qwen3-32B" },
      "config/invalid",
      /CUDA out of memory.* What would fit: /,
    ],
    [
      { gpu: "L40S", model: "Qwen/Qwen3-32B-FP8" },
      "config/invalid",
      /To serve at least one request.* What would fit: --max-model-len \d+/,
    ],
    [
      { gpu: "H100-SXM", model: "Qwen/Qwen3-8B", maxModelLen: 50_000 },
      "config/invalid",
      /max_model_len \(50000\) is greater than the derived max_model_len \(max_position_embeddings=40960 /,
    ],
    [
      { gpu: "H100-SXM", model: "Qwen/Qwen3-8B", gpuMemoryUtilization: 0.2 },
      "config/invalid",
      /No available memory for the cache blocks/,
    ],
    [{ gpu: "H100-SXM", model: "gpt-9" }, "fleet/unknown-model", /gpt-9/],
    [{ gpu: "abacus", model: "Qwen/Qwen3-8B" }, "fleet/unknown-gpu", /abacus/],
  ])("fails for %j as vLLM does", (setup, code, message) => {
    expect(() => planTwin(setup)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe("vLLM's flags", () => {
  const flags = { model: "m", maxModelLen: 100 };

  it.each([
    [{ enableAutoToolChoice: true }, "--enable-auto-tool-choice requires --tool-call-parser"],
    [{ toolCallParser: "telepathy" }, "invalid tool call parser: telepathy (chose from {"],
    [{ maxModelLen: 0 }, "max_model_len"],
  ])("refuse %j", (more, message) => {
    expect(() => planFlags({ ...flags, ...more })).toThrow(
      expect.objectContaining({
        code: "config/invalid",
        message: expect.stringContaining(message),
      }),
    );
  });
});

describe("starting a twin", () => {
  const plan = planTwin({ gpu: "H100-SXM", model: "Qwen/Qwen3-8B" });
  const parts = { clock: createVirtualClock(), source: fillerSource(), faults: createFaults() };

  it.each([{ replicas: 0 }, { replicas: 65 }, { speed: 0 }, { speed: Number.NaN }])(
    "refuses %j",
    (more) => {
      expect(() => startTwin(plan, { ...parts, ...more })).toThrow(
        expect.objectContaining({ code: "config/invalid" }),
      );
    },
  );
});
