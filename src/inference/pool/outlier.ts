// Which of the endpoints that serve one model is far worse than its siblings, and rests for a while. Pure.
//
// Envoy's outlier detection with medians instead of means and deviations: among three endpoints one bad one moves a mean by a third
// of itself, and their deviation with it, so that it hides itself; the median of its siblings does not move at all.
//
// Two measures, each of the last SAMPLES calls: milliseconds to the first token per prompt token (a long prompt is no fault), and the
// share of failures. Far = 3 times the median of its siblings. After a rest it starts with no samples, as its old ones say nothing.
//
// Invariants: O-E1 fewer than three siblings, or too few samples, eject nobody; O-E2 at most a third is ejected at once; O-E3 a rest
// doubles with each ejection in a row up to 5 minutes, and is short again after a time without one.

export type OutlierSample = {
  readonly now: number;
  readonly firstTokenMs: number;
  readonly promptTokens: number;
};

/** The endpoints of one deployment, compared. */
export interface Outliers {
  onSuccess(name: string, sample: OutlierSample): void;
  /** A failure that says something about the endpoint. */
  onFailure(name: string, now: number): void;
  isEjected(name: string, now: number): boolean;
  /** When its rest ends; undefined when it is not ejected. */
  returnsAt(name: string, now: number): number | undefined;
}

export type OutlierOptions = {
  /** Times the median of its siblings. Default 3. */
  readonly factor?: number | undefined;
  /** Samples that an endpoint must have. Default 10. */
  readonly minSamples?: number | undefined;
  /** The first and the longest rest. Default 30,000 and 300,000. */
  readonly baseMs?: number | undefined;
  readonly maxMs?: number | undefined;
};

/** The newest calls that count. */
const SAMPLES = 32;
/** The comparison sorts samples of all siblings: once in this many calls of one. */
const EVERY = 8;
/** Prompts shorter than this take as long as this one: what is left is the engine's step and the way there. */
const MIN_TOKENS = 256;
/** Below these nothing is far: 3 times next to nothing is next to nothing. */
const MIN_MS_PER_TOKEN = 0.2;
const MIN_FAILURE_SHARE = 0.2;

export function createOutliers(names: readonly string[], options: OutlierOptions = {}): Outliers {
  const { factor = 3, minSamples = 10, baseMs = 30_000, maxMs = 300_000 } = options;
  const siblings = new Map(names.map((name) => [name, createRecord()]));
  const restOf = (name: string, now: number): number | undefined => {
    const until = siblings.get(name)?.until ?? 0;
    return until > now ? until : undefined;
  };
  const look = (name: string, now: number): void => {
    const own = siblings.get(name);
    if (own === undefined || own.until > now || ++own.sinceLook < EVERY) return;
    own.sinceLook = 0;
    if (own.outcomes.length < minSamples || !isFar(own, others(name, now), factor)) return;
    const resting = [...siblings.values()].filter(({ until }) => until > now).length;
    if (resting + 1 > siblings.size / 3) return; // O-E2
    // O-E3: a time without an ejection that is as long as the longest rest forgets the ones before.
    own.rests = now - own.until > maxMs ? 1 : own.rests + 1;
    own.until = now + Math.min(maxMs, baseMs * 2 ** (own.rests - 1));
    own.outcomes.length = 0;
    own.paces.length = 0;
  };
  /** Siblings that work now and have enough samples to be compared with. */
  const others = (name: string, now: number): readonly Sibling[] =>
    [...siblings].flatMap(([other, it]) =>
      other !== name && it.until <= now && it.outcomes.length >= minSamples ? [it] : [],
    );
  return {
    onSuccess(name, { now, firstTokenMs, promptTokens }) {
      const own = siblings.get(name);
      if (own === undefined || own.until > now) return; // what it was sent before its rest
      push(own.outcomes, 0);
      push(own.paces, firstTokenMs / Math.max(MIN_TOKENS, promptTokens));
      look(name, now);
    },
    onFailure(name, now) {
      const own = siblings.get(name);
      if (own === undefined || own.until > now) return;
      push(own.outcomes, 1);
      look(name, now);
    },
    isEjected: (name, now) => restOf(name, now) !== undefined,
    returnsAt: restOf,
  };
}

type Sibling = {
  /** 1 = failed. */
  readonly outcomes: number[];
  /** Milliseconds to the first token per prompt token. */
  readonly paces: number[];
  sinceLook: number;
  until: number;
  rests: number;
};

function createRecord(): Sibling {
  return { outcomes: [], paces: [], sinceLook: 0, until: 0, rests: 0 };
}

function push(samples: number[], value: number): void {
  samples.push(value);
  if (samples.length > SAMPLES) samples.shift();
}

function isFar(own: Sibling, others: readonly Sibling[], factor: number): boolean {
  if (others.length < 2) return false; // O-E1: itself is the third
  const failures = median(others.map(failureShare)) * factor;
  if (failureShare(own) > Math.max(MIN_FAILURE_SHARE, failures)) return true;
  const pace = median(others.map(({ paces }) => median(paces))) * factor;
  return median(own.paces) > Math.max(MIN_MS_PER_TOKEN, pace);
}

function failureShare({ outcomes }: Sibling): number {
  return outcomes.reduce((sum, one) => sum + one, 0) / Math.max(1, outcomes.length);
}

/** 0 of none. */
function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
