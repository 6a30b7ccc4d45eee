// The few numbers that are wanted of a server's /metrics, in Prometheus' text form. Pure. Reads each line once.

/** Samples of one name: one for each engine behind a server. */
export type MetricSample = {
  /** As they stand between the braces. */
  readonly labels: string;
  readonly value: number;
};

/** The samples by name, of the names that are wanted. Lines that are no samples are passed over. */
export function readSamples(
  text: string,
  wanted: ReadonlySet<string>,
): ReadonlyMap<string, readonly MetricSample[]> {
  const found = new Map<string, MetricSample[]>();
  for (let from = 0; from < text.length;) {
    const next = text.indexOf("\n", from);
    const end = next === -1 ? text.length : next;
    addSample(text.slice(from, end), wanted, found);
    from = end + 1;
  }
  return found;
}

function addSample(
  line: string,
  wanted: ReadonlySet<string>,
  found: Map<string, MetricSample[]>,
): void {
  const end = line.search(/[{ \t]/);
  if (end <= 0 || line.startsWith("#")) return;
  const name = line.slice(0, end);
  if (!wanted.has(name)) return;
  const close = line.startsWith("{", end) ? line.lastIndexOf("}") : end;
  const [written = ""] = line
    .slice(line[close] === "}" ? close + 1 : close)
    .trim()
    .split(/\s/);
  const value = Number(written);
  if (written === "" || !Number.isFinite(value)) return;
  const samples = found.get(name) ?? [];
  if (samples.length >= MAX_SAMPLES) return;
  samples.push({ labels: close > end ? line.slice(end + 1, close) : "", value });
  found.set(name, samples);
}

/** Most engines, or adapters, of one server that are counted. */
const MAX_SAMPLES = 1_024;

/** A label's value; undefined when the sample has none of this name. */
export function labelOf({ labels }: MetricSample, name: string): string | undefined {
  return new RegExp(`(?:^|,)${name}="((?:[^"\\\\]|\\\\.)*)"`).exec(labels)?.[1];
}
