// A host whose worker starts when it is asked to and leaves when nobody asks it, in virtual time; it counts what it is asked.

import type { VirtualClock } from "../../../src/clock.ts";
import type { Health, Probe } from "../../../src/inference/pool/probe.ts";

export type Host = Omit<Probe, "wake"> & {
  /** A test may put another in its place. */
  wake: Probe["wake"];
  readonly looks: () => number;
  /** Requests to wake, also those that came while it was awake. */
  readonly wakes: () => number;
  /** Times at which its worker began to start. */
  readonly starts: () => readonly number[];
  readonly isAwake: () => boolean;
  /** A call: as a request to wake, it begins the idle time anew. */
  readonly call: () => void;
  /** Its worker is taken away. */
  readonly lose: () => void;
};

export type HostOptions = {
  readonly coldMs?: number;
  /** How long its worker stays when nobody asks it. Default: for ever. */
  readonly idleMs?: number;
  /** What it says before it is woken. Default "asleep". */
  readonly before?: Health | "silent";
  /** What it says while it starts. Default "starting". */
  readonly during?: Health | "silent";
  readonly refusesWake?: boolean;
  /** Its answer shows that it is awake. Default false. */
  readonly answersWake?: boolean;
};

export function createHost(clock: VirtualClock, options: HostOptions = {}): Host {
  const { coldMs = 60_000, idleMs = Infinity, refusesWake = false, answersWake = false } = options;
  const { before = "asleep", during = "starting" } = options;
  const starts: number[] = [];
  let [awakeAt, leavesAt] = [Infinity, Infinity];
  let looks = 0;
  let wakes = 0;
  const isThere = (): boolean => awakeAt < Infinity && clock.now() < leavesAt;
  const isAwake = (): boolean => isThere() && clock.now() >= awakeAt;
  const serve = (): void => {
    if (!isThere()) {
      starts.push(clock.now());
      awakeAt = clock.now() + coldMs;
    }
    leavesAt = Math.max(awakeAt, clock.now()) + idleMs;
  };
  return {
    looks: () => looks,
    wakes: () => wakes,
    starts: () => starts,
    isAwake,
    call: serve,
    lose: () => void (leavesAt = clock.now()),
    gauges: async () => undefined,
    capacity: async () => ({}),
    async health(signal) {
      looks++;
      signal.throwIfAborted();
      const said = !isThere() ? before : clock.now() >= awakeAt ? "awake" : during;
      if (said === "silent") throw new Error("connect ECONNREFUSED");
      return said;
    },
    async wake() {
      wakes++;
      if (refusesWake) throw new Error("404 no such route");
      serve();
      return answersWake && isAwake();
    },
  };
}
