// What each tenant has in flight, for each unit of its share.

export interface Tenants {
  enter(tenant: string, tokens: number): void;
  leave(tenant: string, tokens: number): void;
  /** @param shares by name; a tenant that is not named has 1. */
  load(tenant: string, shares: Readonly<Record<string, number>> | undefined): number;
}

export function createTenants(): Tenants {
  /** Only those with calls in flight: bounded by those. */
  const held = new Map<string, { calls: number; tokens: number }>();
  return {
    enter(tenant, tokens) {
      const own = held.get(tenant);
      if (own === undefined) held.set(tenant, { calls: 1, tokens });
      else {
        own.calls++;
        own.tokens += tokens;
      }
    },
    leave(tenant, tokens) {
      const own = held.get(tenant);
      if (own === undefined) return;
      own.calls--;
      own.tokens -= tokens;
      if (own.calls === 0) held.delete(tenant);
    },
    load(tenant, shares = {}) {
      const share = Object.hasOwn(shares, tenant) ? (shares[tenant] ?? 1) : 1;
      return (held.get(tenant)?.tokens ?? 0) / share;
    },
  };
}
