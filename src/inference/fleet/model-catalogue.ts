// The models that Bosun knows, and their look-up by the name of any of their checkpoints.
//
// Sources: sizes from the config.json of each model on Hugging Face, names of checkpoints from the same hub, read November 2026;
// parsers and templates from vLLM, docs/features/tool_calling.md and reasoning_outputs.md, November 2026; Qwen3's tool parser from
// Qwen's own documentation for vLLM.

import { BosunError } from "../../error.ts";
import type { Checkpoint, ModelFacts, ModelChoice, ModelShape, Serving } from "./model.ts";
import { findByName } from "./name.ts";

const LLAMA_SERVING: Serving = {
  toolCallParser: "llama3_json",
  toolChatTemplate: "examples/tool_chat_template_llama3.1_json.jinja",
  parallelToolCalls: false,
  reasoningParser: undefined,
  thinksByDefault: false,
};

const MISTRAL_SERVING: Serving = {
  toolCallParser: "mistral",
  // With --tokenizer_mode hf; Mistral's own tokenizer, vLLM's default for it, needs none.
  toolChatTemplate: "examples/tool_chat_template_mistral_parallel.jinja",
  parallelToolCalls: false,
  reasoningParser: undefined,
  thinksByDefault: false,
};

const QWEN3_SERVING: Serving = {
  toolCallParser: "hermes",
  toolChatTemplate: undefined,
  parallelToolCalls: true,
  reasoningParser: "qwen3",
  thinksByDefault: true,
};

const LLAMA_SHAPE = {
  kvHeads: 8,
  headDim: 128,
  vocabSize: 128_256,
  tiedEmbeddings: false,
  qkNorm: false,
  qkvBias: false,
  maxContext: 131_072,
} as const;

const QWEN3_SHAPE = {
  kvHeads: 8,
  headDim: 128,
  vocabSize: 151_936,
  tiedEmbeddings: false,
  qkNorm: true,
  qkvBias: false,
  maxContext: 40_960, // 32 768 and room for an answer
} as const;

/** All models of the catalogue. */
export const MODELS: readonly ModelFacts[] = [
  {
    name: "mistralai/Mistral-7B-Instruct-v0.3",
    aliases: ["Mistral-7B-v0.3", "mistralai/Mistral-7B-v0.3", "Mistral-7B", "mistral 7b"],
    layers: 32,
    hiddenSize: 4096,
    intermediateSize: 14_336,
    heads: 32,
    kvHeads: 8,
    headDim: 128,
    vocabSize: 32_768,
    tiedEmbeddings: false,
    qkNorm: false,
    qkvBias: false,
    maxContext: 32_768,
    checkpoints: [
      { name: "mistralai/Mistral-7B-Instruct-v0.3", quantization: "bf16" },
      { name: "RedHatAI/Mistral-7B-Instruct-v0.3-FP8", quantization: "fp8" },
      { name: "RedHatAI/Mistral-7B-Instruct-v0.3-GPTQ-4bit", quantization: "int4" },
      { name: "solidrust/Mistral-7B-v0.3-AWQ", quantization: "int4" }, // the base model, not the instruct one
    ],
    serving: MISTRAL_SERVING,
  },
  toLlama("8B", { layers: 32, hiddenSize: 4096, intermediateSize: 14_336, heads: 32 }),
  toLlama("70B", { layers: 80, hiddenSize: 8192, intermediateSize: 28_672, heads: 64 }),
  toQwen3("0.6B", {
    layers: 28,
    hiddenSize: 1024,
    intermediateSize: 3072,
    heads: 16,
    tiedEmbeddings: true,
  }),
  toQwen3("8B", { layers: 36, hiddenSize: 4096, intermediateSize: 12_288, heads: 32 }, "AWQ"),
  toQwen3("14B", { layers: 40, hiddenSize: 5120, intermediateSize: 17_408, heads: 40 }, "AWQ"),
  toQwen3("32B", { layers: 64, hiddenSize: 5120, intermediateSize: 25_600, heads: 64 }, "AWQ"),
];

/** The model and checkpoint that `text` names: a name on Hugging Face or without its owner, an alias; any case. */
export function findModel(text: string): ModelChoice | undefined {
  return findByName(CHOICES, text, ({ model, checkpoint }) =>
    checkpoint === model.checkpoints[0]
      ? [...toNames(checkpoint), ...model.aliases]
      : toNames(checkpoint),
  );
}

/**
 * As `findModel`.
 * @throws BosunError `fleet/unknown-model`, which lists what is known.
 */
export function requireModel(text: string): ModelChoice {
  const choice = findModel(text);
  if (choice) return choice;
  const known = CHOICES.map(({ checkpoint }) => checkpoint.name);
  throw new BosunError(
    "fleet/unknown-model",
    `model "${text.slice(0, 80)}" is not in the catalogue: use one of ${known.join(", ")}, or describe yours with fromConfig`,
    { details: { known } },
  );
}

const CHOICES: readonly ModelChoice[] = MODELS.flatMap((model) =>
  model.checkpoints.map((checkpoint) => ({ model, checkpoint })),
);

/** With its owner, without, and with the name that an owner had before. */
function toNames({ name }: Checkpoint): readonly string[] {
  return [name, name.slice(name.indexOf("/") + 1), name.replace(/^RedHatAI\//, "neuralmagic/")];
}

type Sizes = Pick<ModelShape, "layers" | "hiddenSize" | "intermediateSize" | "heads"> & {
  readonly tiedEmbeddings?: boolean;
};

function toLlama(size: string, sizes: Sizes): ModelFacts {
  const instruct = `Meta-Llama-3.1-${size}-Instruct`;
  return {
    name: `meta-llama/Llama-3.1-${size}-Instruct`,
    aliases: [
      `meta-llama/${instruct}`,
      instruct,
      `meta-llama/Llama-3.1-${size}`,
      `Llama-3.1-${size}`,
    ],
    ...LLAMA_SHAPE,
    ...sizes,
    checkpoints: [
      { name: `meta-llama/Llama-3.1-${size}-Instruct`, quantization: "bf16" },
      { name: `RedHatAI/${instruct}-FP8`, quantization: "fp8" },
      { name: `hugging-quants/${instruct}-AWQ-INT4`, quantization: "int4" },
    ],
    serving: LLAMA_SERVING,
  };
}

function toQwen3(size: string, sizes: Sizes, int4?: "AWQ"): ModelFacts {
  const name = `Qwen/Qwen3-${size}`;
  return {
    name,
    aliases: [],
    ...QWEN3_SHAPE,
    ...sizes,
    checkpoints: [
      { name, quantization: "bf16" },
      { name: `${name}-FP8`, quantization: "fp8" },
      ...(int4 ? [{ name: `${name}-${int4}`, quantization: "int4" as const }] : []),
    ],
    serving: QWEN3_SERVING,
  };
}
