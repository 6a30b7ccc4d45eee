// An ideal, not Bosun: one global queue that knows every answer's length beforehand and what every replica holds. It shows how far
// admission, order and affinity can get on a workload; nothing of it is in the product.

import type { Model, ModelEvent, ModelRequest } from "../../src/inference/model/model.ts";
import type { Contender, Made } from "./contender.ts";
import type { Fleet, FleetReplica } from "./fleet.ts";
import { answersOf } from "./measure.ts";
import type { Workload } from "./workload.ts";

/** Part of a KV cache that it fills: blocks of 16 round up. */
const FILL = 0.98;
/** Tokens of remaining work that a second of a run's waiting is worth. */
const AGEING = 10;
/** A replica is left for the least loaded when it has this times the mean of all in flight. */
const BOUND = 3;
const CHARACTERS_PER_TOKEN = 4.5;

/** The ideal as a contender. */
export function oracle(workload: Workload): Contender {
  return {
    name: "(oracle)",
    does: "an ideal that knows every answer's length; not Bosun",
    create: (fleet) => create(fleet, workload),
  };
}

/** A call on a replica: its tokens so far, and how many are still to come. */
type Flight = { held: number; left: number };

type Seat = {
  readonly replica: FleetReplica;
  readonly flights: Set<Flight>;
  /** Calls in flight by agent: a system prompt is held once. */
  readonly agents: Map<string, number>;
};

type Waiting = {
  readonly request: ModelRequest;
  readonly since: number;
  readonly rank: number;
  readonly flight: Flight;
  readonly go: (at: Seat) => void;
};

function create(fleet: Fleet, workload: Workload): Made {
  const { clock, capacity } = fleet;
  const { systemTokens } = workload.profile;
  const answerOf = answersOf(workload);
  const seats: Seat[] = fleet.replicas.map((replica) => ({
    replica,
    flights: new Set(),
    agents: new Map(),
  }));
  const queue: Waiting[] = [];
  const homes = new Map<string, Seat>();
  const waited = new Map<string, number>();

  const ageOf = ({ since, request: { hints } }: Waiting): number =>
    (clock.now() - since + (waited.get(hints.runId) ?? 0)) / 1_000;
  const loadOf = ({ flights }: Seat): number =>
    [...flights].reduce((sum, { held, left }) => sum + held + left, 0);
  const fits = ({ flights, agents }: Seat, { request, flight }: Waiting): boolean => {
    const prompts = agents.size + (agents.has(agentOf(request)) ? 0 : 1);
    const peak = peakOf([...flights, flight]) + prompts * systemTokens;
    return (
      flights.size === 0 || (peak <= capacity.kvTokens * FILL && flights.size < capacity.maxNumSeqs)
    );
  };
  const choose = (one: Waiting): Seat | undefined => {
    const open = seats.filter((seat) => fits(seat, one));
    const least = open.toSorted((a, b) => loadOf(a) - loadOf(b))[0];
    const home = homes.get(taskOf(one.request)) ?? homes.get(agentOf(one.request));
    if (home === undefined || !open.includes(home)) return least;
    const mean = seats.reduce((sum, seat) => sum + loadOf(seat), 0) / seats.length;
    return loadOf(home) <= mean * BOUND + one.flight.held ? home : least;
  };
  const drain = (): void => {
    for (;;) {
      const rankOf = (one: Waiting): number => one.rank - AGEING * ageOf(one);
      const [first] = queue.toSorted((a, b) => rankOf(a) - rankOf(b));
      const seat = first && choose(first);
      if (!first || !seat) return;
      queue.splice(queue.indexOf(first), 1);
      const { runId } = first.request.hints;
      waited.set(runId, (waited.get(runId) ?? 0) + clock.now() - first.since);
      seat.flights.add(first.flight);
      count(seat.agents, agentOf(first.request), 1);
      homes.set(taskOf(first.request), seat);
      if (!homes.has(agentOf(first.request))) homes.set(agentOf(first.request), seat);
      first.go(seat);
    }
  };
  async function* call(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const characters = request.messages.reduce((sum, { content }) => sum + content.length, 0);
    const held = Math.round(characters / CHARACTERS_PER_TOKEN) - systemTokens;
    const flight: Flight = { held, left: answerOf(request.hints).ids.length };
    const rank = (request.hints.remainingTokens ?? 0) + held + flight.left;
    const seat = await new Promise<Seat>((go) => {
      queue.push({ request, since: clock.now(), rank, flight, go });
      drain();
    });
    try {
      for await (const event of seat.replica.model.call(request, signal)) {
        if (event.type === "text-delta") grow(flight, event.text.length / CHARACTERS_PER_TOKEN);
        yield event;
      }
    } finally {
      seat.flights.delete(flight);
      count(seat.agents, agentOf(request), -1);
      drain();
    }
  }
  const model: Model = { call, contextTokens: async () => undefined };
  return { model, close: () => undefined };
}

/** Most tokens that the calls will hold at once, if none comes and each ends when it is done. */
function peakOf(flights: readonly Flight[]): number {
  let held = 0;
  let peak = 0;
  for (const [index, flight] of flights.toSorted((a, b) => b.left - a.left).entries()) {
    held += flight.held;
    peak = Math.max(peak, held + (index + 1) * flight.left);
  }
  return peak;
}

function grow(flight: Flight, tokens: number): void {
  flight.held += tokens;
  flight.left = Math.max(0, flight.left - tokens);
}

function count(agents: Map<string, number>, agent: string, by: 1 | -1): void {
  const now = (agents.get(agent) ?? 0) + by;
  if (now > 0) agents.set(agent, now);
  else agents.delete(agent);
}

function taskOf({ hints }: ModelRequest): string {
  return `${hints.runId}/${hints.task}`;
}

function agentOf({ hints }: ModelRequest): string {
  return `agent ${hints.agent}`;
}
