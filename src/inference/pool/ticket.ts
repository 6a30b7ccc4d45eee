// Ticket: a call's right to one endpoint, from its admission to its end. Its end is told once, to the ledger, the guard and the outliers.
//
// Invariant M3: what was reserved is returned exactly once, by whichever of done, fail and release comes first.

import type { Clock } from "../../clock.ts";
import type { BosunError } from "../../error.ts";
import type { Call } from "./call.ts";
import { isEndpointFailure } from "./circuit-breaker.ts";
import type { Lane, Site } from "./lane.ts";
import type { Need } from "./ledger.ts";

export type Ticket = {
  readonly lane: Lane;
  readonly site: Site;
  /** Tokens that it reserved. */
  readonly tokens: number;
  readonly hitTokens: number;
  /** Calls in flight when it began, itself included. */
  readonly batch: number;
  readonly admittedAt: number;
  readonly firstToken: () => void;
  /** The call ended well. */
  done(): void;
  /** The call failed. @returns the error to go on with: one that ran out of memory says why. */
  fail(error: BosunError): BosunError;
  /** The call was given up: aborted, or its reader left. Nothing after an end. */
  release(): void;
};

export type TicketScene = {
  readonly clock: Clock;
  readonly onRelease: (tokens: number) => void;
};

/** A call and where it goes. */
export type Placed = {
  readonly call: Call;
  readonly site: Site;
  readonly need: Need;
  readonly hitTokens: number;
};

/** Reserves, and tells all who want to know that the call goes. */
export function openTicket({ call, site, need, hitTokens }: Placed, scene: TicketScene): Ticket {
  const { clock, onRelease } = scene;
  const { ledger, prefixes, rate, guard } = site.state;
  const { lane, session: runId, promptTokens } = call;
  const { name } = site.endpoint;
  const now = clock.now();
  const reservation = ledger.reserve(need);
  rate.take(now, need.promptTokens + need.outputTokens);
  prefixes.add(call.prefix);
  const batch = ledger.inFlight;
  const tokensInFlight = ledger.reservedTokens;
  const guarded = guard.onStart(now, { runId, promptTokens, inFlight: batch, tokensInFlight });
  let isOpen = true;
  let firstTokenAt: number | undefined;
  const close = (): void => {
    isOpen = false;
    reservation.release();
    onRelease(reservation.tokens);
  };
  return {
    lane,
    site,
    tokens: reservation.tokens,
    hitTokens,
    batch,
    admittedAt: now,
    firstToken() {
      if (firstTokenAt !== undefined) return;
      firstTokenAt = clock.now();
      reservation.firstToken(firstTokenAt);
      guard.onFirstToken(guarded, firstTokenAt);
    },
    done() {
      if (!isOpen) return;
      const endedAt = clock.now();
      const firstTokenMs = (firstTokenAt ?? endedAt) - now;
      guard.onEnd(guarded, ledger.inFlight);
      lane.outliers.onSuccess(name, { now: endedAt, firstTokenMs, promptTokens });
      close();
    },
    fail(error) {
      if (!isOpen) return error;
      const at = { now: clock.now(), inFlight: ledger.inFlight };
      const told = guard.onFailure(guarded, error, {
        ...at,
        tokensInFlight: ledger.reservedTokens,
      });
      if (isEndpointFailure(error)) lane.outliers.onFailure(name, at.now);
      close();
      return told;
    },
    release() {
      if (!isOpen) return;
      guard.onCancel(guarded);
      close();
    },
  };
}
