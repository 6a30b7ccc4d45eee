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
  /** Closes every connection. */
  close(): void;
}

/** Most endpoints that are kept with their connections; the longest unused go first. */
const MAX_CLIENTS = 256;

export function createPool(options: PoolOptions): Pool {
  const { clock, env, resolve, random = Math.random } = options;
  const repeating: Repeating = {
    clock,
    random,
    policy: { ...DEFAULT_RETRY, ...options.retry },
    budget: createRetryBudget(),
  };
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
    async *call(request, signal) {
      for (const [index, ref] of request.models.entries()) {
        const next = request.models[index + 1];
        try {
          const { model, request: own } = aimed(ref, request);
          yield* attempts(model, { ref, request: own, repeating }, signal);
          return;
        } catch (error) {
          if (next === undefined || signal.aborted) throw error;
          const failure = toBosunError(error, "model/server", nameOf(ref));
          yield {
            type: "fallback",
            from: nameOf(ref),
            to: nameOf(next),
            code: failure.code,
            usage: usageIn(failure),
          };
        }
      }
    },
    async contextTokens(models, signal) {
      const known = await Promise.all(
        models.map((ref) => contextOf(() => modelOf(ref), ref, signal)),
      );
      const sizes = known.filter((tokens) => tokens !== undefined);
      return sizes.length === 0 ? undefined : Math.min(...sizes);
    },
    close: () => clients.close(),
  };
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

/** A call at one model: attempts until one ends, or the policy gives up. */
async function* attempts(
  model: Model,
  call: { readonly ref: ModelRef; readonly request: ModelRequest; readonly repeating: Repeating },
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  const { clock, random, policy, budget } = call.repeating;
  budget.earn();
  let waitedMs = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      for await (const event of model.call(call.request, signal)) {
        yield event.type === "start" ? { ...event, attempt } : event;
        if (event.type === "end") return;
      }
      throw new BosunError("model/cut", `${nameOf(call.ref)} ended its events without an end`);
    } catch (cause) {
      const error = toBosunError(cause, "model/server", nameOf(call.ref));
      const decision = planRetry({ error, attempt, waitedMs }, policy, random());
      if (signal.aborted || decision.type === "give-up" || (!decision.isFree && !budget.spend()))
        throw error;
      waitedMs = decision.afterMs;
      yield {
        type: "retry",
        attempt,
        afterMs: waitedMs,
        code: error.code,
        message: error.message,
        usage: usageIn(error),
      };
      if (waitedMs > 0) await clock.sleep(waitedMs, signal);
    }
  }
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
