import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../../src/orchestration/run/event.ts";
import { applyEvent, EMPTY_RUN, type RunState } from "../../../src/orchestration/run/state.ts";
import { type RandomTeam, randomTeam } from "./random-team.ts";
import { eventsOf, only, withoutTimes } from "./scenario.ts";

const SEEDS = Array.from({ length: 200 }, (_, n) => n + 1);
const made = new Map<number, Promise<Ended>>();
type Ended = {
  readonly team: RandomTeam;
  readonly events: readonly RunEvent[];
  readonly state: RunState;
};

/** Each seed is run once for all properties. */
const endedOf = (seed: number): Promise<Ended> => {
  const ended = made.get(seed) ?? runOf(seed);
  made.set(seed, ended);
  return ended;
};

async function runOf(seed: number): Promise<Ended> {
  const team = randomTeam(seed);
  const { events } = await eventsOf(team.crew.stream(team.options));
  return { team, events, state: events.reduce(applyEvent, EMPTY_RUN) };
}

const keyOf = ({ path }: RunEvent): string => path.join("/");
const giversIn = ({ path }: RunEvent): readonly string[] =>
  path.filter((part) => part.startsWith("agent:"));
const totalOf = (
  parts: readonly {
    readonly usage: {
      readonly input: { readonly total: number };
      readonly output: { readonly total: number };
    };
  }[],
) =>
  parts.reduce(
    (sum, { usage }) => [(sum[0] ?? 0) + usage.input.total, (sum[1] ?? 0) + usage.output.total],
    [0, 0],
  );

describe("the events of any team", () => {
  it("come about in every way: led and not, delegated, sent back, asked, refused, failed", async () => {
    const counts = new Map<string, number>();
    for (const seed of SEEDS)
      for (const event of (await endedOf(seed)).events) {
        const kind =
          event.type === "delegation-start"
            ? `${event.type} ${event.kind}`
            : "status" in event
              ? `${event.type} ${event.status}`
              : event.type;
        counts.set(kind, (counts.get(kind) ?? 0) + 1);
      }

    for (const kind of [
      "delegation-start delegate",
      "delegation-start ask",
      "delegation-start send-back",
      "delegation-end done",
      "delegation-end failed",
      "ask-end",
      "guardrail-end refused",
      "hook-end blocked",
      "plan-end done",
      "plan-end failed",
      "task-end skipped",
      "run-end done",
      "run-end failed",
      "run-end cancelled",
    ])
      expect(counts.get(kind) ?? 0, kind).toBeGreaterThan(2);
  });

  it("begin with run-start, end with run-end, and nothing is yielded after it (R3)", async () => {
    for (const seed of SEEDS) {
      const types = (await endedOf(seed)).events.map(({ type }) => type);
      expect([types[0], types.at(-1)], `seed ${seed}`).toEqual(["run-start", "run-end"]);
      expect(types.filter((type) => type === "run-end")).toHaveLength(1);
    }
  });

  it("differ in (path, type, attempt, n), and are numbered without a gap", async () => {
    for (const seed of SEEDS) {
      const facts = (await endedOf(seed)).events.filter(({ type }) => type !== "model-delta");
      const keys = facts.map((event) =>
        [keyOf(event), event.type, event.attempt, event.n].join(" "),
      );
      expect(new Set(keys).size, `seed ${seed}`).toBe(keys.length);
      expect(
        facts.map(({ seq }) => seq),
        `seed ${seed}`,
      ).toEqual(facts.map((_, n) => n + 1));
    }
  });

  it("end each delegation once, also a cut one, after everything that happens in it (R1)", async () => {
    for (const seed of SEEDS) {
      const { events } = await endedOf(seed);
      const wrong = only(events, "delegation-start").filter(
        (start) => !isEndedRight(events, start),
      );
      expect(wrong, `seed ${seed}`).toEqual([]);
    }
  });

  it("are the same for the same seed, apart from times (R4)", async () => {
    for (const seed of SEEDS) {
      const first = (await endedOf(seed)).events.map(withoutTimes);
      const second = (await runOf(seed)).events.map(withoutTimes);
      expect(second, `seed ${seed}`).toEqual(first);
    }
  });
});

/** One end, behind all that it holds. */
function isEndedRight(events: readonly RunEvent[], start: RunEvent): boolean {
  const ends = only(events, "delegation-end").filter((end) => keyOf(end) === keyOf(start));
  const [end] = ends;
  const last = events.findLastIndex((event) => keyOf(event).startsWith(`${keyOf(start)}/agent:`));
  return end !== undefined && ends.length === 1 && events.indexOf(end) > last;
}

describe("the delegations of any team", () => {
  it("are at most maxDelegations for each work of an agent, and maxParallelDelegations at once", async () => {
    for (const seed of SEEDS) {
      const { events, team } = await endedOf(seed);
      const { maxDelegations, maxParallelDelegations } = team.crew;
      const most = mostDelegations(events);
      expect(most.inAll, `seed ${seed}`).toBeLessThanOrEqual(maxDelegations);
      expect(most.atOnce, `seed ${seed}`).toBeLessThanOrEqual(maxParallelDelegations);
    }
  });

  it("go no deeper than they may, and never to somebody who waits for them", async () => {
    for (const seed of SEEDS) {
      const { events, team } = await endedOf(seed);
      for (const event of events) {
        const givers = giversIn(event);
        expect(givers.length, `seed ${seed}`).toBeLessThanOrEqual(team.crew.maxDelegationDepth);
        expect(new Set(givers).size, `seed ${seed}`).toBe(givers.length);
      }
      for (const { agent, to } of only(events, "delegation-start"))
        expect(agent, `seed ${seed}`).not.toBe(to);
    }
  });
});

/** The most that one work of an agent has given away, and the most of that at once. */
function mostDelegations(events: readonly RunEvent[]): {
  readonly inAll: number;
  readonly atOnce: number;
} {
  const counts = new Map<string, { all: number; open: number }>();
  const most = { inAll: 0, atOnce: 0 };
  for (const event of events) {
    if (event.type !== "delegation-start" && event.type !== "delegation-end") continue;
    const asking = event.path.slice(0, -2).join("/");
    const { all, open } = counts.get(asking) ?? { all: 0, open: 0 };
    const isStart = event.type === "delegation-start";
    counts.set(asking, { all: all + (isStart ? 1 : 0), open: open + (isStart ? 1 : -1) });
    most.inAll = Math.max(most.inAll, counts.get(asking)?.all ?? 0);
    most.atOnce = Math.max(most.atOnce, counts.get(asking)?.open ?? 0);
  }
  return most;
}

describe("what any team costs", () => {
  it("is the sum over its agents, over its purposes, and what its models said (C2)", async () => {
    for (const seed of SEEDS) {
      const { team, state } = await endedOf(seed);
      const total = [state.usage.input.total, state.usage.output.total];
      expect(totalOf(Object.values(state.agents)), `agents of seed ${seed}`).toEqual(total);
      expect(totalOf(Object.values(state.purposes)), `purposes of seed ${seed}`).toEqual(total);
      expect(totalOf(team.spent), `models of seed ${seed}`).toEqual(total);
    }
  });

  it("is all of its tasks' and its planner's", async () => {
    for (const seed of SEEDS) {
      const { state } = await endedOf(seed);
      const parts = [
        ...Object.values(state.tasks),
        ...(state.purposes.plan ? [state.purposes.plan] : []),
      ];
      expect(totalOf(parts)[0], `seed ${seed}`).toBe(state.usage.input.total);
    }
  });
});
