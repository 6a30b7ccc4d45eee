// The object on the server that bounds a queue: one for each queue, one call at a time. Runs ask it for a place and are told through
// their awakeables.

import type { ObjectContext } from "@restatedev/restate-sdk";
import type { QueueLimits } from "../engine.ts";
import {
  askFor,
  EMPTY_QUEUE,
  grantPlaces,
  leave,
  putInto,
  type QueueState,
  type Waiting,
} from "./limiter.ts";
import { QUEUE_SERVICE } from "./name.ts";
import type { RestateSdk } from "./sdk.ts";

/** A process that takes from a queue. */
export type Server = {
  readonly id: string;
  readonly concurrency: number;
  readonly forMs: number;
  /** What it can execute. */
  readonly services: readonly string[];
};

type Handler<I, O> = (ctx: ObjectContext, input: I) => Promise<O>;

export type QueueHandlers = {
  /** A run is about to be started: false when the queue is full. */
  readonly put: Handler<Omit<Waiting, "awakeable" | "hasBegun" | "at">, boolean>;
  /** A run asks for its place, also as one that comes back. */
  readonly ask: Handler<Omit<Waiting, "dueAt" | "at">, null>;
  readonly leave: Handler<{ readonly id: string }, null>;
  readonly limit: Handler<QueueLimits, null>;
  readonly serve: Handler<Server, null>;
  readonly unserve: Handler<{ readonly id: string }, null>;
  readonly look: Handler<null, null>;
};

/** Nothing of a call stays once it is done: a queue has many. */
const SHORT = { journalRetention: 0, inactivityTimeout: 60_000, abortTimeout: 60_000 } as const;

export function defineQueueObject(
  sdk: RestateSdk,
): Parameters<RestateSdk["createEndpointHandler"]>[0]["services"][number] {
  const handlers: QueueHandlers = {
    async put(ctx, run) {
      const { state, now } = await read(ctx);
      const put = putInto(state, { ...run, awakeable: undefined, hasBegun: false, at: now });
      if (put) await write(ctx, put, now);
      return put !== undefined;
    },
    ask: (ctx, run) => change(ctx, (state, now) => askFor(state, { ...run, dueAt: 0, at: now })),
    leave: (ctx, { id }) => change(ctx, (state) => leave(state, id)),
    limit: (ctx, limits) => change(ctx, (state) => ({ ...state, limits })),
    serve: (ctx, server) => change(ctx, (state, now) => withServer(state, server, now)),
    unserve: (ctx, { id }) =>
      change(ctx, (state) => {
        const { [id]: _gone, ...servers } = state.servers;
        return { ...state, servers };
      }),
    look: (ctx) => change(ctx, (state) => state),
  };
  return sdk.object({ name: QUEUE_SERVICE, handlers: { ...handlers }, options: SHORT });
}

function withServer(state: QueueState, server: Server, now: number): QueueState {
  const { id, concurrency, forMs, services } = server;
  const known = { concurrency, until: now + forMs, services };
  return { ...state, servers: { ...state.servers, [id]: known } };
}

async function change(
  ctx: ObjectContext,
  apply: (state: QueueState, now: number) => QueueState,
): Promise<null> {
  const { state, now } = await read(ctx);
  await write(ctx, apply(state, now), now);
  return null;
}

async function read(
  ctx: ObjectContext,
): Promise<{ readonly state: QueueState; readonly now: number }> {
  const state = await ctx.get<QueueState>("queue");
  return { state: state ?? EMPTY_QUEUE, now: await ctx.date.now() };
}

async function write(ctx: ObjectContext, changed: QueueState, now: number): Promise<void> {
  const { state, granted, lookAt } = grantPlaces(changed, now);
  ctx.set("queue", state);
  for (const { awakeable } of granted)
    if (awakeable !== undefined) ctx.resolveAwakeable(awakeable, null);
  if (lookAt !== undefined)
    ctx.genericSend({
      service: QUEUE_SERVICE,
      method: "look",
      key: ctx.key,
      parameter: new TextEncoder().encode("null"),
      headers: { "content-type": "application/json" },
      delay: Math.max(1, lookAt - now),
    });
}
