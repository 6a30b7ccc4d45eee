// The pool: every model of a run behind one Model. Finds the endpoint of a reference, repeats and falls back.
//
// Does not admit, order or route yet: each reference is one endpoint.
//
// Invariants: M4 an aborted call closes its upstream socket (the client does); M5 only this folder repeats a model call.

import type { Clock } from "../../clock.ts";
import { BosunError, detailOf, toBosunError } from "../../error.ts";
import { isObject } from "../../json.ts";
import { createEndpointModel, type EndpointModel } from "../model/client.ts";
import {
  type Endpoint,
  mergeSettings,
  type ModelRef,
  nameOf,
  withoutSettings,
} from "../model/endpoint.ts";
import type { Env } from "../model/http.ts";
import type { Model, ModelEvent, ModelRequest } from "../model/model.ts";
import type { Usage } from "../model/usage.ts";
import { countTokens } from "./token-count.ts";
import {
  createRetryBudget,
  DEFAULT_RETRY,
  planRetry,
  type RetryBudget,
  type RetryPolicy,
} from "./retry.ts";

export type PoolOptions = {
  readonly clock: Clock;
  /** Where keys and proxies are read from. */
  readonly env?: Env | undefined;
  /** The model of an alias. @throws BosunError `model/unknown` for one that it does not know. */
  readonly resolve: (alias: string) => Endpoint | Model;
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
  /** Closes every connection. */
  close(): void;
}

/** Most endpoints that are kept with their connections; the longest unused go first. */
const MAX_CLIENTS = 256;

export function createPool(options: PoolOptions): Pool {
  const { clock, env, resolve, random = Math.random } = options;
  const policy = { ...DEFAULT_RETRY, ...options.retry };
  const repeating: Repeating = { clock, random, policy, budget: createRetryBudget() };
  const clients = createClients(clock, env);
  const meant = (ref: ModelRef): Endpoint | Model => (typeof ref === "string" ? resolve(ref) : ref);
  const modelOf = (ref: ModelRef): Model => {
    const found = meant(ref);
    return "call" in found ? found : clients.of(found);
  };
  const aimed = (ref: ModelRef, request: ModelRequest): { model: Model; request: ModelRequest } => {
    const found = meant(ref);
    return "call" in found
      ? { model: found, request }
      : { model: clients.of(found), request: withOwnSettings(request, found) };
  };
  return {
    // One generator for all attempts at all models: each more would cost every delta three promises.
    async *call(request, signal) {
      let at: Trial = { ref: request.models[0], index: 0, attempt: 1, waitedMs: 0 };
      for (;;) {
        try {
          const { model, request: own } = aimed(at.ref, request);
          if (at.attempt === 1) repeating.budget.earn();
          for await (const event of model.call(own, signal)) {
            yield event.type === "start" ? { ...event, attempt: at.attempt } : event;
            if (event.type === "end") return;
          }
          throw new BosunError("model/cut", `${nameOf(at.ref)} ended its events without an end`);
        } catch (error) {
          const next = planNext(
            { at, error, signal, fallback: request.models[at.index + 1] },
            repeating,
          );
          yield next.event;
          if (next.at.waitedMs > 0) await clock.sleep(next.at.waitedMs, signal);
          at = next.at;
        }
      }
    },
    async contextTokens(models, signal) {
      const [first, ...others] = models;
      if (first !== undefined && others.length === 0)
        return contextOf(() => modelOf(first), first, signal);
      const known = await Promise.all(
        models.map((ref) => contextOf(() => modelOf(ref), ref, signal)),
      );
      const sizes = known.filter((tokens) => tokens !== undefined);
      return sizes.length === 0 ? undefined : Math.min(...sizes);
    },
    countTokens: (ask, signal) => countTokens(modelOf, ask, signal),
    check(models) {
      const faults = models.map((ref) => faultOf(() => modelOf(ref)));
      if (faults.length > 0 && !faults.includes(undefined)) throw faults[0];
    },
    close: () => clients.close(),
  };
}

function faultOf(find: () => Model): unknown {
  try {
    find();
    return undefined;
  } catch (error) {
    return error; // thrown by the caller when no other model is left
  }
}

/** A reference that means nothing has no context: the call itself says so, where a fallback may still answer. */
async function contextOf(
  model: () => Model,
  ref: ModelRef,
  signal: AbortSignal,
): Promise<number | undefined> {
  try {
    return await model().contextTokens([ref], signal);
  } catch (error) {
    if (signal.aborted) throw error;
    return undefined;
  }
}

type Repeating = {
  readonly clock: Clock;
  readonly random: () => number;
  readonly policy: RetryPolicy;
  readonly budget: RetryBudget;
};

/** One attempt of a call: the how many-th of its models, the how many-th time there, and how long was waited before it. */
type Trial = {
  readonly ref: ModelRef;
  readonly index: number;
  readonly attempt: number;
  readonly waitedMs: number;
};

type Failed = {
  readonly at: Trial;
  readonly error: unknown;
  readonly signal: AbortSignal;
  readonly fallback: ModelRef | undefined;
};

/** What is tried after a failure, and the event that says so. @throws the error when nothing is. */
function planNext(
  { at, error: cause, signal, fallback }: Failed,
  { policy, budget, random }: Repeating,
): { readonly at: Trial; readonly event: ModelEvent } {
  const { ref, index, attempt } = at;
  const error = toBosunError(cause, "model/server", nameOf(ref));
  const { code, message } = error;
  const usage = usageIn(error);
  const decision = planRetry({ error, ...at }, policy, random());
  if (signal.aborted) throw error;
  if (decision.type === "retry" && (decision.isFree || budget.spend())) {
    const { afterMs } = decision;
    return {
      at: { ref, index, attempt: attempt + 1, waitedMs: afterMs },
      event: { type: "retry", attempt, afterMs, code, message, usage },
    };
  }
  if (fallback === undefined) throw error;
  return {
    at: { ref: fallback, index: index + 1, attempt: 1, waitedMs: 0 },
    event: { type: "fallback", from: nameOf(ref), to: nameOf(fallback), code, usage },
  };
}

type Clients = { of(endpoint: Endpoint): EndpointModel; close(): void };

/** Settings travel with the call, so that endpoints that differ in nothing else share one client. */
function withOwnSettings(request: ModelRequest, endpoint: Endpoint): ModelRequest {
  return {
    ...request,
    settings: mergeSettings(request.settings, endpoint),
    stream: request.stream ?? endpoint.stream,
  };
}

/** One client for each distinct connection, however many objects describe it and with whatever settings. */
function createClients(clock: Clock, env: Env | undefined): Clients {
  const byObject = new WeakMap<Endpoint, EndpointModel>();
  const byText = new Map<string, EndpointModel>();
  return {
    of(endpoint) {
      const found = byObject.get(endpoint);
      if (found) return found;
      const connection = withoutSettings(endpoint);
      const text = textOf(connection);
      const client = byText.get(text) ?? createEndpointModel({ endpoint: connection, clock, env });
      byText.delete(text);
      byText.set(text, client);
      byObject.set(endpoint, client);
      // Let go, not closed: a call may still use it, and its idle sockets close by themselves after some seconds.
      const [oldest] = byText.keys();
      if (byText.size > MAX_CLIENTS && oldest !== undefined) byText.delete(oldest);
      return client;
    },
    close() {
      for (const client of byText.values()) client.close();
      byText.clear();
    },
  };
}

/** Equal for connections that are equal, in whatever order their headers and time-outs stand. */
function textOf({ headers = {}, timeouts = {}, ...rest }: Endpoint): string {
  const sorted = [headers, timeouts].map((fields) =>
    Object.entries(fields).toSorted(([a], [b]) => (a < b ? -1 : 1)),
  );
  return JSON.stringify([rest, sorted]);
}

/** What a failed attempt cost, so that it is counted. */
function usageIn(error: BosunError): Usage | undefined {
  const usage = detailOf(error, "usage");
  return isObject(usage) ? (usage as Usage) : undefined; // `as`: the client put it there (A3)
}
