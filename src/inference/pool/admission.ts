// Admission: who may call which endpoint when. The pool holds the queue, so that the server's own stays short and order can be kept.
//
// A call enters when an endpoint of its lane has room for it (ledger), lets it (guard, rate) and nobody who waits goes before it. The first of
// those who wait blocks the others of its lane until it fits, and those of younger lanes at its endpoints: smaller ones that slip past
// would keep it waiting for ever.
//
// Invariants
//   Q1  A call that waits ends by being admitted, by its signal, by its time or by its queue being full; each exactly once.
//   M2, M3 of ledger.ts.

import type { Clock, Timer } from "../../clock.ts";
import type { BosunError } from "../../error.ts";
import { cancelled } from "../model/http.ts";
import type { Call } from "./call.ts";
import type { EndpointState } from "./endpoint-state.ts";
import type { Lane, Site } from "./lane.ts";
import type { OrderView } from "./order.ts";
import { overloaded, queueFull } from "./overload.ts";
import { placeCall } from "./place.ts";
import { createQueue, type Queue } from "./queue.ts";
import type { Ticket } from "./ticket.ts";
import { createTenants, type Tenants } from "./tenant.ts";

export interface Admission {
  /** A ticket when the call may go at once. */
  tryEnter(call: Call): Ticket | undefined;
  /**
   * A ticket when it is the call's turn.
   * @throws BosunError `model/overloaded` when too many wait or it waited too long, `model/cancelled` when the signal aborts.
   */
  enter(call: Call, at: Entering): Promise<Ticket>;
  readonly queued: number;
  readonly refused: number;
  readonly admitted: number;
}

export type Entering = { readonly waitMs: number; readonly signal: AbortSignal };

/** Unless said otherwise. */
const MAX_QUEUED = 10_000;
/** While calls wait, what endpoints show is read so often, and what only time changes is looked at. */
const LOOK_MS = 250;

export type AdmissionOptions = {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
};

export function createAdmission(options: AdmissionOptions): Admission {
  return new PoolAdmission(options);
}

class PoolAdmission implements Admission {
  refused = 0;
  admitted = 0;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #queue: Queue = createQueue();
  readonly #tenants: Tenants = createTenants();
  #timer: Timer | undefined;
  #isPumping = false;

  constructor({ clock, random }: AdmissionOptions) {
    this.#clock = clock;
    this.#random = random;
  }

  get queued(): number {
    return this.#queue.length;
  }

  tryEnter(call: Call): Ticket | undefined {
    return this.#queue.isWaitedFor(call.lane) ? undefined : this.#place(call);
  }

  enter(call: Call, { waitMs, signal }: Entering): Promise<Ticket> {
    const { deployment } = call.lane;
    const { maxQueued = MAX_QUEUED, name } = deployment;
    const count = this.#queue.countOf(call.lane);
    if (count >= maxQueued) {
      this.refused++;
      return Promise.reject(queueFull(call.lane, count, this.#clock.now()));
    }
    if (signal.aborted) return Promise.reject(cancelled(name, signal.reason));
    const { promise, resolve, reject } = Promise.withResolvers<Ticket>();
    const fail = (error: BosunError): void => {
      end();
      reject(error);
      this.#pump(); // the one behind it may fit
    };
    const onAbort = (): void => fail(cancelled(name, signal.reason));
    const deadline = this.#clock.timer(waitMs, () => {
      this.refused++;
      fail(overloaded(call.lane, waitMs, this.#clock.now()));
    });
    const waiting = this.#queue.add(call, (ticket) => {
      end();
      resolve(ticket);
    });
    const end = (): void => {
      waiting.leave();
      deadline[Symbol.dispose]();
      signal.removeEventListener("abort", onAbort);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#refresh(call.lane);
    this.#pump();
    return promise;
  }

  #place(call: Call, held?: ReadonlySet<EndpointState>): Ticket | undefined {
    const { tenant } = call.turn;
    const ticket = placeCall(call, {
      clock: this.#clock,
      random: this.#random,
      held,
      onRelease: (tokens) => {
        this.#tenants.leave(tenant, tokens);
        this.#pump();
      },
    });
    if (ticket === undefined) return undefined;
    this.admitted++;
    this.#tenants.enter(tenant, ticket.tokens);
    this.#refresh(ticket.lane);
    return ticket;
  }

  /** Asks endpoints to show themselves; what they show may let somebody in. */
  #refresh({ sites }: Lane): void {
    for (const { state } of sites) state.refresh(() => this.#pump());
  }

  /** Admits whoever can go now. Not entered twice: what is released meanwhile is seen by its own loop. */
  #pump(): void {
    if (this.#isPumping) return;
    if (this.#queue.length === 0) {
      this.#look();
      return;
    }
    this.#isPumping = true;
    const held = new Set<EndpointState>();
    try {
      for (const name of this.#queue.lanes()) this.#admitFrom(name, held);
    } finally {
      this.#isPumping = false;
    }
    this.#look();
  }

  /** Goes on until the lane's first does not fit; what it waits for is held from then on. */
  #admitFrom(name: string, held: Set<EndpointState>): void {
    for (;;) {
      const first = this.#queue.firstOf(name, this.#viewOf);
      if (first === undefined) return;
      const ticket = this.#place(first.call, held);
      if (ticket === undefined) {
        for (const { state } of first.call.lane.sites) held.add(state);
        return;
      }
      first.admit(ticket);
    }
  }

  readonly #viewOf = ({ deployment, sites }: Lane): OrderView => ({
    now: this.#clock.now(),
    tenantLoad: (tenant) => this.#tenants.load(tenant, deployment.tenants),
    callMs: callMsOf(sites),
  });

  /** Keeps looking while calls wait: time and other users' calls change what fits, too. */
  #look(): void {
    if (this.#queue.length === 0) {
      this.#timer?.[Symbol.dispose]();
      this.#timer = undefined;
      return;
    }
    this.#timer ??= this.#clock.timer(LOOK_MS, () => {
      this.#timer = undefined;
      for (const { call } of this.#queue.heads(this.#viewOf)) this.#refresh(call.lane);
      this.#pump();
    });
  }
}

/** How long a call takes at present: the slowest of a lane's endpoints, 10 s before anything is known. */
function callMsOf(sites: readonly Site[]): number {
  return sites.reduce((most, { state }) => Math.max(most, state.speed.callMs ?? 0), 0) || 10_000;
}
