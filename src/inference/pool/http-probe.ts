// The Probe of an HTTP endpoint: its gauges, capacity and health, read over the connections of its own client, as its dialect tells
// them (dialect.ts). Keeps nothing: the pool decides how often it asks.

import type { Clock } from "../../clock.ts";
import { isBosunError } from "../../error.ts";
import { isObject, parseJson } from "../../json.ts";
import type { EndpointModel } from "../model/client.ts";
import type { Dialect } from "../model/endpoint.ts";
import type { Capacity } from "./capacity.ts";
import { labelOf, type MetricSample, readSamples } from "./metric-sample.ts";
import type { Gauges, Health, Probe } from "./probe.ts";

/** What a probe is made of. */
export type HttpProbeOptions = {
  readonly model: Pick<EndpointModel, "read" | "facts">;
  readonly clock: Clock;
  /** Default: asked of the endpoint. */
  readonly dialect?: Dialect | undefined;
};

/** A probe of one endpoint. Its questions take at most 10 s and 4 MiB each. */
export function createHttpProbe(options: HttpProbeOptions): Probe {
  const { model } = options;
  const dialectOf = async (signal: AbortSignal): Promise<Dialect | undefined> =>
    options.dialect ?? (await model.facts(signal)).dialect;
  return {
    async gauges(signal) {
      switch (await dialectOf(signal)) {
        case "openai":
        case "ollama":
          return undefined;
        case "runpod":
          return runpodGauges(options, await readJson(model, "/health", signal));
        default:
          return metricGauges(options, await readMetrics(model, signal));
      }
    },
    async capacity(signal) {
      switch (await dialectOf(signal)) {
        case "vllm":
          return vllmCapacity(await readMetrics(model, signal));
        case "sglang":
          return sglangCapacity(model, signal);
        case "llama.cpp":
          return { maxNumSeqs: toCount((await readJson(model, "/props", signal))["total_slots"]) };
        default:
          return {};
      }
    },
    health: async (signal) => healthOf(model, await dialectOf(signal), signal),
    async wake(signal) {
      const dialect = await dialectOf(signal);
      if (dialect === "vllm") await model.read("/wake_up", signal, "POST");
      return dialect === "runpod" && startWorker(model, signal);
    },
  };
}

type Reader = HttpProbeOptions["model"];
type Page = Readonly<Record<string, unknown>>;
type Samples = ReadonlyMap<string, readonly MetricSample[]>;

/** An empty object for a page that is not there, or no JSON. */
async function readJson(model: Reader, path: string, signal: AbortSignal): Promise<Page> {
  const { status, body } = await model.read(path, signal);
  const page = status === 200 ? parseJson(body) : undefined;
  return isObject(page) ? page : {};
}

/** Undefined when the server has no metrics, or needs a flag for them. */
async function readMetrics(model: Reader, signal: AbortSignal): Promise<Samples | undefined> {
  const { status, body } = await model.read("/metrics", signal);
  return status === 200 ? readSamples(body, WANTED) : undefined;
}

/** Names of one gauge at the servers that have it; what an older version called it comes last. */
const NAMES = {
  running: ["vllm:num_requests_running", "sglang:num_running_reqs", "llamacpp:requests_processing"],
  waiting: ["vllm:num_requests_waiting", "sglang:num_queue_reqs", "llamacpp:requests_deferred"],
  kvUsage: [
    "vllm:kv_cache_usage_perc",
    "vllm:gpu_cache_usage_perc",
    "sglang:token_usage",
    "llamacpp:kv_cache_usage_ratio",
  ],
  preemptions: [
    "vllm:num_preemptions_total",
    "vllm:num_preemptions",
    "sglang:num_retracted_requests_total",
    "sglang:num_retracted_reqs_total",
  ],
  prefixQueries: [
    "vllm:prefix_cache_queries_total",
    "vllm:prefix_cache_queries",
    "vllm:gpu_prefix_cache_queries_total",
    "sglang:prompt_tokens_total",
  ],
  prefixHits: [
    "vllm:prefix_cache_hits_total",
    "vllm:prefix_cache_hits",
    "vllm:gpu_prefix_cache_hits_total",
    "sglang:cached_tokens_total",
  ],
} as const;

const CACHE_CONFIG = "vllm:cache_config_info";
const SGLANG_TOKENS = "sglang:max_total_num_tokens";
const WANTED: ReadonlySet<string> = new Set([
  ...Object.values(NAMES).flat(),
  CACHE_CONFIG,
  SGLANG_TOKENS,
]);

function metricGauges(
  { clock }: HttpProbeOptions,
  samples: Samples | undefined,
): Gauges | undefined {
  const valuesOf = (names: readonly string[]): readonly number[] | undefined => {
    const name = names.find((one) => samples?.has(one));
    return name === undefined ? undefined : samples?.get(name)?.map(({ value }) => value);
  };
  const total = (names: readonly string[]): number | undefined =>
    valuesOf(names)?.reduce((sum, value) => sum + value, 0);
  const used = valuesOf(NAMES.kvUsage);
  const gauges = {
    running: total(NAMES.running),
    waiting: total(NAMES.waiting),
    // The engines behind one server are equal, so the mean is the part of all their tokens.
    kvUsage: used && used.reduce((sum, value) => sum + value, 0) / used.length,
    preemptions: total(NAMES.preemptions),
    prefixQueries: total(NAMES.prefixQueries),
    prefixHits: total(NAMES.prefixHits),
  };
  const isSilent = Object.values(gauges).every((value) => value === undefined);
  return isSilent ? undefined : { at: clock.now(), ...gauges };
}

/** Runpod knows its jobs: those in its queue, and those that its workers have. */
function runpodGauges({ clock }: HttpProbeOptions, { jobs }: Page): Gauges | undefined {
  if (!isObject(jobs)) return undefined;
  return {
    at: clock.now(),
    running: toNumber(jobs["inProgress"]),
    waiting: toNumber(jobs["inQueue"]),
    kvUsage: undefined,
    preemptions: undefined,
    prefixQueries: undefined,
    prefixHits: undefined,
  };
}

/** Tokens of all engines together. */
function vllmCapacity(samples: Samples | undefined): Capacity {
  const engines = (samples?.get(CACHE_CONFIG) ?? []).map(
    (sample) =>
      (toNumber(labelOf(sample, "num_gpu_blocks")) ?? 0) *
      (toNumber(labelOf(sample, "block_size")) ?? 0),
  );
  return { kvTokens: toCount(engines.reduce((sum, tokens) => sum + tokens, 0)) };
}

async function sglangCapacity(model: Reader, signal: AbortSignal): Promise<Capacity> {
  const told = (await readMetrics(model, signal))?.get(SGLANG_TOKENS);
  const kvTokens = told?.reduce((sum, { value }) => sum + value, 0);
  const info = await readJson(model, "/get_server_info", signal);
  return {
    kvTokens: toCount(kvTokens ?? info["max_total_num_tokens"]),
    maxNumSeqs: toCount(info["max_running_requests"]),
  };
}

async function healthOf(
  model: Reader,
  dialect: Dialect | undefined,
  signal: AbortSignal,
): Promise<Health> {
  if (dialect === "openai") return "awake"; // it has no page that says so, and a call would be paid for
  if (dialect === "ollama") {
    const { models } = await readJson(model, "/api/ps", signal);
    return Array.isArray(models) && models.length === 0 ? "asleep" : "awake";
  }
  if (dialect === "runpod") return workerHealth(await readJson(model, "/health", signal));
  const { status } = await model.read("/health", signal);
  if (status === 503 && dialect === "llama.cpp") return "starting";
  if (status >= 500) return "unhealthy";
  if (dialect !== "vllm") return "awake";
  const { is_sleeping: isSleeping } = await readJson(model, "/is_sleeping", signal);
  return isSleeping === true ? "asleep" : "awake";
}

/**
 * Runpod counts workers by state. Only `running` ones are billed and answer; `idle` ones are scaled down and a request starts them,
 * and `ready` counts the same (serverless/workers/overview, 2026-08; example of its JavaScript SDK). A throttled one waits for a GPU.
 */
function workerHealth({ workers }: Page): Health {
  if (!isObject(workers)) return "unhealthy";
  const has = (...states: readonly string[]): boolean =>
    states.some((state) => (toNumber(workers[state]) ?? 0) > 0);
  if (has("running")) return "awake";
  if (has("idle", "ready")) return "asleep";
  if (has("initializing", "throttled")) return "starting";
  return has("unhealthy") ? "unhealthy" : "asleep";
}

/**
 * Only a request starts a worker; that it is not answered before one runs is no failure. An answer comes from a worker, whatever
 * /health calls one that has nothing to do.
 */
async function startWorker(model: Reader, signal: AbortSignal): Promise<boolean> {
  try {
    const { status } = await model.read("/openai/v1/models", signal);
    return status === 200;
  } catch (error) {
    if (isBosunError(error) && error.code === "model/timed-out") return false;
    throw error;
  }
}

function toNumber(value: unknown): number | undefined {
  const number = typeof value === "string" ? Number(value) : value;
  return typeof number === "number" && Number.isFinite(number) ? number : undefined;
}

function toCount(value: unknown): number | undefined {
  const number = toNumber(value);
  return number !== undefined && number >= 1 ? Math.floor(number) : undefined;
}
