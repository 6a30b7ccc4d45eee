// A model: the shape that its config.json gives, from which parameters, weights and KV cache follow, and what vLLM needs to serve it.
//
// Dense decoders with grouped-query attention and a gated MLP (Llama, Mistral, Qwen). Mixtures of experts, latent attention and
// sliding windows need other formulas.

/** How weights are stored. int4 has one scale and one zero point for 128 weights, as AWQ and GPTQ checkpoints have. */
export type Quantization = "bf16" | "fp8" | "int4";

/** All of them, widest first. */
export const QUANTIZATIONS: readonly Quantization[] = ["bf16", "fp8", "int4"];

/** The sizes in a model's config.json, in its words. */
export type ModelShape = {
  /** num_hidden_layers */
  readonly layers: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  /** num_attention_heads: query heads. */
  readonly heads: number;
  /** num_key_value_heads */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly vocabSize: number;
  /** The output head is the embedding: stored once. */
  readonly tiedEmbeddings: boolean;
  /** Norms of queries and keys in each layer (Qwen3). */
  readonly qkNorm: boolean;
  /** Biases of the query, key and value projections (Qwen2). */
  readonly qkvBias: boolean;
  /** Tokens, max_position_embeddings: what vLLM takes as max_model_len when nobody says otherwise. */
  readonly maxContext: number;
};

/** What a vLLM server is told about a model besides its name. */
export type Serving = {
  /** `--tool-call-parser` */
  readonly toolCallParser: string | undefined;
  /** `--chat-template` that tool calls need, in vLLM's repository; undefined: the model's own does. */
  readonly toolChatTemplate: string | undefined;
  /** Whether the model reliably asks for several tools at once. */
  readonly parallelToolCalls: boolean;
  /** `--reasoning-parser` */
  readonly reasoningParser: string | undefined;
  /** Thinks unless `chat_template_kwargs: { enable_thinking: false }` is sent: then answers take far more tokens. */
  readonly thinksByDefault: boolean;
};

/** Weights that can be downloaded. */
export type Checkpoint = {
  /** Name on Hugging Face. */
  readonly name: string;
  readonly quantization: Quantization;
};

/** A model with its checkpoints, the one of its makers first. */
export type ModelFacts = ModelShape & {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly checkpoints: readonly Checkpoint[];
  readonly serving: Serving;
};

/** A model in one of its checkpoints: what a server is started with. */
export type ModelChoice = {
  readonly model: ModelFacts;
  readonly checkpoint: Checkpoint;
};
