// Which waiting runs of a queue may begin. Pure: queue-object.ts keeps the state and acts.
//
// Limits count whole runs. One that waits for somebody outside gives its place back, and comes again as one that has begun already.

import type { QueueLimits } from "../engine.ts";

/** A run that waits for a place. */
export type Waiting = {
  readonly id: string;
  /** Of its flow and version: only a process that has it can execute it. */
  readonly service: string;
  /** Whom to tell; undefined while its process has not asked yet. */
  readonly awakeable: string | undefined;
  readonly priority: number;
  readonly tenant: string | undefined;
  /** Not before. */
  readonly dueAt: number;
  /** It comes back from waiting: it goes first, and no rate counts it again. */
  readonly hasBegun: boolean;
  /** When it was put here: one that is never asked for is forgotten. */
  readonly at: number;
};

/** A queue, as the server keeps it. */
export type QueueState = {
  readonly limits: QueueLimits;
  /** Processes that take from it, and until when that is known. */
  readonly servers: Readonly<
    Record<
      string,
      { readonly concurrency: number; readonly until: number; readonly services: readonly string[] }
    >
  >;
  /** In the order in which they came. */
  readonly waiting: readonly Waiting[];
  readonly running: readonly { readonly id: string; readonly tenant: string | undefined }[];
  /** When runs began, as far back as the rate looks. */
  readonly begun: readonly number[];
  /** When it is looked at by itself the next time; 0 when it is not. */
  readonly lookAt: number;
};

export const EMPTY_QUEUE: QueueState = {
  limits: {},
  servers: {},
  waiting: [],
  running: [],
  begun: [],
  lookAt: 0,
};

/** How long a run may stand in a queue without a process that asks for its place. */
const FORGET_MS = 300_000;

export type Granting = {
  readonly state: QueueState;
  readonly granted: readonly Waiting[];
  /** When the state has to be looked at by itself; undefined when that is arranged, or when only a change can make a difference. */
  readonly lookAt: number | undefined;
};

/** Gives places: those that come back first, then by priority, then in the order in which they came. */
export function grantPlaces(before: QueueState, now: number): Granting {
  const { limits } = before;
  const places = new Places(before, now);
  const granted = inOrder(before.waiting).filter((one) => places.take(one));
  const gone = new Set(granted.map(({ id }) => id));
  const waiting = before.waiting.filter((one) => !gone.has(one.id) && !isForgotten(one, now));
  const { againAt, running, begun } = places;
  const isArranged = againAt === undefined || (before.lookAt > now && before.lookAt <= againAt);
  const lookAt = isArranged ? before.lookAt : againAt;
  return {
    state: { ...before, waiting, running, begun: limits.rate ? begun : [], lookAt },
    granted,
    lookAt: isArranged ? undefined : againAt,
  };
}

/** What is left of a queue's places, counted on with each that is given. */
class Places {
  readonly running: { readonly id: string; readonly tenant: string | undefined }[];
  /** When runs began, as far back as the rate looks. */
  readonly begun: number[];
  /** When it is worth another look. */
  againAt: number | undefined;
  readonly #limits: QueueLimits;
  readonly #now: number;
  readonly #most: number;
  /** What the processes that are there can execute. */
  readonly #known: ReadonlySet<string>;

  constructor({ limits, running, begun, servers }: QueueState, now: number) {
    const there = Object.values(servers).filter(({ until }) => until > now);
    const capacity = there.reduce((sum, { concurrency }) => sum + concurrency, 0);
    this.#limits = limits;
    this.#now = now;
    this.#most = Math.min(limits.concurrency ?? Infinity, capacity);
    this.#known = new Set(there.flatMap(({ services }) => services));
    this.running = [...running];
    this.begun = begun.filter((at) => at > now - (limits.rate?.ms ?? 0));
  }

  /** Whether it gets a place; it is counted then. */
  take(one: Waiting): boolean {
    if (this.running.length >= this.#most || !this.#known.has(one.service)) return false;
    if (one.dueAt > this.#now) return this.#later(one.dueAt);
    if (one.awakeable === undefined || isTenantFull(this.running, one, this.#limits)) return false;
    const { rate } = this.#limits;
    if (rate && !one.hasBegun && this.begun.length >= rate.count)
      return this.#later((this.begun[this.begun.length - rate.count] ?? this.#now) + rate.ms);
    if (!one.hasBegun) this.begun.push(this.#now);
    this.running.push({ id: one.id, tenant: one.tenant });
    return true;
  }

  #later(at: number): false {
    this.againAt = Math.min(this.againAt ?? Infinity, at);
    return false;
  }
}

/** Nobody has asked for its place for so long that its process must be gone. */
function isForgotten({ awakeable, at, dueAt }: Waiting, now: number): boolean {
  return awakeable === undefined && Math.max(at, dueAt) <= now - FORGET_MS;
}

/** Puts a run into the queue; undefined when that is full. A run that is there already stays as it is. */
export function putInto(state: QueueState, run: Waiting): QueueState | undefined {
  if (isKnown(state, run.id)) return state;
  if (state.waiting.length >= (state.limits.maxDepth ?? Infinity)) return undefined;
  return { ...state, waiting: [...state.waiting, run] };
}

/** A run asks for its place: one that has it already may begin at once, as after a restart. */
export function askFor(state: QueueState, run: Waiting): QueueState {
  const running = state.running.filter(({ id }) => id !== run.id);
  const index = state.waiting.findIndex(({ id }) => id === run.id);
  const waiting = index < 0 ? [...state.waiting, run] : state.waiting.with(index, run);
  return { ...state, running, waiting };
}

/** A run has ended, or waits for somebody: nothing of it stays. */
export function leave(state: QueueState, runId: string): QueueState {
  const isOther = ({ id }: { readonly id: string }): boolean => id !== runId;
  return {
    ...state,
    running: state.running.filter(isOther),
    waiting: state.waiting.filter(isOther),
  };
}

function isKnown({ waiting, running }: QueueState, runId: string): boolean {
  return [...waiting, ...running].some(({ id }) => id === runId);
}

function inOrder(waiting: readonly Waiting[]): readonly Waiting[] {
  return waiting.toSorted(
    (a, b) => Number(b.hasBegun) - Number(a.hasBegun) || a.priority - b.priority,
  );
}

function isTenantFull(
  running: QueueState["running"],
  { tenant }: Waiting,
  { perTenant = Infinity }: QueueLimits,
): boolean {
  return tenant !== undefined && running.filter((one) => one.tenant === tenant).length >= perTenant;
}
