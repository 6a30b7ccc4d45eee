// An ideal, not Bosun: one global queue that knows every answer's length beforehand. It shows which knobs matter on these workloads and
// how far admission, order and affinity can get at best; nothing of it is in the product.

import type { Model, ModelEvent, ModelRequest } from "../../src/inference/model/model.ts";
import type { Contender, Made } from "./contender.ts";
import type { Fleet, FleetReplica } from "./fleet.ts";
import type { Text, Workload } from "./workload.ts";
import { answersOf } from "./measure.ts";

/** Its knobs. */
export type OracleOptions = {
  readonly order: "fcfs" | "remaining-calls" | "remaining-tokens";
  /** What is reserved of an answer: its true length, times this; "mean" = the profile's mean times this. */
  readonly reserve: {
    readonly by: "truth" | "mean" | "peak" | "peak-mean";
    readonly factor: number;
  };
  /** Part of the KV cache that is reserved at most. */
  readonly fill: number;
  /** Tokens of remaining work that a second of waiting is worth. */
  readonly ageing: number;
  readonly ageBy?: "call" | "run" | "ratio" | "runratio";
  readonly affinity: "none" | "sticky" | "prefix";
  /** A replica is left for another when its reserved tokens are above this times the mean of all. */
  readonly bound: number;
  /** Whether tokens that others hold in flight on the replica are reserved once. */
  readonly countsShared: boolean;
};

export const BEST_ORACLE: OracleOptions = {
  order: "remaining-tokens",
  reserve: { by: "truth", factor: 1 },
  fill: 0.95,
  ageing: 0,
  affinity: "none",
  bound: 1.25,
  countsShared: false,
};

type Waiting = {
  readonly request: ModelRequest;
  readonly since: number;
  readonly prompt: number;
  readonly expected: number;
  readonly rank: number;
  readonly flight: Flight;
  readonly go: (at: Seat) => void;
};

type Seat = {
  readonly replica: FleetReplica;
  reserved: number;
  inFlight: number;
  readonly now: Set<Flight>;
  readonly agents: Map<string, number>;
};

/** A call on a replica: its tokens so far, and how many are still to come. */
type Flight = { held: number; left: number };

/** Most tokens that the calls will hold at once, if none comes and each ends when it is done (LightLLM's past-future scheduler). */
function peakOf(flights: readonly Flight[]): number {
  const sorted = flights.toSorted((a, b) => b.left - a.left);
  let held = 0;
  let peak = 0;
  for (const [index, flight] of sorted.entries()) {
    held += flight.held;
    peak = Math.max(peak, held + (index + 1) * flight.left);
  }
  return peak;
}

/** The ideal as a contender. */
export function oracle(workload: Workload, change: Partial<OracleOptions> = {}): Contender {
  const options = { ...BEST_ORACLE, ...change };
  return {
    name: `oracle ${options.order}`,
    does: "an ideal that knows every answer's length; not Bosun",
    create: (fleet) => create(fleet, workload, options),
  };
}

function create(fleet: Fleet, workload: Workload, options: OracleOptions): Made {
  const { clock, capacity } = fleet;
  const answerOf = answersOf(workload);
  const seats: Seat[] = fleet.replicas.map((replica) => ({
    replica,
    reserved: 0,
    inFlight: 0,
    now: new Set(),
    agents: new Map(),
  }));
  const limit = capacity.kvTokens * options.fill;
  const queue: Waiting[] = [];
  const homes = new Map<string, Seat>();

  const waited = new Map<string, number>();
  const rankOf = (one: Waiting): number => {
    const call = (clock.now() - one.since) / 1_000;
    const run = call + (waited.get(one.request.hints.runId) ?? 0);
    switch (options.ageBy) {
      case "run":
        return one.rank - options.ageing * run;
      case "ratio":
        return one.rank / (1 + call / options.ageing);
      case "runratio":
        return one.rank / (1 + run / options.ageing);
      default:
        return one.rank - options.ageing * call;
    }
  };
  const choose = (one: Waiting): Seat | undefined => {
    const need = one.prompt + one.expected;
    const isPeak = options.reserve.by.startsWith("peak");
    const sharedOn = ({ agents }: Seat): number =>
      options.countsShared
        ? workload.profile.systemTokens * (agents.size + (agents.has(agentOf(one.request)) ? 0 : 1))
        : 0;
    const open = seats.filter(
      (seat) =>
        (seat.inFlight === 0 ||
          (isPeak
            ? peakOf([...seat.now, { held: one.prompt, left: one.expected }])
            : seat.reserved + need) +
            sharedOn(seat) <=
            limit) &&
        seat.inFlight < capacity.maxNumSeqs,
    );
    const least = open.toSorted((a, b) => a.reserved - b.reserved)[0];
    if (options.affinity === "none" || least === undefined) return least;
    const home = homes.get(keyOf(one.request, options)) ?? homes.get(agentOf(one.request));
    const mean = seats.reduce((sum, { reserved }) => sum + reserved, 0) / seats.length;
    if (home && open.includes(home) && home.reserved <= mean * options.bound + need) return home;
    return least;
  };
  const drain = (): void => {
    while (queue.length > 0) {
      let best = 0;
      for (let at = 1; at < queue.length; at++) {
        const [a, b] = [queue[at], queue[best]];
        if (a && b && rankOf(a) < rankOf(b)) best = at;
      }
      const one = queue[best];
      const seat = one && choose(one);
      if (!one || !seat) return;
      queue.splice(best, 1);
      seat.reserved += one.prompt + one.expected;
      seat.inFlight++;
      seat.now.add(one.flight);
      count(seat, agentOf(one.request), 1);
      const { runId } = one.request.hints;
      waited.set(runId, (waited.get(runId) ?? 0) + (clock.now() - one.since) / 1_000);
      homes.set(keyOf(one.request, options), seat);
      if (!homes.has(agentOf(one.request))) homes.set(agentOf(one.request), seat);
      one.go(seat);
    }
  };
  async function* call(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const prompt = tokensOf(request, options, workload);
    const expected = expectedOf(answerOf(request.hints), workload, options);
    const { remainingCalls = 0, remainingTokens = 0 } = request.hints;
    const own = {
      fcfs: 0,
      "remaining-calls": remainingCalls,
      "remaining-tokens": remainingTokens + prompt + expected,
    };
    const flight: Flight = { held: prompt, left: expected };
    const seat = await new Promise<Seat>((go) => {
      queue.push({
        request,
        since: clock.now(),
        prompt,
        expected,
        flight,
        rank: own[options.order],
        go,
      });
      drain();
    });
    let drained = clock.now();
    try {
      for await (const event of seat.replica.model.call(request, signal)) {
        if (event.type === "text-delta") {
          const tokens = Math.round(event.text.length / 4.5);
          flight.held += tokens;
          flight.left = Math.max(options.reserve.by === "peak" ? 0 : 32, flight.left - tokens);
          if (clock.now() > drained && queue.length > 0) drain();
          drained = clock.now();
        }
        yield event;
      }
    } finally {
      seat.now.delete(flight);
      count(seat, agentOf(request), -1);
      seat.reserved -= prompt + expected;
      seat.inFlight--;
      drain();
    }
  }
  const model: Model = { call, contextTokens: async () => undefined };
  return { model, close: () => undefined };
}

function tokensOf(request: ModelRequest, options: OracleOptions, workload: Workload): number {
  const all = request.messages.reduce(
    (sum, { content }) => sum + Math.round(content.length / 4.5) + 1,
    1,
  );
  return options.countsShared ? all - workload.profile.systemTokens : all;
}

function expectedOf({ ids }: Text, { profile }: Workload, { reserve }: OracleOptions): number {
  return (
    (reserve.by === "truth" || reserve.by === "peak" ? ids.length : profile.outputTokens) *
    reserve.factor
  );
}

function keyOf(request: ModelRequest, { affinity }: OracleOptions): string {
  return affinity === "sticky"
    ? request.hints.runId
    : `${request.hints.runId}/${request.hints.task}`;
}

function agentOf({ hints }: ModelRequest): string {
  return `agent ${hints.agent}`;
}

function count({ agents }: Seat, agent: string, by: 1 | -1): void {
  const now = (agents.get(agent) ?? 0) + by;
  if (now > 0) agents.set(agent, now);
  else agents.delete(agent);
}
