// Metrics as Prometheus text, with the names, labels and bounds of vLLM.

import type { EngineState } from "../engine.ts";
import type { Served } from "../served.ts";
import type { ReplicaStats } from "../stats.ts";
import { createHistogram, type Histogram, ITERATION_TOKENS } from "./histogram.ts";
import { FINISHED, type HistogramName, type Recorded } from "./recorder.ts";

/** One engine. */
export type EngineMetrics = { readonly replica: Served; readonly recorded: Recorded };

/** The text of /metrics. Engines are numbered by their place. */
export function metricText(modelName: string, engines: readonly EngineMetrics[]): string {
  const lines = ["# These numbers are simulated by a twin: no GPU made them."];
  const labels = (engine: number, more: string = ""): string =>
    `{${more}engine="${engine}",model_name="${escapeLabel(modelName)}"}`;
  const family = (name: string, type: string, help: string): void =>
    void lines.push(`# HELP vllm:${name} ${help}`, `# TYPE vllm:${name} ${type}`);
  for (const { name, type, help, samples } of FAMILIES) {
    family(name, type, help);
    for (const [index, engine] of engines.entries())
      for (const [more, value] of samples({ ...engine, stats: engine.replica.stats() }))
        lines.push(`vllm:${name}${labels(index, more)} ${numberText(value)}`);
  }
  for (const [name, help] of HISTOGRAMS) {
    family(name, "histogram", help);
    for (const [index, { recorded }] of engines.entries())
      lines.push(...histogramLines(name, recorded.histograms[name], (more) => labels(index, more)));
  }
  const steps = "iteration_tokens_total";
  family(steps, "histogram", "Histogram of number of tokens per engine_step.");
  for (const [index, { replica }] of engines.entries())
    lines.push(
      ...histogramLines(steps, replica.iterationTokens ?? NO_STEPS, (more) => labels(index, more)),
    );
  return `${lines.join("\n")}\n`;
}

const NO_STEPS = createHistogram(ITERATION_TOKENS);

function histogramLines(
  name: string,
  { bounds, counts, sum }: Histogram,
  labels: (more: string) => string,
): string[] {
  let total = 0;
  const buckets = Array.from(counts, (count, at) => {
    total += count;
    const bound = bounds[at];
    const le = bound === undefined ? "+Inf" : numberText(bound);
    return `vllm:${name}_bucket${labels(`le="${le}",`)} ${numberText(total)}`;
  });
  return [
    ...buckets,
    `vllm:${name}_count${labels("")} ${numberText(total)}`,
    `vllm:${name}_sum${labels("")} ${numberText(sum)}`,
  ];
}

/** An engine at one moment. */
type Seen = EngineMetrics & { readonly stats: ReplicaStats };

type Sample = readonly [labels: string, value: number];
type Family = {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
  readonly samples: (seen: Seen) => readonly Sample[];
};

const gauge = (name: string, help: string, samples: Family["samples"]): Family => ({
  name,
  type: "gauge",
  help,
  samples,
});
const counter = (name: string, help: string, samples: Family["samples"]): Family => ({
  name: `${name}_total`,
  type: "counter",
  help,
  samples,
});
const one = (value: (seen: Seen) => number): Family["samples"] => {
  return (seen) => [["", value(seen)]];
};

const FAMILIES: readonly Family[] = [
  gauge(
    "num_requests_running",
    "Number of requests in model execution batches.",
    one(({ stats }) => stats.numRequestsRunning),
  ),
  gauge(
    "num_requests_waiting",
    "Number of requests waiting to be processed.",
    one(({ stats }) => stats.numRequestsWaiting),
  ),
  gauge("num_requests_waiting_by_reason", "Number of waiting requests by reason.", ({ stats }) => [
    ['reason="capacity",', stats.numRequestsWaiting - stats.numRequestsDeferred],
    ['reason="deferred",', stats.numRequestsDeferred],
  ]),
  gauge(
    "engine_sleep_state",
    "Engine sleep state; awake = 0 means engine is sleeping.",
    ({ stats }) => sleepSamples(stats.state),
  ),
  gauge(
    "kv_cache_usage_perc",
    "KV-cache usage. 1 means 100 percent usage.",
    one(({ stats }) => stats.kvCacheUsage),
  ),
  gauge(
    "cache_config_info",
    "Information of the LLMEngine CacheConfig",
    ({ replica: { config } }) => [
      [`block_size="${config.blockSize}",num_gpu_blocks="${config.numGpuBlocks}",`, 1],
    ],
  ),
  counter(
    "prefix_cache_queries",
    "Prefix cache queries, in terms of number of queried tokens.",
    one(({ stats }) => stats.counters.prefixCacheQueries),
  ),
  counter(
    "prefix_cache_hits",
    "Prefix cache hits, in terms of number of cached tokens.",
    one(({ stats }) => stats.counters.prefixCacheHits),
  ),
  counter(
    "external_prefix_cache_queries",
    "External prefix cache queries.",
    one(() => 0),
  ),
  counter(
    "external_prefix_cache_hits",
    "External prefix cache hits.",
    one(() => 0),
  ),
  counter(
    "num_preemptions",
    "Cumulative number of preemption from the engine.",
    one(({ stats }) => stats.counters.preemptions),
  ),
  counter(
    "prompt_tokens",
    "Number of prefill tokens processed.",
    one(({ recorded }) => recorded.promptTokens),
  ),
  counter("prompt_tokens_by_source", "Number of prompt tokens by source.", ({ recorded }) => [
    ['source="local_compute",', recorded.promptTokens - recorded.cachedTokens],
    ['source="local_cache_hit",', recorded.cachedTokens],
    ['source="external_kv_transfer",', 0],
  ]),
  counter(
    "prompt_tokens_cached",
    "Number of cached prompt tokens.",
    one(({ recorded }) => recorded.cachedTokens),
  ),
  counter(
    "generation_tokens",
    "Number of generation tokens processed.",
    one(({ recorded }) => recorded.generationTokens),
  ),
  counter("request_success", "Count of successfully processed requests.", ({ recorded }) =>
    FINISHED.map((reason) => [`finished_reason="${reason}",`, recorded.finished[reason]] as const),
  ),
  counter(
    "corrupted_requests",
    "Corrupted requests.",
    one(() => 0),
  ),
];

const HISTOGRAMS: readonly (readonly [HistogramName, string])[] = [
  ["time_to_first_token_seconds", "Histogram of time to first token in seconds."],
  ["inter_token_latency_seconds", "Histogram of inter-token latency in seconds."],
  [
    "request_time_per_output_token_seconds",
    "Histogram of time_per_output_token_seconds per request.",
  ],
  ["e2e_request_latency_seconds", "Histogram of e2e request latency in seconds."],
  ["request_queue_time_seconds", "Histogram of time spent in WAITING phase for request."],
  ["request_inference_time_seconds", "Histogram of time spent in RUNNING phase for request."],
  ["request_prefill_time_seconds", "Histogram of time spent in PREFILL phase for request."],
  ["request_decode_time_seconds", "Histogram of time spent in DECODE phase for request."],
  ["request_prompt_tokens", "Number of prefill tokens processed."],
  ["request_generation_tokens", "Number of generation tokens processed."],
  [
    "request_max_num_generation_tokens",
    "Histogram of maximum number of requested generation tokens.",
  ],
  ["request_params_n", "Histogram of the n request parameter."],
  ["request_params_max_tokens", "Histogram of the max_tokens request parameter."],
  ["request_prefill_kv_computed_tokens", "Histogram of new KV tokens computed during prefill."],
];

function sleepSamples(state: EngineState): readonly Sample[] {
  return SLEEP_STATES.map((name) => [`sleep_state="${name}",`, state === name ? 1 : 0] as const);
}

const SLEEP_STATES = ["awake", "weights_offloaded", "discard_all"] as const;

/** As Python writes a float. */
function numberText(value: number): string {
  return Number.isInteger(value) ? `${value}.0` : String(value);
}

function escapeLabel(text: string): string {
  return text.replace(/[\\"\n]/g, (char) => (char === "\n" ? "\\n" : `\\${char}`));
}
