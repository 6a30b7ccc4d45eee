// Sends an admitted call: wakes its endpoint, gives it a second one when it is late, and learns from the reply.
//
// A call that needs neither goes straight to its endpoint: a generator more would cost every delta three promises.

import type { Clock } from "../../clock.ts";
import { toBosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import { mergeSettings, type ModelRef, nameOf } from "../model/endpoint.ts";
import type { ModelEvent, ModelRequest } from "../model/model.ts";
import type { Admission } from "./admission.ts";
import type { Call } from "./call.ts";
import type { PoolEndpoint } from "./deployment.ts";
import type { ExpectedOutput } from "./expected-output.ts";
import { hedged, type HedgePlan, planHedge, withFirstToken } from "./hedge.ts";
import type { Ticket } from "./ticket.ts";
import type { Waker } from "./wake.ts";
import type { Wishes } from "./wish.ts";

export type SendScene = {
  readonly clock: Clock;
  readonly admission: Admission;
  readonly expected: ExpectedOutput;
  readonly waker: Waker;
  readonly wishes: Wishes;
  /** A second call was made. */
  readonly onHedge: () => void;
};

export type Sending = {
  readonly request: ModelRequest;
  readonly ref: ModelRef;
  readonly call: Call;
  readonly ticket: Ticket;
  readonly signal: AbortSignal;
};

export type Sent = {
  readonly events: AsyncIterable<ModelEvent>;
  /** The ticket's end is told by the events themselves: who of two calls answers is known to nobody else. */
  readonly isTold: boolean;
};

/** The events of the endpoint that answers. */
export function send(scene: SendScene, sending: Sending): Sent {
  const { request, ref, ticket, signal } = sending;
  const { lane, site } = ticket;
  const { queued } = scene.admission;
  const isOn = lane.deployment.hedge ?? false;
  const others = lane.sites.length - 1;
  const plan = planHedge({ isOn, request, others, queued }, lane.hedges);
  if (isOn) lane.hedges.onCall();
  const isTold = plan.type === "hedge";
  // A provider that scales an endpoint has a queue of its own, and starts workers only for what stands in it.
  const isScaled = site.endpoint.capacity.maxWorkers !== undefined;
  const isPlain = !isTold && (isScaled || scene.waker.isAwake(site.state.id));
  const events = isPlain
    ? site.model.call(toOwn(request, ref, ticket), signal)
    : woken(scene, sending, plan);
  return { events, isTold };
}

/** What a reply taught. */
export function learn(
  { expected, waker, wishes }: SendScene,
  { request, call, ticket }: Sending,
  reply: Extract<ModelEvent, { type: "end" }>,
): void {
  const { hitTokens, batch, site, lane } = ticket;
  const { usage, timings } = reply;
  const { state } = site;
  expected.learn(request.hints, usage.output.total);
  waker.noteAwake(state.id);
  wishes.noteCalled(state.id);
  if (timings.firstTokenMs !== undefined) lane.hedges.onFirstToken(timings.firstTokenMs);
  const promptTokens = usage.input.total;
  state.rate.correct(promptTokens + usage.output.total - call.promptTokens - call.outputTokens);
  const forget = (): void => state.prefixes.remove(call.prefix);
  const { estimatedTokens } = call;
  state.learn(reply, { hitTokens, promptTokens, estimatedTokens, batch, forget });
}

async function* woken(
  scene: SendScene,
  sending: Sending,
  plan: HedgePlan,
): AsyncGenerator<ModelEvent> {
  const { ticket, signal } = sending;
  const { id, name } = ticket.site.state;
  for await (const event of scene.waker.awaken(id, signal))
    yield event.type === "queued" ? { ...event, reason: `waking ${name}` } : event;
  if (plan.type === "single")
    yield* ticket.site.model.call(toOwn(sending.request, sending.ref, ticket), signal);
  else yield* raced(scene, sending, plan.afterMs);
}

/** The first call, and a second one at another endpoint when it is late. */
function raced(scene: SendScene, sending: Sending, afterMs: number): AsyncIterable<ModelEvent> {
  const { clock, admission, onHedge } = scene;
  const { call, ticket, signal } = sending;
  return hedged({
    clock,
    afterMs,
    signal,
    first: (own) => attempt(scene, { ...sending, signal: own }),
    second() {
      const { hedges } = ticket.lane;
      const { waker } = scene;
      const elsewhere = { ...call, lane: call.lane, avoid: ticket.site.endpoint.name };
      const other = hedges.lateMs() === undefined ? undefined : admission.tryEnter(elsewhere);
      if (other === undefined) return undefined;
      // One that may sleep would be later still, and cost a start.
      const isReady = other.site !== ticket.site && waker.isAwake(other.site.state.id);
      if (!isReady || !hedges.spend()) {
        other.release();
        return undefined;
      }
      onHedge();
      return (own) => attempt(scene, { ...sending, ticket: other, signal: own });
    },
  });
}

/** One of two calls: its ticket ends here, however it ends. */
async function* attempt(scene: SendScene, sending: Sending): AsyncGenerator<ModelEvent> {
  const { request, ref, ticket, signal } = sending;
  let hasToken = false;
  const own = toOwn(request, ref, ticket);
  const onFirstToken = (): void => {
    hasToken = true;
    ticket.firstToken();
  };
  const watched = { ...withFirstToken(own, () => hasToken), onFirstToken };
  try {
    for await (const event of ticket.site.model.call(watched, signal)) {
      if (event.type === "end") {
        learn(scene, sending, event);
        ticket.done();
      }
      yield event;
    }
  } catch (cause) {
    const error = toBosunError(cause, "model/server", nameOf(ref));
    throw signal.aborted ? error : ticket.fail(error);
  } finally {
    ticket.release();
  }
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
