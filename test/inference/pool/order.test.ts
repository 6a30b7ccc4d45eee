import { describe, expect, it } from "vitest";
import { ORDERS, type OrderView, type Turn } from "../../../src/inference/pool/order.ts";
import { endOf, requestOf, twinFleet } from "./twin-fleet.ts";

let count = 0;
const turn = (fields: Partial<Turn> = {}): Turn => ({
  place: count++,
  arrivedAt: 0,
  waitedMs: 0,
  tenant: "",
  priority: 0,
  deadlineAt: undefined,
  remainingTokens: 1_000,
  remainingCalls: 1,
  ...fields,
});
const VIEW: OrderView = { now: 0, tenantLoad: () => 0, callMs: 1_000 };
const firstOf = (turns: readonly Turn[], view: OrderView = VIEW): Turn | undefined =>
  turns.toSorted((a, b) => ORDERS.program(a, b, view))[0];

describe("the order of a program", () => {
  it("puts the tenant with less in flight for its share first, before anything else", () => {
    const poor = turn({ tenant: "poor", priority: 5, remainingTokens: 90_000 });
    const rich = turn({ tenant: "rich", priority: -5 });
    const loads: Readonly<Record<string, number>> = { rich: 10, poor: 1 };
    const tenantLoad = (tenant: string): number => loads[tenant] ?? 0;

    expect(firstOf([rich, poor], { ...VIEW, tenantLoad })).toBe(poor);
  });

  it("then the lower priority number, as in vLLM", () => {
    const urgent = turn({ priority: -1, remainingTokens: 90_000 });

    expect(firstOf([turn(), urgent])).toBe(urgent);
  });

  it("then a deadline that is at risk and can still be met", () => {
    const atRisk = turn({ deadlineAt: 1_500, remainingTokens: 90_000 });
    const calm = turn({ deadlineAt: 60_000 });
    const late = turn({ deadlineAt: -1 });

    expect(firstOf([calm, late, atRisk])).toBe(atRisk);
  });

  it("then the least remaining work, which ages", () => {
    const short = turn({ remainingTokens: 1_000, arrivedAt: 2_400_000 });
    const long = turn({ remainingTokens: 8_000, arrivedAt: 0 });

    expect(firstOf([long, short], { ...VIEW, now: 60_000 })).toBe(short);
    expect(firstOf([long, short], { ...VIEW, now: 2_400_000 })).toBe(long);
  });

  it("counts what a run's earlier calls waited as its age", () => {
    const short = turn({ remainingTokens: 1_000 });
    const late = turn({ remainingTokens: 8_000, waitedMs: 2_400_000 });

    expect(firstOf([short, late])).toBe(late);
  });

  it("then the earlier arrival; fcfs is that alone", () => {
    const [first, second] = [turn(), turn({ priority: -9 })];

    expect(firstOf([turn(), first])).toBe(first);
    expect(ORDERS.fcfs(first, second, VIEW)).toBeLessThan(0);
  });

  it("gives the same run the endpoint whose rest is shorter, in the pool itself", async () => {
    const fleet = twinFleet({ capacity: { maxNumSeqs: 1 } });
    const ended: string[] = [];
    const run = (runId: string, remainingCalls: number): Promise<unknown> =>
      endOf(fleet, requestOf(50, { runId, remainingCalls })).then(() => ended.push(runId));

    await Promise.all([run("first", 0), run("long", 19), run("short", 1)]);

    expect(ended).toEqual(["first", "short", "long"]);
  });
});
