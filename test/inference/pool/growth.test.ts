import { describe, expect, it } from "vitest";
import { type Growing, peakOf } from "../../../src/inference/pool/growth.ts";
import { createRandom } from "../../../src/inference/twin/random.ts";

describe("the peak of calls that grow", () => {
  it("is what is held when the fullest moment comes, as in the worked example", () => {
    const calls = [
      { heldTokens: 100, leftTokens: 50 },
      { heldTokens: 200, leftTokens: 10 },
    ];

    expect(peakOf(calls)).toBe(100 + 10 + 200 + 10);
  });

  it("is nothing for no call, and a call's own end for one alone", () => {
    expect(peakOf([])).toBe(0);
    expect(peakOf([{ heldTokens: 30, leftTokens: 12 }])).toBe(42);
  });

  it("is what a simulation token by token comes to (200 random sets)", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = createRandom(seed);
      const calls = Array.from({ length: 1 + Math.floor(random() * 20) }, () => ({
        heldTokens: Math.floor(random() * 500),
        leftTokens: Math.floor(random() * 100),
      }));

      expect(peakOf([...calls]), `seed ${seed}`).toBe(simulated(calls));
    }
  });
});

function simulated(calls: readonly Growing[]): number {
  let peak = 0;
  for (let step = 0; step <= 100; step++) {
    const there = calls.filter(({ leftTokens }) => leftTokens >= step);
    peak = Math.max(
      peak,
      there.reduce((sum, { heldTokens }) => sum + heldTokens + step, 0),
    );
  }
  return peak;
}
