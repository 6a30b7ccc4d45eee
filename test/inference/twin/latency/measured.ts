// What others measured on real vLLM servers: the rows that the twin is held against. Numbers only, with where they stand.

import type { ModelShape } from "../../../../src/inference/fleet/model.ts";

/** A model of a row: sizes of its config.json. Only the sizes that cost time matter here. */
function shape(sizes: readonly [number, number, number, number, number, number]): ModelShape {
  const [layers, hiddenSize, intermediateSize, heads, kvHeads, vocabSize] = sizes;
  const same = { headDim: 128, tiedEmbeddings: false, qkNorm: false, qkvBias: false };
  return {
    layers,
    hiddenSize,
    intermediateSize,
    heads,
    kvHeads,
    vocabSize,
    ...same,
    maxContext: 32_768,
  };
}

/** Models of the rows. */
export type ModelName =
  | "Llama-3.1-8B"
  | "Llama-3.1-70B"
  | "Llama-2-70B"
  | "Qwen3-14B"
  | "Qwen3-32B"
  | "Qwen2.5-7B"
  | "Qwen2.5-72B"
  | "CodeLlama-34B"
  | "Mistral-Nemo-12B"
  | "Yi-34B";

export const SHAPES: Readonly<Record<ModelName, ModelShape>> = {
  "Llama-3.1-8B": shape([32, 4096, 14_336, 32, 8, 128_256]),
  "Llama-3.1-70B": shape([80, 8192, 28_672, 64, 8, 128_256]),
  "Llama-2-70B": shape([80, 8192, 28_672, 64, 8, 32_000]),
  "Qwen3-14B": shape([40, 5120, 17_408, 40, 8, 151_936]),
  "Qwen3-32B": shape([64, 5120, 25_600, 64, 8, 151_936]),
  "Qwen2.5-7B": shape([28, 3584, 18_944, 28, 4, 152_064]),
  "Qwen2.5-72B": shape([80, 8192, 29_568, 64, 8, 152_064]),
  "CodeLlama-34B": shape([48, 8192, 22_016, 64, 8, 32_000]),
  "Mistral-Nemo-12B": shape([40, 5120, 14_336, 32, 8, 131_072]),
  "Yi-34B": shape([60, 7168, 20_480, 56, 8, 64_000]),
};

/** A server under a load, and what its clients saw. */
export type MeasuredRow = {
  readonly model: ModelName;
  /** Id in the GPU catalogue. */
  readonly gpu: string;
  readonly tensorParallel: number;
  readonly load: MeasuredLoad;
  readonly itlMs: number;
  readonly ttftMs: number;
  readonly e2eMs: number;
};

/** `rate` requests a second as they come, or always `concurrency` of them. `shared` tokens begin every prompt. */
export type MeasuredLoad = {
  readonly promptTokens: number;
  readonly shared: number;
  readonly outputTokens: number;
} & (
  | { readonly type: "open"; readonly rate: number }
  | { readonly type: "closed"; readonly concurrency: number }
);

/**
 * vLLM 0.15.1 in bf16, dense models, max_num_batched_tokens 2048, max_num_seqs 128. Source:
 * inference-sim/sim-to-real-accuracy-validation, results_iter29/error_records.csv before 0205ebd (2026-06-09) and
 * results_trainval/error_records.csv, columns "actual": means of a stage of 600 s. How much of a prompt the prefix
 * cache held is not published: half of it is assumed, the share at which times to first token come out right on average. At 0.2 and
 * at 1 the mean error of inter-token latency is 6 to 8 % as well, that of the first token 15 to 27 %. Left out: mixtures of experts,
 * fp8, loads whose rate is not published, and repeats of one load with other settings, which differ by up to 14 % among themselves.
 */
const S2R: readonly (readonly [
  model: ModelName,
  gpu: string,
  tensorParallel: number,
  work: keyof typeof WORK,
  rate: number,
  itlMs: number,
  ttftMs: number,
  e2eMs: number,
])[] = [
  ["Qwen3-14B", "H100-SXM", 1, "general", 8, 13.33, 41.7, 3312],
  ["Qwen3-14B", "H100-SXM", 1, "general", 20, 17.54, 54.5, 4365],
  ["Qwen3-14B", "H100-SXM", 1, "codegen", 5, 12.6, 39.6, 3120],
  ["Qwen3-14B", "H100-SXM", 1, "codegen", 10, 13.76, 43.3, 3418],
  ["Qwen3-14B", "H100-SXM", 1, "roleplay", 6, 13.11, 41.3, 3285],
  ["Llama-3.1-8B", "H100-SXM", 1, "general", 8, 7.9, 25.2, 1893],
  ["Llama-3.1-8B", "H100-SXM", 1, "general", 20, 9.49, 29.9, 2278],
  ["Llama-3.1-8B", "H100-SXM", 1, "codegen", 5, 7.59, 24.5, 1813],
  ["Llama-3.1-8B", "H100-SXM", 1, "codegen", 10, 8.08, 25.7, 1928],
  ["Llama-3.1-8B", "H100-SXM", 1, "roleplay", 6, 7.77, 26.0, 1885],
  ["CodeLlama-34B", "H100-SXM", 2, "codegen", 5, 14.36, 44.5, 3610],
  ["CodeLlama-34B", "H100-SXM", 2, "codegen", 10, 15.03, 46.1, 3779],
  ["Llama-3.1-8B", "H100-SXM", 2, "general", 8, 5.12, 19.0, 1228],
  ["Llama-3.1-8B", "H100-SXM", 2, "general", 20, 5.87, 21.7, 1407],
  ["CodeLlama-34B", "H100-SXM", 2, "roleplay", 6, 14.35, 45.7, 3670],
  ["Qwen3-14B", "A100-80", 1, "general", 2.5, 22.77, 72.2, 5644],
  ["Qwen3-14B", "A100-80", 1, "general", 6, 29.73, 90.5, 7401],
  ["Llama-3.1-8B", "A100-80", 1, "general", 2.5, 12.8, 42.2, 3067],
  ["Llama-3.1-8B", "A100-80", 1, "general", 6, 15.08, 45.9, 3620],
  ["CodeLlama-34B", "A100-80", 2, "general", 2.5, 26.14, 82.2, 6589],
  ["CodeLlama-34B", "A100-80", 2, "general", 6, 28.85, 89.2, 7272],
  ["Llama-2-70B", "A100-80", 4, "general", 2.5, 32.36, 98.9, 8034],
  ["Llama-2-70B", "A100-80", 4, "general", 6, 38.09, 112.7, 9445],
  ["Llama-3.1-8B", "H100-SXM", 1, "reasoning", 4, 16.36, 50.1, 22753],
  ["Qwen3-14B", "L40S", 1, "general", 2.5, 49.83, 140.6, 12401],
  ["Qwen3-14B", "L40S", 1, "general", 6, 71.03, 543.0, 17994],
  ["Llama-3.1-8B", "L40S", 1, "general", 2.5, 26.46, 74.1, 6338],
  ["Llama-3.1-8B", "L40S", 1, "general", 6, 33.22, 90.1, 7938],
  ["CodeLlama-34B", "H100-SXM", 2, "general", 2.5, 13.85, 43.1, 3490],
  ["CodeLlama-34B", "H100-SXM", 2, "general", 6, 14.4, 43.1, 3626],
  ["Llama-2-70B", "H100-SXM", 4, "general", 2.5, 16.44, 49.9, 4097],
  ["Llama-2-70B", "H100-SXM", 4, "general", 6, 17.66, 51.3, 4395],
  ["Qwen3-14B", "H100-SXM", 1, "general", 2.5, 12.2, 38.1, 3018],
  ["Qwen3-14B", "H100-SXM", 1, "general", 6, 12.87, 39.2, 3207],
  ["Llama-2-70B", "H100-SXM", 4, "codegen", 5, 17.54, 53.4, 4333],
  ["Llama-2-70B", "H100-SXM", 4, "codegen", 10, 19.21, 56.7, 4742],
  ["Llama-3.1-70B", "H100-SXM", 4, "general", 2.5, 17.08, 52.0, 4208],
  ["Llama-3.1-70B", "H100-SXM", 4, "general", 6, 18.8, 54.4, 4625],
  ["Llama-3.1-70B", "H100-SXM", 4, "codegen", 5, 18.3, 54.7, 4495],
  ["Llama-3.1-70B", "H100-SXM", 4, "codegen", 10, 20.43, 59.8, 5014],
  ["Mistral-Nemo-12B", "H100-SXM", 2, "general", 2.5, 6.0, 22.0, 1497],
  ["Mistral-Nemo-12B", "H100-SXM", 2, "general", 6, 6.21, 21.6, 1549],
  ["Mistral-Nemo-12B", "H100-SXM", 1, "codegen", 5, 9.86, 31.9, 2450],
  ["Mistral-Nemo-12B", "H100-SXM", 1, "codegen", 10, 10.58, 33.7, 2628],
  ["Qwen2.5-7B", "H100-SXM", 1, "roleplay", 6, 7.02, 26.7, 1772],
  ["Yi-34B", "H100-SXM", 2, "general", 2.5, 15.08, 46.6, 3780],
  ["Yi-34B", "H100-SXM", 2, "general", 6, 15.75, 47.1, 3939],
  ["Llama-2-70B", "H100-SXM", 4, "roleplay", 6, 18.1, 54.8, 4562],
];

/** Prompt and answer tokens of S2R's loads. */
const WORK = {
  general: [547, 248],
  codegen: [566, 247],
  roleplay: [750, 251],
  reasoning: [1034, 1448],
} as const;

export const S2R_ROWS: readonly MeasuredRow[] = S2R.map(
  ([model, gpu, tensorParallel, work, rate, itlMs, ttftMs, e2eMs]) => {
    const [promptTokens] = WORK[work];
    // Answers were cut where the model ended: their mean length follows from the row itself.
    const outputTokens = Math.round((e2eMs - ttftMs) / itlMs) + 1;
    const shared = Math.round(promptTokens / 2);
    const load = { type: "open", rate, promptTokens, shared, outputTokens } as const;
    return { model, gpu, tensorParallel, load, itlMs, ttftMs, e2eMs };
  },
);

/**
 * The same runs again, from files that hold their first minutes (llmservingsim_error_records_matched.csv, dcec3fd, 2026-06-17):
 * means over both stages. The prefix cache was still filling: a fifth of each prompt is assumed to be in it.
 */
export const S2R_STARTS: readonly {
  readonly name: string;
  readonly stages: readonly MeasuredRow[];
}[] = (
  [
    ["general", [8, 20], 8.89, 39.75, 2118.6],
    ["codegen", [5, 10], 8.11, 33.28, 1875.7],
    ["roleplay", [6], 8.32, 33.24, 1987.4],
    ["reasoning", [4], 16.64, 56.34, 22_705.4],
  ] as const
).map(([name, rates, itlMs, ttftMs, e2eMs]) => ({
  name,
  stages: rates.map((rate): MeasuredRow => {
    const [promptTokens] = WORK[name];
    const shared = Math.round(promptTokens / 5);
    const outputTokens = Math.round((e2eMs - ttftMs) / itlMs) + 1;
    const load = { type: "open", rate, promptTokens, shared, outputTokens } as const;
    return {
      model: "Llama-3.1-8B",
      gpu: "H100-SXM",
      tensorParallel: 1,
      load,
      itlMs,
      ttftMs,
      e2eMs,
    };
  }),
}));

/**
 * vLLM 0.21 (Llama) and 0.22.1 (Qwen) on H100s, fp16, answers of 128 tokens, prompts of ten to twenty words behind a chat template.
 * Source: yobitelcomm/bench, docs/recipes/concurrency-sweep.md (2026-05-16), validation-runs/2026-06-13-llm-h100. TTFT and TPOT are
 * medians. End to end of the first three is TTFT + 127 TPOT; the throughput that the page prints besides is of whole runs with their
 * pauses.
 */
export const YOBITEL_ROWS: readonly MeasuredRow[] = (
  [
    ["Llama-3.1-8B", 1, 1, 6.48, 13.98, undefined],
    ["Llama-3.1-8B", 1, 4, 6.59, 22.75, undefined],
    ["Llama-3.1-8B", 1, 16, 10.94, 41.69, undefined],
    ["Qwen2.5-72B", 4, 1, 16.05, 24.21, 2_062],
    ["Qwen2.5-72B", 4, 4, 16.43, 46.34, 2_130],
    ["Qwen2.5-72B", 4, 16, 17.3, 47.83, 2_240],
  ] as const
).map(([model, tensorParallel, concurrency, itlMs, ttftMs, e2eMs]) => ({
  model,
  gpu: "H100-SXM",
  tensorParallel,
  load: { type: "closed", concurrency, promptTokens: 50, shared: 36, outputTokens: 128 },
  itlMs,
  ttftMs,
  e2eMs: e2eMs ?? ttftMs + 127 * itlMs,
}));
