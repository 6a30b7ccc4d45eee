// The pool: every model of a run behind one Model. Admits, orders and routes calls, repeats what may pass, falls back in order.
//
// Data's way: reference → lane (lane.ts) → call (call.ts) → admission (admission.ts) → endpoint → what its reply teaches.
//
// Invariants: M2, M3 (ledger.ts); M4 an aborted call closes its upstream socket (the client does); M5 only this folder repeats a model call.

import type { Clock } from "../../clock.ts";
import { BosunError, isBosunError, toBosunError } from "../../error.ts";
import { type Endpoint, type ModelRef, nameOf } from "../model/endpoint.ts";
import { isBehindGateway } from "../model/gateway.ts";
import { cancelled, type Env } from "../model/http.ts";
import type { CallWish, Model, ModelEvent, ModelRequest } from "../model/model.ts";
import { createAdmission } from "./admission.ts";
import { type Call, toCall } from "./call.ts";
import { createClients } from "./clients.ts";
import type { Deployment } from "./deployment.ts";
import { createExpectedOutput } from "./expected-output.ts";
import type { ForeignNotice } from "./foreign-load.ts";
import { createLanes, type Lane, type Lanes, type Site } from "./lane.ts";
import { circuitOpen, isDown, told } from "./overload.ts";
import { createRetryBudget, DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
import { createRunWaits, type RunWaits } from "./run-wait.ts";
import { learn, send, type Sending, type SendScene, type Sent } from "./send.ts";
import { type PoolStats, toStats } from "./stats.ts";
import { countTokens } from "./token-count.ts";
import type { Ticket } from "./ticket.ts";
import { planNext, type Repeating, type Trial } from "./trial.ts";
import { createWaker } from "./wake.ts";
import { createWishes } from "./wish.ts";

export type PoolOptions = {
  readonly clock: Clock;
  /** Where keys and proxies are read from. */
  readonly env?: Env | undefined;
  /** What an alias means now. @throws BosunError `model/unknown` for one that it does not know. */
  readonly resolve: (alias: string) => Endpoint | Model | Deployment;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** Told, once a minute at most, of an endpoint that runs more than is sent there and than others may. Must not throw. */
  readonly onForeignLoad?: ((notice: ForeignNotice) => void) | undefined;
  /** 0 to 1. Default Math.random. */
  readonly random?: (() => number) | undefined;
};

/** Many endpoints as one Model. */
export interface Pool extends Model {
  /**
   * Looks whether a call's models can be called at all, without calling one.
   * @throws BosunError `config/invalid` of the first that is wrong (a key that is not set), `model/unknown` of the first when none is known.
   */
  check(models: readonly ModelRef[]): void;
  /** Tokens that an agent's answers at a task had lately, for the most part; undefined before there were enough. */
  expectedTokens(agent: string, task: string): number | undefined;
  /** What it has in flight and in its queue, and what it knows of its endpoints. */
  stats(): PoolStats;
  /** Closes every connection. */
  close(): void;
}

/** After these an endpoint may be asleep, or gone. */
const LOST: ReadonlySet<string> = new Set(["model/unreachable", "worker/out-of-memory"]);

/** Longest wait for admission, unless the call or the agent says otherwise (Timeouts.queueMs). */
const QUEUE_MS = 300_000;

type Home = Repeating &
  SendScene & {
    readonly lanes: Lanes;
    readonly waits: RunWaits;
    /** Of arrival: the next call's. */
    place: number;
    retries: number;
    hedges: number;
  };

export function createPool(options: PoolOptions): Pool {
  const { clock, env, resolve, random = Math.random } = options;
  const clients = createClients(clock, env);
  const lanes = createLanes({ clock, clients, resolve, onForeignLoad: options.onForeignLoad });
  const sleeperOf: Lanes["sleeperOf"] = (id) => lanes.sleeperOf(id);
  const waker = createWaker({ clock, sleeperOf });
  const home: Home = {
    clock,
    random,
    policy: { ...DEFAULT_RETRY, ...options.retry },
    budget: createRetryBudget(),
    lanes,
    admission: createAdmission({ clock, random }),
    expected: createExpectedOutput(),
    waits: createRunWaits(),
    waker,
    wishes: createWishes({ clock, waker, sleeperOf }),
    onHedge: () => void home.hedges++,
    place: 0,
    retries: 0,
    hedges: 0,
  };
  return {
    call: (request, signal) => callModels(request, home, signal),
    async contextTokens(models, signal) {
      const known = await Promise.all(
        models.flatMap((ref) => sitesOf(lanes, ref).map((site) => contextOf(site, ref, signal))),
      );
      const sizes = known.filter((tokens) => tokens !== undefined);
      return sizes.length === 0 ? undefined : Math.min(...sizes);
    },
    countTokens: (ask, signal) => countTokens((ref) => lanes.of(ref).sites[0].model, ask, signal),
    check(models) {
      const faults = models.map((ref) => faultOf(() => lanes.of(ref)));
      // A fallback that nobody knows is passed over; one without its key would be found when it is needed.
      const wrong = faults.find((fault) => isBosunError(fault) && fault.code === "config/invalid");
      if (wrong !== undefined) throw wrong;
      if (faults.length > 0 && !faults.includes(undefined)) throw faults[0];
    },
    expectedTokens: (agent, task) => home.expected.known(agent, task),
    stats: () => toStats({ ...home, now: clock.now(), states: lanes.states() }),
    prewarm(wish) {
      for (const ref of wish.models) wishFor(home, ref, wish);
    },
    close() {
      home.wishes.close();
      waker.close();
      clients.close();
    },
  };
}

/** Of a reference's endpoints one is awake when calls come: that which works now, as calls go on there, else the first. */
function wishFor({ lanes, wishes }: Home, ref: ModelRef, { after, signal }: CallWish): void {
  const sites = sitesOf(lanes, ref);
  const site = sites.find(({ state }) => state.ledger.inFlight > 0) ?? sites[0];
  site?.model.prewarm?.({ models: [ref], after, signal });
  if (site) wishes.add(site.state.id, { after, signal });
}

function faultOf(find: () => unknown): unknown {
  try {
    find();
    return undefined;
  } catch (error) {
    return error; // thrown by the caller when no other model is left
  }
}

/** A reference that means nothing has no endpoint: the call itself says so, where a fallback may still answer. */
function sitesOf(lanes: Lanes, ref: ModelRef): readonly Site[] {
  try {
    return lanes.of(ref).sites;
  } catch {
    return [];
  }
}

async function contextOf(
  { model }: Site,
  ref: ModelRef,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    return await model.contextTokens([ref], signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

/** One generator for all attempts at all models: each more would cost every delta three promises. */
async function* callModels(
  request: ModelRequest,
  home: Home,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const { clock, budget, admission } = home;
  const place = home.place++;
  let at: Trial = { ref: request.models[0], index: 0, attempt: 1, waitedMs: 0 };
  let avoid: string | undefined;
  for (;;) {
    let ticket: Ticket | undefined;
    try {
      if (at.attempt === 1) budget.earn();
      const call = callAt(request, home, { ref: at.ref, place, avoid });
      ticket = admission.tryEnter(call);
      if (ticket === undefined) {
        checkUp(call, at.index + 1 < request.models.length, clock.now());
        yield { type: "queued", reason: told(call.lane.sites, clock.now()) };
        ticket = await admission.enter(call, { waitMs: queueMsOf(request), signal });
      }
      home.waits.add(request.hints.runId, queuedMsOf(call, ticket));
      const sending = { request, ref: at.ref, call, ticket, signal };
      const sent = send(home, sending);
      for await (const event of sent.events) {
        if (event.type === "start") yield { ...event, attempt: at.attempt };
        else if (event.type === "end") {
          yield endOf(home, { ...sending, sent, event });
          return;
        } else {
          ticket.firstToken();
          yield event;
        }
      }
      throw new BosunError("model/cut", `${nameOf(at.ref)} ended its events without an end`);
    } catch (cause) {
      const error = failureOf(home, cause, { ref: at.ref, ticket, signal });
      avoid = ticket?.site.endpoint.name;
      const next = planNext({ at, error, signal, fallback: request.models[at.index + 1] }, home);
      home.retries += next.event.type === "retry" ? 1 : 0;
      yield next.event;
      if (next.at.waitedMs > 0) await waitFor(clock, next.at, signal);
      at = next.at;
    } finally {
      ticket?.release(); // also when the reader left the loop (M3)
    }
  }
}

/** @throws BosunError `model/cancelled`. */
async function waitFor(clock: Clock, { ref, waitedMs }: Trial, signal: AbortSignal): Promise<void> {
  try {
    await clock.sleep(waitedMs, signal);
  } catch {
    throw cancelled(nameOf(ref), signal.reason); // a sleep ends early by its signal alone
  }
}

type Attempt = {
  readonly ref: ModelRef;
  readonly place: number;
  readonly avoid: string | undefined;
};

function callAt(request: ModelRequest, home: Home, { ref, ...rest }: Attempt): Call {
  const { lanes, expected, waits, clock } = home;
  const findLane = (): Lane => lanes.of(ref);
  return toCall(request, { findLane, expected, waits, now: clock.now(), ...rest });
}

function queueMsOf({ timeouts }: ModelRequest): number {
  return timeouts?.queueMs ?? QUEUE_MS;
}

type Failing = {
  readonly ref: ModelRef;
  readonly ticket: Ticket | undefined;
  readonly signal: AbortSignal;
};

/** What is known of a failure, and its ticket returned. A call that was aborted says nothing about its endpoint. */
function failureOf({ waker }: Home, cause: unknown, { ref, ticket, signal }: Failing): BosunError {
  const error = toBosunError(cause, "model/server", nameOf(ref));
  if (ticket === undefined) return error;
  const isOfEndpoint = !signal.aborted && !isBehindGateway(error);
  if (isOfEndpoint && LOST.has(error.code)) waker.noteLost(ticket.site.state.id);
  if (isOfEndpoint) return ticket.fail(error);
  ticket.release();
  return error;
}

/** A call that can fall back does not wait for endpoints that do not work. @throws BosunError `model/unreachable`. */
function checkUp({ lane }: Call, hasFallback: boolean, now: number): void {
  if (hasFallback && isDown(lane, now)) throw circuitOpen(lane, now);
}

function queuedMsOf({ turn }: Call, { admittedAt }: Ticket): number {
  return admittedAt - turn.arrivedAt;
}

type Ending = Sending & {
  readonly sent: Sent;
  readonly event: Extract<ModelEvent, { type: "end" }>;
};

/** The end of a call as its caller sees it: what it waited here counts as waiting. */
function endOf(home: Home, { sent, event, ...sending }: Ending): ModelEvent {
  const { call, ticket } = sending;
  if (!sent.isTold) {
    learn(home, sending, event);
    ticket.done();
  }
  const { timings } = event;
  return { ...event, timings: { ...timings, queueMs: timings.queueMs + queuedMsOf(call, ticket) } };
}
