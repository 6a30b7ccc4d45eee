import { describe, expect, it } from "vitest";
import { fromConfig, requireModel, toParameters } from "../../../src/fleet.ts";
import { failureOf } from "./failure-of.ts";

/** The config.json of Qwen/Qwen3-8B, without what nobody reads here. */
const QWEN3_8B = {
  architectures: ["Qwen3ForCausalLM"],
  head_dim: 128,
  hidden_size: 4096,
  intermediate_size: 12_288,
  max_position_embeddings: 40_960,
  model_type: "qwen3",
  num_attention_heads: 32,
  num_hidden_layers: 36,
  num_key_value_heads: 8,
  sliding_window: null,
  tie_word_embeddings: false,
  use_sliding_window: false,
  vocab_size: 151_936,
};

describe("fromConfig", () => {
  it("gives what the catalogue has for the same model", () => {
    const { model } = fromConfig("mine", QWEN3_8B);
    const known = requireModel("Qwen3-8B").model;

    expect({ ...known, ...model }).toEqual({
      ...known,
      name: "mine",
      aliases: [],
      checkpoints: [{ name: "mine", quantization: "bf16" }],
      serving: model.serving,
    });
  });

  it("fills in what older configs leave out", () => {
    const { num_key_value_heads: _kv, head_dim: _dim, ...rest } = QWEN3_8B;
    const { model } = fromConfig("old", { ...rest, model_type: "llama" });

    expect(model).toMatchObject({ kvHeads: 32, headDim: 128, qkNorm: false, qkvBias: false });
  });

  it("counts the biases that Qwen2 has without saying so", () => {
    const qwen2 = fromConfig("q2", { ...QWEN3_8B, model_type: "qwen2" }).model;
    const llama = fromConfig("ll", { ...QWEN3_8B, model_type: "llama" }).model;

    expect(toParameters(qwen2).total - toParameters(llama).total).toBe(36 * (32 + 2 * 8) * 128);
  });

  it("takes what the config does not tell from its caller", () => {
    const { model } = fromConfig("mine", QWEN3_8B, { toolCallParser: "hermes" });

    expect(model.serving).toMatchObject({ toolCallParser: "hermes", thinksByDefault: false });
  });

  it.each([
    ["bf16", undefined],
    ["bf16", null],
    ["fp8", { quant_method: "fp8", weight_block_size: [128, 128] }],
    ["int4", { quant_method: "awq", bits: 4, group_size: 128 }],
    ["int4", { quant_method: "gptq", bits: 4 }],
    [
      "fp8",
      {
        quant_method: "compressed-tensors",
        config_groups: { group_0: { weights: { num_bits: 8, type: "float" } } },
      },
    ],
    [
      "int4",
      {
        quant_method: "compressed-tensors",
        config_groups: { group_0: { weights: { num_bits: 4, type: "int" } } },
      },
    ],
  ])("reads %s weights", (quantization, config) => {
    const { checkpoint } = fromConfig("mine", { ...QWEN3_8B, quantization_config: config });

    expect(checkpoint).toEqual({ name: "mine", quantization });
  });

  it.each([
    ["no object", [], /not a JSON object/],
    ["no object", "{}", /not a JSON object/],
    ["a mixture of experts", { ...QWEN3_8B, model_type: "qwen3_moe" }, /model_type "qwen3_moe"/],
    ["no type", { ...QWEN3_8B, model_type: undefined }, /model_type/],
    [
      "a sliding window",
      { ...QWEN3_8B, model_type: "mistral", sliding_window: 4096, use_sliding_window: undefined },
      /sliding_window/,
    ],
    ["no layers", { ...QWEN3_8B, num_hidden_layers: undefined }, /num_hidden_layers/],
    ["half a layer", { ...QWEN3_8B, num_hidden_layers: 1.5 }, /num_hidden_layers/],
    ["a text for a number", { ...QWEN3_8B, vocab_size: "many" }, /vocab_size/],
    ["a huge number", { ...QWEN3_8B, hidden_size: 1e300 }, /hidden_size/],
    ["heads that do not divide", { ...QWEN3_8B, num_key_value_heads: 7 }, /num_key_value_heads 7/],
    [
      "8 bits of GPTQ",
      { ...QWEN3_8B, quantization_config: { quant_method: "gptq", bits: 8 } },
      /quantization_config/,
    ],
    [
      "an unknown format",
      { ...QWEN3_8B, quantization_config: { quant_method: "compressed-tensors" } },
      /quantization_config/,
    ],
    ["a format that is none", { ...QWEN3_8B, quantization_config: "fp8" }, /quantization_config/],
  ])("refuses %s, and names it", (_what, config, message) => {
    const error = failureOf(() => fromConfig("mine", config));

    expect(error.code).toBe("fleet/invalid");
    expect(error.message).toMatch(message);
    expect(error.message).toContain("config.json of mine");
  });
});
