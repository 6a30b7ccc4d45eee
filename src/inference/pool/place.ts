// Places a call: which of its lane's endpoints can take it now, which of them gets it, and what it reserves there.

import type { Call } from "./call.ts";
import type { EndpointState } from "./endpoint-state.ts";
import type { Pace } from "./growth.ts";
import type { Site } from "./lane.ts";
import type { Need } from "./ledger.ts";
import type { Candidate } from "./route.ts";
import { openTicket, type Ticket, type TicketScene } from "./ticket.ts";

export type Placing = TicketScene & {
  /** 0 to 1. */
  readonly random: () => number;
  /** Endpoints that a call before this one waits for: they are not given away under another alias. */
  readonly held?: ReadonlySet<EndpointState> | undefined;
};

/** Undefined when no endpoint can take it now. */
export function placeCall(call: Call, placing: Placing): Ticket | undefined {
  const { lane, session } = call;
  const now = placing.clock.now();
  const able = lane.sites.flatMap((site) =>
    placing.held?.has(site.state) ? [] : (candidateOf(site, call, now) ?? []),
  );
  // An endpoint that failed it is asked again only when there is no other.
  const others = able.filter(({ name }) => name !== call.avoid);
  const [first, ...rest] = others.length > 0 ? others : able;
  if (first === undefined) return undefined;
  const chosen = lane.route([first, ...rest], { session, random: placing.random });
  const { site, need, hitTokens } = chosen as Fitting; // `as`: a route gives back one of its candidates
  return openTicket({ call, site, need, hitTokens }, placing);
}

type Fitting = Candidate & { readonly site: Site; readonly need: Need };

function candidateOf(site: Site, call: Call, now: number): Fitting | undefined {
  const { state, endpoint, place } = site;
  const { ledger, prefixes, rate, speed, guard } = state;
  const { promptTokens, outputTokens, prefix } = call;
  // One call goes before the answer is there, and the others wait for it.
  if (!state.isKnown && ledger.inFlight > 0) return undefined;
  if (!guard.allows(now, ledger.inFlight)) return undefined;
  if (call.lane.outliers.isEjected(endpoint.name, now)) return undefined;
  if (rate.readyAt(now, promptTokens + outputTokens) > now) return undefined;
  const hitTokens = Math.min(promptTokens, prefixes.hitTokens(prefix));
  const prefillTokens = call.isStreamed ? promptTokens - hitTokens : 0;
  const need: Need = { prefix, promptTokens, outputTokens, prefillTokens };
  const pace: Pace = { now, interTokenMs: speed.decodeMs(1, ledger.inFlight) };
  if (!ledger.fits(need, pace)) return undefined;
  const { inFlight, bounds } = ledger;
  const prefillMs = speed.prefillMs(promptTokens - hitTokens);
  const estimateMs =
    speed.prefillMs(ledger.prefillTokens + prefillTokens) +
    speed.decodeMs(outputTokens, inFlight + 1);
  const { name } = endpoint;
  return {
    place,
    name,
    inFlight,
    // Looked at by one route only, and as dear as the whole check above. No getter: a literal with one costs 0.7 kB of dictionary.
    kvShare: () =>
      bounds.kvTokens === Infinity
        ? inFlight / 256
        : ledger.peakTokens(pace, need) / bounds.kvTokens,
    hitTokens,
    estimateMs,
    prefillMs,
    site,
    need,
  };
}
