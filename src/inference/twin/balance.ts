// Which replica gets a request: the one with the least load, waiting ones counted four times, as vLLM's data-parallel balancer does.

import type { Served } from "./served.ts";

/** Shares requests out. */
export type Balance = {
  /** The replica of a request that enters now; call `leave` once when it has ended. */
  enter(): { readonly replica: Served; readonly leave: () => void };
};

/** A balance over replicas. */
export function createBalance(replicas: readonly [Served, ...Served[]]): Balance {
  /** Requests of each replica that have not ended: those on the way through a frontend are not in its engine's stats yet. */
  const assigned = new Map<Served, number>(replicas.map((replica) => [replica, 0]));
  const add = (replica: Served, by: 1 | -1): void =>
    void assigned.set(replica, (assigned.get(replica) ?? 0) + by);
  const loadOf = (replica: Served): number => {
    const { state, numRequestsWaiting: waiting, numRequestsRunning: running } = replica.stats();
    if (state !== "awake") return Number.MAX_VALUE;
    const coming = Math.max(0, (assigned.get(replica) ?? 0) - waiting - running);
    return (waiting + coming) * 4 + running;
  };
  return {
    enter() {
      let [replica] = replicas;
      let least = Number.POSITIVE_INFINITY;
      // Stats are O(requests): one replica needs none.
      for (const one of replicas.length > 1 ? replicas : []) {
        const load = loadOf(one);
        if (load < least) [replica, least] = [one, load];
      }
      add(replica, 1);
      return { replica, leave: () => add(replica, -1) };
    },
  };
}
