// The pool: every model of a run behind one Model. Admits, orders and routes calls, repeats what may pass, falls back in order.
//
// Data's way: reference → lane (lane.ts) → call (call.ts) → admission (admission.ts) → endpoint → what its reply teaches.
//
// Invariants: M2, M3 (ledger.ts); M4 an aborted call closes its upstream socket (the client does); M5 only this folder repeats a model call.

import type { Clock } from "../../clock.ts";
import { BosunError, toBosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import { type Endpoint, mergeSettings, type ModelRef, nameOf } from "../model/endpoint.ts";
import type { Env } from "../model/http.ts";
import type { Model, ModelEvent, ModelRequest } from "../model/model.ts";
import { type Admission, createAdmission } from "./admission.ts";
import { type Call, toCall } from "./call.ts";
import { createClients } from "./clients.ts";
import type { Deployment, PoolEndpoint } from "./deployment.ts";
import { createExpectedOutput, type ExpectedOutput } from "./expected-output.ts";
import { createLanes, type Lane, type Lanes, type Site } from "./lane.ts";
import { circuitOpen, isDown, told } from "./overload.ts";
import { createRetryBudget, DEFAULT_RETRY, type RetryPolicy } from "./retry.ts";
import { createRunWaits, type RunWaits } from "./run-wait.ts";
import { type PoolStats, toStats } from "./stats.ts";
import { countTokens } from "./token-count.ts";
import type { Ticket } from "./ticket.ts";
import { planNext, type Repeating, type Trial } from "./trial.ts";

export type PoolOptions = {
  readonly clock: Clock;
  /** Where keys and proxies are read from. */
  readonly env?: Env | undefined;
  /** What an alias means now. @throws BosunError `model/unknown` for one that it does not know. */
  readonly resolve: (alias: string) => Endpoint | Model | Deployment;
  readonly retry?: Partial<RetryPolicy> | undefined;
  /** 0 to 1. Default Math.random. */
  readonly random?: (() => number) | undefined;
};

/** Many endpoints as one Model. */
export interface Pool extends Model {
  /**
   * Looks whether any of a call's models can be called at all, without calling one.
   * @throws BosunError `model/unknown` or `config/invalid` of the first when none can: an unknown alias, a key that is not set.
   */
  check(models: readonly ModelRef[]): void;
  /** What it has in flight and in its queue, and what it knows of its endpoints. */
  stats(): PoolStats;
  /** Closes every connection. */
  close(): void;
}

/** Longest wait for admission, unless the call or the agent says otherwise (Timeouts.queueMs). */
const QUEUE_MS = 300_000;

type Home = Repeating & {
  readonly lanes: Lanes;
  readonly admission: Admission;
  readonly expected: ExpectedOutput;
  readonly waits: RunWaits;
  /** Of arrival: the next call's. */
  place: number;
  retries: number;
};

export function createPool(options: PoolOptions): Pool {
  const { clock, env, resolve, random = Math.random } = options;
  const clients = createClients(clock, env);
  const lanes = createLanes({ clock, clients, resolve });
  const home: Home = {
    clock,
    random,
    policy: { ...DEFAULT_RETRY, ...options.retry },
    budget: createRetryBudget(),
    lanes,
    admission: createAdmission({ clock, random }),
    expected: createExpectedOutput(),
    waits: createRunWaits(),
    place: 0,
    retries: 0,
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
      if (faults.length > 0 && !faults.includes(undefined)) throw faults[0];
    },
    stats: () => toStats({ ...home, now: clock.now(), states: lanes.states() }),
    close: () => clients.close(),
  };
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
        const hasFallback = at.index + 1 < request.models.length;
        if (hasFallback && isDown(call.lane, clock.now()))
          throw circuitOpen(call.lane, clock.now());
        yield { type: "queued", reason: told(call.lane.sites, clock.now()) };
        ticket = await admission.enter(call, { waitMs: queueMsOf(request), signal });
      }
      const queuedMs = ticket.admittedAt - call.turn.arrivedAt;
      home.waits.add(request.hints.runId, queuedMs);
      for await (const event of ticket.site.model.call(toOwn(request, at.ref, ticket), signal)) {
        if (event.type === "start") yield { ...event, attempt: at.attempt };
        else if (event.type === "end") {
          const { timings } = event;
          learn(home, { request, call, ticket, reply: event });
          ticket.done();
          yield { ...event, timings: { ...timings, queueMs: timings.queueMs + queuedMs } };
          return;
        } else {
          ticket.firstToken();
          yield event;
        }
      }
      throw new BosunError("model/cut", `${nameOf(at.ref)} ended its events without an end`);
    } catch (cause) {
      const error = failureOf(cause, { ref: at.ref, ticket, signal });
      avoid = ticket?.site.endpoint.name;
      const next = planNext({ at, error, signal, fallback: request.models[at.index + 1] }, home);
      home.retries += next.event.type === "retry" ? 1 : 0;
      yield next.event;
      if (next.at.waitedMs > 0) await clock.sleep(next.at.waitedMs, signal);
      at = next.at;
    } finally {
      ticket?.release(); // also when the reader left the loop (M3)
    }
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
function failureOf(cause: unknown, { ref, ticket, signal }: Failing): BosunError {
  const error = toBosunError(cause, "model/server", nameOf(ref));
  if (!signal.aborted) return ticket?.fail(error) ?? error;
  ticket?.release();
  return error;
}

/** The request as its endpoint gets it. Settings travel with the call, so that endpoints that differ in nothing else share one client. */
function toOwn(request: ModelRequest, ref: ModelRef, ticket: Ticket): ModelRequest {
  const { endpoint } = ticket.site;
  const own = "call" in endpoint.at ? {} : endpoint.at;
  const deployed = ticket.lane.deployment.settings;
  const settings = mergeSettings(request.settings, deployed ? mergeSettings(own, deployed) : own);
  const accepted = acceptedBody(request, endpoint.accepts);
  return {
    ...request,
    models: [ref, ...request.models.slice(1)],
    settings: accepted
      ? { ...settings, extraBody: { ...accepted, ...settings.extraBody } }
      : settings,
    stream: request.stream ?? ("call" in endpoint.at ? undefined : endpoint.at.stream),
    onFirstToken: ticket.firstToken,
  };
}

type Ended = {
  readonly request: ModelRequest;
  readonly call: Call;
  readonly ticket: Ticket;
  readonly reply: Extract<ModelEvent, { type: "end" }>;
};

function learn({ expected }: Home, { request, call, ticket, reply }: Ended): void {
  const { hitTokens, batch, site } = ticket;
  const { usage } = reply;
  expected.learn(request.hints, usage.output.total);
  const forget = (): void => site.state.prefixes.remove(call.prefix);
  const promptTokens = usage.input.total;
  site.state.rate.correct(
    promptTokens + usage.output.total - call.promptTokens - call.outputTokens,
  );
  const { estimatedTokens } = call;
  site.state.learn(reply, { hitTokens, promptTokens, estimatedTokens, batch, forget });
}

/** What only some endpoints take: others refuse it. */
function acceptedBody(
  { hints }: ModelRequest,
  accepts: PoolEndpoint["accepts"],
): JsonObject | undefined {
  if (accepts === undefined) return undefined;
  const { priority, tenant, runId } = hints;
  return {
    ...(accepts.priority && priority !== undefined ? { priority } : {}),
    ...(accepts.sessionId ? { session_id: runId } : {}),
    ...(accepts.cacheSalt && tenant !== undefined ? { cache_salt: tenant } : {}),
  };
}
