// The one setting to change when memory runs out, by the words of the engine that ran out. Pure.
//
// vLLM's flags are those that its own messages name. The others' are their servers' flags for the same thing; which of them helps most
// is their documentation's advice (SGLang: smaller prefill chunks, then fewer running requests), not measured here.

import type { MemoryFacts } from "./memory-fact.ts";

/** A setting by its name where it is set, and the value to try. */
export type Setting = { readonly name: string; readonly value: string };

/** For a model or a prompt that is too large by itself. The engine's words decide where they say what was missing. */
export function firstSetting(facts: MemoryFacts): Setting {
  const { said, failed, kvTokens } = facts;
  for (const { words, setting } of BY_WORDS) {
    const found = words.exec(said);
    if (found) return setting(found, facts);
  }
  if (kvTokens !== undefined && failed.promptTokens > kvTokens)
    return { name: "--max-model-len", value: String(kvTokens) };
  // A running vLLM has its share already: what fails is outside of it, so the share must be smaller.
  return { name: "--gpu-memory-utilization", value: "0.85" };
}

/** For what fits one by one. Tokens where as many calls, but fewer tokens, went well; else calls. */
export function countSetting({ said, failed, best, kvTokens }: MemoryFacts): Setting {
  const isOfTokens = kvTokens !== undefined && best.inFlight >= failed.inFlight;
  if (isOfTokens) {
    const value = Math.floor(Math.min(best.tokensInFlight, failed.tokensInFlight * 0.8));
    return { name: "kvTokens of the endpoint in the fleet file", value: String(value) };
  }
  const known = best.inFlight > 0 && best.inFlight < failed.inFlight ? best.inFlight : Infinity;
  const value = Math.max(1, Math.min(known, Math.floor(failed.inFlight / 2)));
  return {
    name: `maxNumSeqs of the endpoint in the fleet file (${flagOf(said)})`,
    value: `${value}`,
  };
}

/** For prompts that grow from run to run: half of what they have grown by. */
export function contextSetting(grownTokens: number): Setting {
  return {
    name: "maxTokens of the session, or inlineTokens of an input that grows",
    value: String(Math.max(500, Math.floor(grownTokens / 2))),
  };
}

/** What bounds the requests at once, by engine. */
function flagOf(said: string): string {
  if (/batch size|token_to_kv_pool|sglang/i.test(said)) return "SGLang: --max-running-requests";
  if (/llama runner|ollama|system memory/i.test(said)) return "Ollama: OLLAMA_NUM_PARALLEL";
  if (/ggml|memory slot|llama/i.test(said)) return "llama.cpp: --parallel";
  return "vLLM: --max-num-seqs";
}

type Rule = {
  readonly words: RegExp;
  readonly setting: (found: RegExpExecArray, facts: MemoryFacts) => Setting;
};

const BY_WORDS: readonly Rule[] = [
  {
    words: /estimated maximum model length is (\d+)/i,
    setting: ([, tokens = ""]) => ({ name: "--max-model-len", value: tokens }),
  },
  {
    words: /free memory on device.{0,40}\((\d+(?:\.\d+)?)\/(\d+(?:\.\d+)?) GiB\)/i,
    setting: ([, free, total]) => ({
      name: "--gpu-memory-utilization",
      value: (Math.floor((Number(free) / Number(total)) * 100 - 1) / 100).toFixed(2),
    }),
  },
  {
    words: /no available memory for the cache blocks/i,
    setting: () => ({ name: "--gpu-memory-utilization", value: "0.95" }),
  },
  {
    words: /requires more system memory .{0,40}than is available \(([^)]{1,20})\)/i,
    setting: ([, available = ""]) => ({
      name: "the model's quantisation",
      value: `one whose weights take less than ${available}`,
    }),
  },
  {
    words: /prefill out of memory/i,
    setting: () => ({ name: "--chunked-prefill-size", value: "2048" }),
  },
  {
    words: /llama runner|cudaMalloc failed|failed to allocate .{0,60}buffer|ggml_/i,
    setting: (_, { failed }) => ({
      name: "num_ctx (Ollama) or --ctx-size (llama.cpp)",
      // The cache is allocated for the whole context: as much as this prompt and an answer need.
      value: String(Math.ceil((failed.promptTokens + 1_024) / 1_024) * 1_024),
    }),
  },
];
