// Which endpoint gets a call: small functions over the same view of the endpoints that can take it now. Pure but for their own cursor.

import type { RouteName } from "./deployment.ts";

/** An endpoint that could take the call, as routes see it. */
export type Candidate = {
  /** Its place in the deployment, which stays while others come and go for a moment. */
  readonly place: number;
  readonly name: string;
  readonly inFlight: number;
  /** Share of its KV cache that is reserved, this call included; calls in flight / 256 where its size is not known. */
  readonly kvShare: () => number;
  /** Tokens of the prompt that it probably has in its prefix cache. */
  readonly hitTokens: number;
  /** Estimated milliseconds until the call would end there. */
  readonly estimateMs: number;
  /** Estimated milliseconds that its prompt takes there. */
  readonly prefillMs: number;
};

/** What a route looks at besides. */
export type RouteView = {
  /** The run: sessions stay at one endpoint. */
  readonly session: string;
  /** 0 to 1. */
  readonly random: () => number;
};

/** @returns one of the candidates, of which there is at least one. */
export type Route = (
  candidates: readonly [Candidate, ...Candidate[]],
  view: RouteView,
) => Candidate;

/** A route with its own state. */
export function createRoute(name: RouteName): Route {
  switch (name) {
    case "round-robin":
      return createRoundRobin();
    case "least-outstanding":
      return (candidates) => least(candidates, ({ inFlight }) => inFlight);
    case "least-kv":
      return (candidates) => least(candidates, ({ kvShare }) => kvShare());
    case "power-of-two":
      return powerOfTwo;
    case "session":
      return session;
    case "prefix-affinity":
      return prefixAffinity;
    case "cost":
      return cost;
    default:
      return name satisfies never;
  }
}

function createRoundRobin(): Route {
  let last = -1;
  return (candidates) => {
    const [first] = candidates;
    const next = candidates.find(({ place }) => place > last) ?? first;
    last = next.place;
    return next;
  };
}

const powerOfTwo: Route = (candidates, { random }) => {
  const draw = (): Candidate =>
    candidates[Math.floor(random() * candidates.length)] ?? candidates[0];
  const [a, b] = [draw(), draw()];
  return b.inFlight < a.inFlight ? b : a;
};

/** Rendezvous hashing: when endpoints come and go, only their own sessions move. */
const session: Route = (candidates, view) =>
  least(candidates, ({ name }) => -hash(`${view.session}\n${name}`));

/** How much more than the mean an endpoint may have in flight and still be chosen for its cache (KubeAI's bound). */
const BOUNDED_LOAD = 1.25;

/** The longest hit among those that are not overloaded; without a hit, the least outstanding. */
const prefixAffinity: Route = (candidates) => {
  const mean = candidates.reduce((sum, { inFlight }) => sum + inFlight, 0) / candidates.length;
  const calm = candidates.filter(({ inFlight }) => inFlight <= (mean + 1) * BOUNDED_LOAD);
  const [first = candidates[0], ...others] = calm;
  return least([first, ...others], ({ hitTokens, inFlight }) => -hitTokens * 1_000 + inFlight);
};

/**
 * The least time lost by all together: the call's own until its end, and what the others there wait while its prompt is computed. Counting
 * only its own time spreads a prompt's prefix over all endpoints as soon as they are busy (bench/pool: twice the time to first token).
 */
const cost: Route = (candidates) =>
  least(candidates, ({ estimateMs, prefillMs, inFlight }) => estimateMs + prefillMs * inFlight);

/** The first of the least. */
function least(
  candidates: readonly [Candidate, ...Candidate[]],
  score: (candidate: Candidate) => number,
): Candidate {
  let [best] = candidates;
  let bestScore = Infinity;
  for (const candidate of candidates) {
    const own = score(candidate);
    if (own < bestScore) [best, bestScore] = [candidate, own];
  }
  return best;
}

/** FNV-1a, mixed; 0 to 1. */
function hash(text: string): number {
  let value = 0x811c_9dc5;
  for (let at = 0; at < text.length; at++)
    value = Math.imul(value ^ text.charCodeAt(at), 0x0100_0193);
  value = Math.imul(value ^ (value >>> 16), 0x85eb_ca6b);
  return ((value ^ (value >>> 13)) >>> 0) / 2 ** 32;
}
