import { describe, expect, it } from "vitest";
import { findModel, MODELS, requireModel, toParameters } from "../../../src/fleet.ts";
import { failureOf } from "./failure-of.ts";

describe("findModel", () => {
  it.each([
    ["Qwen/Qwen3-32B-FP8", "Qwen/Qwen3-32B-FP8", "fp8"],
    ["qwen3-32b-awq", "Qwen/Qwen3-32B-AWQ", "int4"],
    ["QWEN3 0.6B", "Qwen/Qwen3-0.6B", "bf16"],
    ["Llama 3.1 8B", "meta-llama/Llama-3.1-8B-Instruct", "bf16"],
    ["meta-llama/Meta-Llama-3.1-70B-Instruct", "meta-llama/Llama-3.1-70B-Instruct", "bf16"],
    [
      "neuralmagic/Meta-Llama-3.1-8B-Instruct-FP8",
      "RedHatAI/Meta-Llama-3.1-8B-Instruct-FP8",
      "fp8",
    ],
    ["mistral-7b", "mistralai/Mistral-7B-Instruct-v0.3", "bf16"],
    ["solidrust/Mistral-7B-v0.3-AWQ", "solidrust/Mistral-7B-v0.3-AWQ", "int4"],
  ])("knows %s", (text, name, quantization) => {
    expect(findModel(text)?.checkpoint).toEqual({ name, quantization });
  });

  it.each(["Qwen3-72B", "Qwen/Qwen3-0.6B-AWQ", "", "/", "constructor"])(
    "does not know %j",
    (text) => {
      expect(findModel(text)).toBeUndefined();
    },
  );
});

describe("requireModel", () => {
  it("lists what is known when a model is not", () => {
    const error = failureOf(() => requireModel("Qwen3-72B"));

    expect(error.code).toBe("fleet/unknown-model");
    expect(error.message).toContain('"Qwen3-72B"');
    for (const { checkpoints } of MODELS)
      for (const { name } of checkpoints) expect(error.message).toContain(name);
  });

  it("finds each checkpoint and alias as what it is", () => {
    for (const model of MODELS) {
      for (const checkpoint of model.checkpoints)
        expect(requireModel(checkpoint.name)).toEqual({ model, checkpoint });
      for (const alias of model.aliases) expect(requireModel(alias).model).toBe(model);
    }
  });
});

describe("the catalogue of models", () => {
  // Names of models say their size: parameters in 10⁹, as their makers print them.
  it.each([
    ["Mistral-7B", 7.248],
    ["Llama-3.1-8B", 8.03],
    ["Llama-3.1-70B", 70.554],
    ["Qwen3-0.6B", 0.596],
    ["Qwen3-8B", 8.191],
    ["Qwen3-14B", 14.768],
    ["Qwen3-32B", 32.762],
  ])("has %s with %d billion parameters", (name, billions) => {
    expect(toParameters(requireModel(name).model).total / 1e9).toBeCloseTo(billions, 3);
  });

  it("says how vLLM serves them", () => {
    expect(requireModel("Qwen3-8B").model.serving).toEqual({
      toolCallParser: "hermes",
      toolChatTemplate: undefined,
      parallelToolCalls: true,
      reasoningParser: "qwen3",
      thinksByDefault: true,
    });
    expect(requireModel("Llama-3.1-8B").model.serving.toolCallParser).toBe("llama3_json");
    expect(requireModel("Mistral-7B").model.serving.toolCallParser).toBe("mistral");
  });

  it("has the makers' own checkpoint first, in bf16, under the model's name", () => {
    for (const { name, checkpoints } of MODELS)
      expect(checkpoints[0]).toEqual({ name, quantization: "bf16" });
  });
});
