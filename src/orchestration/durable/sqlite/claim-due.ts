// Which runs of the queues this process takes next: in the order of their priority, then of their coming, within the limits of their
// queues. In one transaction: two processes never have one.
//
// A queue may hold any number of runs that cannot begin yet. They are left out by the database (Full), not by looking at each: what is
// read is bounded by what is taken and by how many queues, tenants and versions hold theirs back.

import type { EngineParts } from "./engine-parts.ts";
import { type Claimed, take } from "./claim.ts";
import type { DueRun, Full } from "./due-table.ts";

export type Claiming = {
  readonly most: number;
  /** Default: all. */
  readonly queues: readonly string[] | undefined;
  /** Whether a run is executed here: it is no other's, however long this process stood still. */
  readonly isHere: (runId: string) => boolean;
};

/** What was taken, and when it is worth another look; undefined when nothing tells. */
export type Claims = {
  readonly claimed: readonly Claimed[];
  readonly nextAt: number | undefined;
};

/** Rows that are read at once. */
const PAGE = 100;

/** Takes what is due. */
export function claimDue(parts: EngineParts, { most, queues, isHere }: Claiming): Claims {
  if (most <= 0) return { claimed: [], nextAt: undefined };
  const { clock, sqlite, runs, due, lease } = parts;
  const owner = lease.id();
  return sqlite.transaction(() => {
    const now = clock.now();
    const alive = lease.alive();
    const room = new Room(parts, now, alive);
    const claimed: Claimed[] = [];
    let after: DueRun | undefined;
    do {
      const page = due.next({ now, queues, alive, after, full: room.full, limit: PAGE });
      for (const one of page) {
        if (claimed.length >= most) break;
        const row = !isHere(one.runId) && room.take(one) ? runs.find(one.runId) : undefined;
        if (row) claimed.push(take(parts, row, owner));
      }
      after = page.length === PAGE ? page.at(-1) : undefined;
    } while (after && claimed.length < most);
    const times = [due.nextAt(now), room.nextAt].filter((at) => at !== undefined);
    return { claimed, nextAt: times.length > 0 ? Math.min(...times) : undefined };
  });
}

type Count = { all: number; byTenant: Map<string, number>; begun: number | undefined };

/** Rows of processes that live. */
type Owners = readonly number[];

/** What the limits of the queues leave, counted on with each run that is taken. */
class Room {
  /** Whose runs need not be looked at. */
  readonly full: Full = { queues: new Set(), tenants: new Set(), flows: new Set() };
  readonly #parts: EngineParts;
  readonly #now: number;
  readonly #counts = new Map<string, Count>();
  /** When a rate may let another one begin. */
  nextAt: number | undefined;

  constructor(parts: EngineParts, now: number, alive: Owners) {
    this.#parts = parts;
    this.#now = now;
    for (const { queue, tenant, count } of parts.due.busy(alive)) this.#add(queue, tenant, count);
  }

  /** Whether it may begin; it is counted then. */
  take({ queue, tenant, flow, version, begunAt }: DueRun): boolean {
    if (this.full.queues.has(queue) || this.full.tenants.has(keyOf(queue, tenant))) return false;
    if (this.#parts.flowOf(flow, version) === undefined) {
      this.full.flows.add(keyOf(flow, version));
      return false;
    }
    const { rate } = this.#parts.queues.of(queue);
    if (rate && begunAt === undefined) {
      const count = this.#of(queue);
      count.begun ??= this.#parts.due.begunSince(queue, this.#now - rate.ms);
      if (count.begun >= rate.count) {
        this.full.queues.add(queue);
        this.nextAt = Math.min(this.nextAt ?? Infinity, this.#now + rate.ms / rate.count);
        return false;
      }
      count.begun++;
    }
    this.#add(queue, tenant, 1);
    return true;
  }

  #add(queue: string, tenant: string | undefined, more: number): void {
    const { concurrency = Infinity, perTenant = Infinity } = this.#parts.queues.of(queue);
    const count = this.#of(queue);
    count.all += more;
    if (count.all >= concurrency) this.full.queues.add(queue);
    if (tenant === undefined) return; // nobody's: no tenant's limit holds it back
    const own = (count.byTenant.get(tenant) ?? 0) + more;
    count.byTenant.set(tenant, own);
    if (own >= perTenant) this.full.tenants.add(keyOf(queue, tenant));
  }

  #of(queue: string): Count {
    const found = this.#counts.get(queue);
    if (found) return found;
    const made = { all: 0, byTenant: new Map<string, number>(), begun: undefined };
    this.#counts.set(queue, made);
    return made;
  }
}

/** As due-table.ts makes it of its columns. */
function keyOf(one: string, other: string | undefined): string {
  return JSON.stringify([one, other ?? null]);
}
