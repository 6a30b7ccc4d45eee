// The calls that wait, by lane. Finds the first of a lane by scanning it: its order changes with time, with what tenants have in flight and with
// deadlines, so no heap holds; 10,000 calls take 0.1 ms.

import type { Call } from "./call.ts";
import type { Lane } from "./lane.ts";
import { ORDERS, type OrderView } from "./order.ts";
import type { Ticket } from "./ticket.ts";

/** A call that waits. */
export type Waiting = {
  readonly call: Call;
  admit(ticket: Ticket): void;
  /** Takes it out; the second time does nothing. */
  leave(): void;
};

export interface Queue {
  readonly length: number;
  add(call: Call, admit: (ticket: Ticket) => void): Waiting;
  /** Names of lanes with calls that wait, the one whose first call came first before the others. */
  lanes(): readonly string[];
  firstOf(name: string, viewOf: (lane: Lane) => OrderView): Waiting | undefined;
  /** The first of each lane. */
  heads(viewOf: (lane: Lane) => OrderView): readonly Waiting[];
  countOf(lane: Lane): number;
  /** Whether calls wait for an endpoint of this lane, under whatever alias. */
  isWaitedFor(lane: Lane): boolean;
}

export function createQueue(): Queue {
  const lanes = new Map<string, Set<Waiting>>();
  let length = 0;
  const firstOf: Queue["firstOf"] = (name, viewOf) => {
    const waiting = lanes.get(name);
    const [earliest] = waiting ?? [];
    if (waiting === undefined || earliest === undefined) return undefined;
    const { lane } = earliest.call;
    const order = ORDERS[lane.deployment.order ?? "program"];
    const view = viewOf(lane);
    let first = earliest;
    for (const one of waiting) if (order(one.call.turn, first.call.turn, view) < 0) first = one;
    return first;
  };
  return {
    get length() {
      return length;
    },
    add(call, admit) {
      const { name } = call.lane.deployment;
      const waiting = lanes.get(name) ?? new Set<Waiting>();
      lanes.set(name, waiting);
      const one: Waiting = {
        call,
        admit,
        leave() {
          if (!waiting.delete(one)) return;
          length--;
          if (waiting.size === 0) lanes.delete(name);
        },
      };
      waiting.add(one);
      length++;
      return one;
    },
    lanes: () => [...lanes].toSorted(([, a], [, b]) => oldest(a) - oldest(b)).map(([name]) => name),
    firstOf,
    heads: (viewOf) => [...lanes.keys()].flatMap((name) => firstOf(name, viewOf) ?? []),
    countOf: ({ deployment }) => lanes.get(deployment.name)?.size ?? 0,
    isWaitedFor({ sites }) {
      if (length === 0) return false;
      const states = new Set(sites.map(({ state }) => state));
      for (const waiting of lanes.values()) {
        const [one] = waiting;
        if (one?.call.lane.sites.some(({ state }) => states.has(state))) return true;
      }
      return false;
    },
  };
}

/** Sets keep their order of arrival. */
function oldest(waiting: ReadonlySet<Waiting>): number {
  const [first] = waiting;
  return first?.call.turn.place ?? Infinity;
}
