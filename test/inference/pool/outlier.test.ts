import { describe, expect, it } from "vitest";
import { createOutliers, type Outliers } from "../../../src/inference/pool/outlier.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

const NAMES = ["a", "b", "c", "d", "e", "f"] as const;

/** `calls` calls at each endpoint in turn; `pace` = ms per token of one, undefined = it fails. */
function play(
  outliers: Outliers,
  names: readonly string[],
  { calls, now, pace }: { calls: number; now: number; pace: (name: string) => number | undefined },
): void {
  for (let n = 0; n < calls; n++)
    for (const name of names) {
      const ms = pace(name);
      if (ms === undefined) outliers.onFailure(name, now);
      else
        outliers.onSuccess(name, {
          now,
          firstTokenMs: ms * 1_000 * (1 + n),
          promptTokens: 1_000 * (1 + n),
        });
    }
}

const ejected = (outliers: Outliers, names: readonly string[], now: number): readonly string[] =>
  names.filter((name) => outliers.isEjected(name, now));

describe("createOutliers", () => {
  it("ejects one that takes more than 3 times as long per prompt token, for 30 s", () => {
    const outliers = createOutliers(NAMES);

    play(outliers, NAMES, { calls: 40, now: 0, pace: (name) => (name === "b" ? 4 : 1) });

    expect(ejected(outliers, NAMES, 1)).toEqual(["b"]);
    expect(outliers.returnsAt("b", 1)).toBe(30_000);
    expect(ejected(outliers, NAMES, 30_000)).toEqual([]);
  });

  it("ejects one that fails far more often", () => {
    const outliers = createOutliers(NAMES);

    play(outliers, NAMES, { calls: 40, now: 0, pace: (name) => (name === "c" ? undefined : 1) });

    expect(ejected(outliers, NAMES, 1)).toEqual(["c"]);
  });

  it.each([
    ["one that is slower, but not far", NAMES, 40, (name: string) => (name === "b" ? 2.5 : 1)],
    ["all that are slow together", NAMES, 40, () => 50],
    ["all that fail together", NAMES, 40, () => undefined],
    ["three times next to nothing", NAMES, 40, (name: string) => (name === "b" ? 0.19 : 0.001)],
    ["after too few samples", NAMES, 9, (name: string) => (name === "b" ? 9 : 1)],
    ["one of two", NAMES.slice(0, 2), 40, (name: string) => (name === "b" ? 9 : 1)],
  ])("leaves %s", (_, names, calls, pace) => {
    const outliers = createOutliers(names);

    play(outliers, names, { calls, now: 0, pace });

    expect(ejected(outliers, names, 1)).toEqual([]);
  });

  it("ejects at most a third, here the first two of three", () => {
    const outliers = createOutliers(NAMES);

    play(outliers, NAMES, { calls: 200, now: 0, pace: (name) => ("abe".includes(name) ? 40 : 1) });

    expect(ejected(outliers, NAMES, 1)).toHaveLength(2);
  });

  it("doubles the rest of one that comes back as it went, up to 5 minutes", () => {
    const outliers = createOutliers(NAMES);
    const rests: number[] = [];
    let now = 0;

    for (let n = 0; n < 6; n++) {
      play(outliers, NAMES, { calls: 40, now, pace: (name) => (name === "b" ? 9 : 1) });
      const until = outliers.returnsAt("b", now) ?? now;
      rests.push(until - now);
      now = until;
    }

    expect(rests).toEqual([30_000, 60_000, 120_000, 240_000, 300_000, 300_000]);
  });

  it("begins with a short rest after a long good time", () => {
    const outliers = createOutliers(NAMES);
    const bad = (now: number): number => {
      play(outliers, NAMES, { calls: 40, now, pace: (name) => (name === "b" ? 9 : 1) });
      return (outliers.returnsAt("b", now) ?? now) - now;
    };

    expect([bad(0), bad(30_000), bad(1_000_000)]).toEqual([30_000, 60_000, 30_000]);
  });

  it("never ejects more than a third, whatever happens", () => {
    const random = seeded(11);
    const outliers = createOutliers(NAMES);
    for (let now = 0; now < 2_000_000; now += 100) {
      const name = NAMES[Math.floor(random() ** 2 * NAMES.length)] ?? "a";
      if (random() < 0.3) outliers.onFailure(name, now);
      else
        outliers.onSuccess(name, { now, firstTokenMs: random() ** 4 * 50_000, promptTokens: 500 });
      expect(ejected(outliers, NAMES, now).length).toBeLessThanOrEqual(2);
    }
  });

  it("knows nothing of an endpoint that it was not told of", () => {
    const outliers = createOutliers(NAMES);

    outliers.onFailure("z", 0);

    expect(outliers.isEjected("z", 0)).toBe(false);
  });
});
