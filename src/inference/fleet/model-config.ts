// A model of your own from its config.json, checked and refused where the formulas of this folder would be wrong.

import { BosunError } from "../../error.ts";
import { isObject } from "../../json.ts";
import type { ModelChoice, ModelShape, Quantization, Serving } from "./model.ts";
import { toCount } from "./number.ts";

type Config = Readonly<Record<string, unknown>>;

/** Architectures that weights.ts and kv.ts compute exactly. */
const KNOWN_TYPES: ReadonlySet<unknown> = new Set(["llama", "mistral", "qwen2", "qwen3"]);

const NOTHING_SPECIAL: Serving = {
  toolCallParser: undefined,
  toolChatTemplate: undefined,
  parallelToolCalls: false,
  reasoningParser: undefined,
  thinksByDefault: false,
};

/**
 * A model as the catalogue has them, from the parsed config.json of a Hugging Face checkpoint.
 * @param name under which it is served and shown.
 * @param serving what the config does not tell: parsers, templates, thinking.
 * @throws BosunError `fleet/invalid` for a missing or wrong field, and for what is not computed here: mixtures of experts, latent
 *   attention, sliding windows, quantisations other than fp8 and int4.
 */
export function fromConfig(
  name: string,
  config: unknown,
  serving: Partial<Serving> = {},
): ModelChoice {
  const where = `config.json of ${name}`;
  if (!isObject(config)) throw invalid(`${where} is not a JSON object`);
  if (!KNOWN_TYPES.has(config["model_type"]))
    throw invalid(
      `${where}: model_type ${JSON.stringify(config["model_type"])} is not computed; it can be ${[...KNOWN_TYPES].join(", ")}`,
    );
  if (config["sliding_window"] && config["use_sliding_window"] !== false)
    throw invalid(
      `${where}: sliding_window is not computed; take it out to compute with a full cache`,
    );
  const checkpoint = { name, quantization: toQuantization(config, where) };
  return {
    model: {
      ...toShape(config, where),
      name,
      aliases: [],
      checkpoints: [checkpoint],
      serving: { ...NOTHING_SPECIAL, ...serving },
    },
    checkpoint,
  };
}

/** Largest size that is believed: far above any model, far below where sums lose integers. */
const MAX_SIZE = 10_000_000;

function toShape(config: Config, where: string): ModelShape {
  const size = (key: string, otherwise?: number): number =>
    toCount(config[key] ?? otherwise, `${where}: ${key}`, MAX_SIZE);
  const [hiddenSize, heads] = [size("hidden_size"), size("num_attention_heads")];
  const kvHeads = size("num_key_value_heads", heads);
  if (heads % kvHeads !== 0)
    throw invalid(`${where}: num_key_value_heads ${kvHeads} does not divide ${heads} heads`);
  const type = config["model_type"];
  return {
    layers: size("num_hidden_layers"),
    hiddenSize,
    intermediateSize: size("intermediate_size"),
    heads,
    kvHeads,
    headDim: size("head_dim", hiddenSize / heads),
    vocabSize: size("vocab_size"),
    tiedEmbeddings: config["tie_word_embeddings"] === true, // false is the default of all known types
    qkNorm: type === "qwen3",
    qkvBias: type === "qwen2",
    maxContext: size("max_position_embeddings"),
  };
}

function toQuantization(config: Config, where: string): Quantization {
  const quantization = config["quantization_config"];
  if (quantization === undefined || quantization === null) return "bf16";
  if (isObject(quantization)) {
    const method = quantization["quant_method"];
    if (method === "fp8" || method === "fbgemm_fp8") return "fp8";
    if ((method === "awq" || method === "gptq") && quantization["bits"] === 4) return "int4";
    if (method === "compressed-tensors") {
      const found = toCompressed(quantization["config_groups"]);
      if (found) return found;
    }
  }
  throw invalid(
    `${where}: this quantization_config is not computed; known are fp8, and awq, gptq and compressed-tensors with 4 bits`,
  );
}

/** Of the format of llm-compressor: the first group's weights stand for all. */
function toCompressed(groups: unknown): Quantization | undefined {
  const group = isObject(groups) ? Object.values(groups)[0] : undefined;
  const weights = isObject(group) ? group["weights"] : undefined;
  if (!isObject(weights)) return undefined;
  const { num_bits: bits, type } = weights;
  if (type === "float" && bits === 8) return "fp8";
  return type === "int" && bits === 4 ? "int4" : undefined;
}

function invalid(message: string): BosunError {
  return new BosunError("fleet/invalid", message);
}
