// Places a call: which of its lane's endpoints can take it now, which of them gets it, and what it reserves there.

import type { Clock } from "../../clock.ts";
import type { Call } from "./call.ts";
import type { Pace } from "./growth.ts";
import type { Lane, Site } from "./lane.ts";
import type { Need } from "./ledger.ts";
import type { Candidate } from "./route.ts";

/** A call's right to one endpoint, until it is released. */
export type Ticket = {
  readonly lane: Lane;
  readonly site: Site;
  /** Tokens that it reserved. */
  readonly tokens: number;
  readonly hitTokens: number;
  readonly batch: number;
  readonly admittedAt: number;
  readonly firstToken: () => void;
  /** Exactly once counts, however often it is called (M3). */
  release(): void;
};

export type Placing = {
  readonly clock: Clock;
  /** 0 to 1. */
  readonly random: () => number;
  readonly onRelease: (tokens: number) => void;
};

/** Undefined when no endpoint can take it now. */
export function placeCall(call: Call, placing: Placing): Ticket | undefined {
  const { lane, promptTokens, session } = call;
  const able = lane.sites.flatMap((site) => candidateOf(site, call, placing.clock.now()) ?? []);
  // An endpoint that failed it is asked again only when there is no other.
  const others = able.filter(({ name }) => name !== call.avoid);
  const [first, ...rest] = others.length > 0 ? others : able;
  if (first === undefined) return undefined;
  const chosen = lane.route([first, ...rest], { promptTokens, session, random: placing.random });
  return reserve(call, chosen as Fitting, placing); // `as`: a route gives back one of its candidates
}

type Fitting = Candidate & { readonly site: Site; readonly need: Need };

function candidateOf(site: Site, call: Call, now: number): Fitting | undefined {
  const { state, endpoint, place } = site;
  const { ledger, prefixes, rate, speed, guard } = state;
  const { promptTokens, outputTokens, prefix } = call;
  if (!guard.allows(now, ledger.inFlight)) return undefined;
  if (rate.readyAt(now, promptTokens + outputTokens) > now) return undefined;
  const hitTokens = Math.min(promptTokens, prefixes.hitTokens(prefix));
  const prefillTokens = call.isStreamed ? promptTokens - hitTokens : 0;
  const need: Need = { prefix, promptTokens, outputTokens, prefillTokens };
  const pace: Pace = { now, interTokenMs: speed.decodeMs(1, ledger.inFlight) };
  if (!ledger.fits(need, pace)) return undefined;
  const { inFlight, bounds } = ledger;
  const kvShare =
    bounds.kvTokens === Infinity
      ? inFlight / 256
      : ledger.peakTokens(pace, need) / bounds.kvTokens;
  const prefillMs = speed.prefillMs(promptTokens - hitTokens);
  const estimateMs =
    speed.prefillMs(ledger.prefillTokens + prefillTokens) +
    speed.decodeMs(outputTokens, inFlight + 1);
  const { name } = endpoint;
  return { place, name, inFlight, kvShare, hitTokens, estimateMs, prefillMs, site, need };
}

function reserve(call: Call, { site, need, hitTokens }: Fitting, placing: Placing): Ticket {
  const { ledger, prefixes, rate, guard } = site.state;
  const now = placing.clock.now();
  const batch = ledger.inFlight + 1;
  const reservation = ledger.reserve(need);
  rate.take(now, need.promptTokens + need.outputTokens);
  prefixes.add(call.prefix);
  guard.onStart(now);
  let isOpen = true;
  return {
    lane: call.lane,
    site,
    tokens: reservation.tokens,
    hitTokens,
    batch,
    admittedAt: now,
    firstToken: () => reservation.firstToken(placing.clock.now()),
    release() {
      if (!isOpen) return;
      isOpen = false;
      reservation.release();
      placing.onRelease(reservation.tokens);
    },
  };
}
