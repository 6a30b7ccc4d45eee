// Who goes first of those who wait: by tenant share, priority, deadline at risk, then least remaining work of its run, with ageing. Pure.
//
// The orchestrator knows how much of a run is still to come, so short rests go first: that serves all runs sooner on average, and the
// long ones too, because fewer stand in their way. Measured in bench/pool against first come, first served.

import type { OrderName } from "./deployment.ts";

/** A call that waits, as far as its turn depends on it. */
export type Turn = {
  /** Order of arrival. */
  readonly place: number;
  readonly arrivedAt: number;
  /** Milliseconds that its run's earlier calls waited. */
  readonly waitedMs: number;
  readonly tenant: string;
  /** Lower goes first. */
  readonly priority: number;
  /** Clock.now() in ms; undefined = none. */
  readonly deadlineAt: number | undefined;
  /** Tokens of the run from this call on. */
  readonly remainingTokens: number;
  /** Calls of the run from this one on. */
  readonly remainingCalls: number;
};

export type OrderView = {
  readonly now: number;
  /** What a tenant has in flight for each unit of its share; only asked when more than one waits. */
  readonly tenantLoad: (tenant: string) => number;
  /** How long a call takes at present. */
  readonly callMs: number;
};

/** Below 0 when `a` goes first. */
export type Order = (a: Turn, b: Turn, view: OrderView) => number;

/**
 * A run that waited so long, all its calls together, counts as half as long as it is, after twice as long as a third. Ageing calls one by
 * one, or faster, serves long runs no better and short ones worse (bench/pool).
 */
const AGEING_MS = 300_000;

export const ORDERS: Readonly<Record<OrderName, Order>> = {
  fcfs: (a, b) => a.place - b.place,
  program: (a, b, view) =>
    byTenant(a, b, view) ||
    a.priority - b.priority ||
    byDeadline(a, b, view) ||
    aged(a, view.now) - aged(b, view.now) ||
    a.place - b.place,
};

function byTenant(a: Turn, b: Turn, { tenantLoad }: OrderView): number {
  return a.tenant === b.tenant ? 0 : tenantLoad(a.tenant) - tenantLoad(b.tenant);
}

/** Whoever is at risk goes before whoever is not; among them the earlier deadline. */
function byDeadline(a: Turn, b: Turn, view: OrderView): number {
  const [first, second] = [riskAt(a, view), riskAt(b, view)];
  return first === second ? 0 : first - second;
}

/** The deadline of a run that will miss it without going first, and can still make it; Infinity for all others. */
function riskAt(turn: Turn, { now, callMs }: OrderView): number {
  if (turn.deadlineAt === undefined) return Infinity;
  const leftMs = turn.deadlineAt - now;
  const neededMs = turn.remainingCalls * callMs;
  return leftMs > 0 && leftMs < 2 * neededMs ? turn.deadlineAt : Infinity;
}

function aged({ remainingTokens, arrivedAt, waitedMs }: Turn, now: number): number {
  const ageMs = waitedMs + Math.max(0, now - arrivedAt);
  return (remainingTokens * AGEING_MS) / (AGEING_MS + ageMs);
}
