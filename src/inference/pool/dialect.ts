// What each kind of server tells, and where: its context, its capacity, its queue, and what stays unknown. docs/fleet.md shows this
// table; http-probe.ts and the client's facts read what it names.

import type { Dialect } from "../model/endpoint.ts";

/** Where one dialect's facts come from, in words; "" = it does not tell. */
export type DialectFacts = {
  readonly context: string;
  readonly capacity: string;
  readonly queue: string;
  readonly health: string;
  readonly wake: string;
  /** What has to be written into the fleet file, or is learned from calls. */
  readonly unknown: string;
};

/** vLLM 0.28, as the twin has it; the others by their documentation and source, read 2026-11, not tried on such servers. */
export const DIALECT_FACTS: Readonly<Record<Dialect, DialectFacts>> = {
  vllm: {
    context: "/v1/models: max_model_len",
    capacity: "/metrics: vllm:cache_config_info, blocks × block size",
    queue: "/metrics: vllm:num_requests_running, _waiting, kv_cache_usage_perc, num_preemptions",
    health: "/health; /is_sleeping with VLLM_SERVER_DEV_MODE=1",
    wake: "POST /wake_up",
    unknown: "maxNumSeqs, whether it takes priority",
  },
  sglang: {
    context: "/v1/models: max_model_len",
    capacity: "/metrics: sglang:max_total_num_tokens; else /get_server_info",
    queue: "/metrics with --enable-metrics: sglang:num_running_reqs, num_queue_reqs, token_usage",
    health: "/health",
    wake: "",
    unknown: "maxNumSeqs unless --max-running-requests is set",
  },
  "llama.cpp": {
    context: "/props: n_ctx of a slot",
    capacity: "/props: total_slots",
    queue: "/metrics with --metrics: llamacpp:requests_processing, requests_deferred",
    health: "/health",
    wake: "",
    unknown: "KV tokens: slots may share one cache; preemptions: it has none",
  },
  ollama: {
    context: "/api/ps: context_length, once the model is loaded; a cut prompt is model/truncated",
    capacity: "",
    queue: "",
    health: "/api/ps: loaded or not",
    wake: "",
    unknown: "maxNumSeqs (OLLAMA_NUM_PARALLEL), KV tokens, its queue",
  },
  runpod: {
    context: "/v1/models of a worker: max_model_len; asking starts a worker",
    capacity: "",
    queue: "/health: jobs in queue and in progress",
    health: "/health: workers",
    wake: "a request for /v1/models",
    unknown: "kvTokens and maxNumSeqs of a worker, KV usage, preemptions",
  },
  openai: {
    context: "",
    capacity: "",
    queue: "",
    health: "",
    wake: "",
    unknown: "maxModelLen, requestsPerMinute, tokensPerMinute: by the account",
  },
};
