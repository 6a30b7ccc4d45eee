import { describe, expect, it } from "vitest";
import type { RouteName } from "../../../src/inference/pool/deployment.ts";
import { type Candidate, createRoute } from "../../../src/inference/pool/route.ts";
import { createRandom } from "../../../src/inference/twin/random.ts";
import { endOf, requestOf, twinFleet } from "./twin-fleet.ts";

const candidate = (place: number, fields: Partial<Candidate> = {}): Candidate => ({
  place,
  name: `gpu-${place}`,
  inFlight: 0,
  kvShare: () => 0,
  hitTokens: 0,
  estimateMs: 0,
  prefillMs: 0,
  ...fields,
});
const VIEW = { session: "r", random: () => 0 };

describe("routes", () => {
  it("round-robin takes one after the other, also while some are missing", () => {
    const route = createRoute("round-robin");
    const all = [candidate(0), candidate(1), candidate(2)] as const;

    expect([0, 1, 2, 3].map(() => route(all, VIEW).place)).toEqual([0, 1, 2, 0]);
    expect(route([all[0], all[2]], VIEW).place).toBe(2);
  });

  it.each([
    ["least-outstanding", { inFlight: 1 }, { inFlight: 2 }],
    ["least-kv", { kvShare: () => 0.1 }, { kvShare: () => 0.2 }],
    ["cost", { estimateMs: 10 }, { estimateMs: 20 }],
    ["cost", { estimateMs: 15, inFlight: 4 }, { estimateMs: 10, prefillMs: 2, inFlight: 4 }],
    ["prefix-affinity", { hitTokens: 64, inFlight: 1 }, { hitTokens: 0, inFlight: 0 }],
    ["prefix-affinity", { hitTokens: 0, inFlight: 0 }, { hitTokens: 64, inFlight: 9 }],
  ] as const)("%s prefers %j to %j", (name, better, worse) => {
    const route = createRoute(name);

    expect(route([candidate(0, worse), candidate(1, better)], VIEW).place).toBe(1);
  });

  it("power-of-two looks at two and takes the one with less in flight", () => {
    const route = createRoute("power-of-two");
    const all = [candidate(0, { inFlight: 5 }), candidate(1, { inFlight: 1 })] as const;
    const random = createRandom(1);
    const chosen = Array.from({ length: 100 }, () => route(all, { ...VIEW, random }).place);

    expect(chosen.filter((place) => place === 1).length).toBeGreaterThan(60);
  });

  it("session stays at one endpoint, and only the sessions of one that leaves move", () => {
    const route = createRoute("session");
    const all = [candidate(0), candidate(1), candidate(2), candidate(3)] as const;
    const [, ...left] = all;
    const sessions = Array.from({ length: 200 }, (_, index) => `run ${index}`);
    const placeOf = (among: readonly [Candidate, ...Candidate[]]) => (session: string) =>
      route(among, { ...VIEW, session }).place;

    const before = sessions.map(placeOf(all));
    const after = sessions.map(placeOf([left[0] ?? all[1], ...left.slice(1)]));

    expect(new Set(before).size).toBe(4);
    expect(before.filter((place, at) => place !== 0 && place !== after[at])).toEqual([]);
  });

  it.each<RouteName>(["cost", "prefix-affinity"])(
    "%s sends agents with one system prompt where it is cached",
    async (route) => {
      expect(await cachedBy(route)).toBeGreaterThan(1.4 * (await cachedBy("least-outstanding")));
    },
  );
});

/** Tokens of prompts that came from a cache, when three of five agents ask in each of ten rounds. */
async function cachedBy(by: RouteName): Promise<number> {
  const fleet = twinFleet({ replicas: 4, blocks: 2_048, deployment: { route: by } });
  const agents = ["analyst", "writer", "editor", "critic", "judge"];
  for (let turn = 0; turn < 10; turn++)
    await Promise.all(
      [0, 1, 2].map((at) => {
        const agent = agents[(turn * 2 + at) % agents.length] ?? "";
        const text = `You are the ${agent}. `.repeat(120);
        return endOf(fleet, requestOf(600, { runId: `${agent} ${turn}` }, text));
      }),
    );
  return fleet.cachedTokens();
}
