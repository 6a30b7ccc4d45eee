// A pool's numbers in Prometheus' text format. Pure.

import type { EndpointStats, PoolStats } from "../pool/stats.ts";

type Metric = {
  readonly name: string;
  readonly type: "gauge" | "counter";
  readonly help: string;
};

type EndpointMetric = Metric & { readonly valueOf: (endpoint: EndpointStats) => number };
type PoolMetric = Metric & { readonly valueOf: (stats: PoolStats) => number };

const POOL: readonly PoolMetric[] = [
  {
    name: "bosun_pool_queued",
    type: "gauge",
    help: "Calls that wait for admission.",
    valueOf: ({ queued }) => queued,
  },
  {
    name: "bosun_pool_admitted_total",
    type: "counter",
    help: "Attempts that were sent to an endpoint.",
    valueOf: ({ admitted }) => admitted,
  },
  {
    name: "bosun_pool_refused_total",
    type: "counter",
    help: "Calls that found the queue full or waited too long.",
    valueOf: ({ refused }) => refused,
  },
  {
    name: "bosun_pool_retries_total",
    type: "counter",
    help: "Attempts that repeated a failed one.",
    valueOf: ({ retries }) => retries,
  },
  {
    name: "bosun_pool_hedges_total",
    type: "counter",
    help: "Attempts that ran beside a slow one.",
    valueOf: ({ hedges }) => hedges,
  },
];

const ENDPOINT: readonly EndpointMetric[] = [
  {
    name: "bosun_pool_in_flight",
    type: "gauge",
    help: "Calls at the endpoint that were sent from here.",
    valueOf: ({ inFlight }) => inFlight,
  },
  {
    name: "bosun_pool_reserved_tokens",
    type: "gauge",
    help: "Tokens of its KV cache that these calls will hold at their ends, which come one after another.",
    valueOf: ({ reservedTokens }) => reservedTokens,
  },
  {
    name: "bosun_pool_peak_tokens",
    type: "gauge",
    help: "Most tokens of its KV cache that these calls will hold at once, as far as expected.",
    valueOf: ({ peakTokens }) => peakTokens,
  },
  {
    name: "bosun_pool_kv_tokens",
    type: "gauge",
    help: "Tokens that may be held there at once; +Inf where nobody knows.",
    valueOf: ({ kvTokens }) => kvTokens,
  },
  {
    name: "bosun_pool_prefill_tokens",
    type: "gauge",
    help: "Prompt tokens that were sent and have not brought a token yet.",
    valueOf: ({ prefillTokens }) => prefillTokens,
  },
  {
    name: "bosun_pool_limit",
    type: "gauge",
    help: "Calls that may be in flight now; +Inf where nothing bounds them.",
    valueOf: ({ limit }) => limit,
  },
  {
    name: "bosun_pool_circuit_open",
    type: "gauge",
    help: "1 while nothing is sent to the endpoint because it failed too often.",
    valueOf: ({ circuit }) => (circuit === "open" ? 1 : 0),
  },
];

/** What GET /metrics says. */
export function toPoolMetrics(stats: PoolStats): string {
  const ofPool = POOL.map((metric) => [
    ...headOf(metric),
    `${metric.name} ${numberText(metric.valueOf(stats))}`,
  ]);
  const names = namesOf(stats.endpoints);
  const ofEndpoints = ENDPOINT.map((metric) => [
    ...headOf(metric),
    ...stats.endpoints.map(
      (endpoint, index) =>
        `${metric.name}{endpoint="${escape(names[index] ?? "")}"} ${numberText(metric.valueOf(endpoint))}`,
    ),
  ]);
  return `${[...ofPool, ...ofEndpoints].flat().join("\n")}\n`;
}

function headOf({ name, type, help }: Metric): string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
}

/** Unique, as Prometheus drops a scrape in which one series stands twice; names are unique in a deployment only. */
function namesOf(endpoints: readonly EndpointStats[]): readonly string[] {
  const counts = new Map<string, number>();
  return endpoints.map(({ name }) => {
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name}#${count}`;
  });
}

function numberText(value: number): string {
  if (value === Infinity) return "+Inf";
  return String(Math.round(value * 1_000) / 1_000);
}

function escape(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}
