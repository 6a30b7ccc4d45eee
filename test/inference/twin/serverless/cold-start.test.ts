import { describe, expect, it } from "vitest";
import { createRandom } from "../../../../src/inference/twin/random.ts";
import {
  drawStages,
  drawStart,
  vllmColdStart,
} from "../../../../src/inference/twin/serverless/cold-start.ts";

/** Qwen3-32B in fp8 (docs/kv-cache-sizing.md). */
const WEIGHT_BYTES = 34.32e9;

const weightsMs = (readBytesPerSecond?: number) =>
  vllmColdStart({ weightBytes: WEIGHT_BYTES, readBytesPerSecond }).stages.find(
    ({ name }) => name === "weights",
  )?.meanMs;

describe("vllmColdStart", () => {
  it("adds up to the 48 s of a full reload for small models", () => {
    const { stages } = vllmColdStart({ weightBytes: (1.2e9 + 8.3e9) / 2 });
    const startMs = stages
      .filter(({ part }) => part === "start")
      .reduce((sum, { meanMs }) => sum + meanMs, 0);

    expect(startMs).toBeGreaterThan(43_000);
    expect(startMs).toBeLessThan(53_000);
  });

  it("reads 34.32 GB in 34 s at 1 GB/s and in 7 s at 5 GB/s", () => {
    expect(weightsMs()).toBeCloseTo(34_320);
    expect(weightsMs(5e9)).toBeCloseTo(6_864);
  });

  it("compiles for 39 s when no graph was kept", () => {
    const { stages } = vllmColdStart({ weightBytes: 1, isCompiled: false });

    expect(stages.find(({ name }) => name === "compile")?.meanMs).toBe(39_000);
  });

  it("says a source for each stage", () => {
    const { stages } = vllmColdStart({ weightBytes: 1 });

    expect(stages.filter(({ source }) => source === "")).toEqual([]);
  });
});

describe("drawStart", () => {
  it("is a mixture: hits within the range of snapshots, misses with all stages", () => {
    const coldStart = vllmColdStart({ weightBytes: WEIGHT_BYTES, flashBootHitProbability: 0.8 });
    const random = createRandom(1);

    const starts = Array.from({ length: 10_000 }, () => drawStart(coldStart, true, random));

    const hits = starts.filter(({ type }) => type === "snapshot");
    expect(hits.length / starts.length).toBeCloseTo(0.8, 1);
    expect(hits.every(({ ms }) => ms >= 600 && ms <= 2_000)).toBe(true);
    expect(starts.every(({ type, ms }) => type === "snapshot" || ms > 40_000)).toBe(true);
  });

  it("never hits on a host where the worker has not run, nor with FlashBoot off", () => {
    const random = createRandom(1);
    const always = vllmColdStart({ weightBytes: 1, flashBootHitProbability: 1 });
    const off = vllmColdStart({ weightBytes: 1, flashBootHitProbability: undefined });

    expect(drawStart(always, false, random).type).toBe("cold");
    expect(drawStart(off, true, random).type).toBe("cold");
  });

  it("keeps the mean of each stage over many draws, and gives the same for the same seed", () => {
    const coldStart = vllmColdStart({ weightBytes: WEIGHT_BYTES });
    const draw = (seed: number) => {
      const random = createRandom(seed);
      return Array.from({ length: 5_000 }, () => drawStages(coldStart, "initialise", random).ms);
    };

    const times = draw(7);

    expect(times.reduce((sum, ms) => sum + ms, 0) / times.length / 63_000).toBeCloseTo(1, 1);
    expect(draw(7)).toEqual(times);
    expect(draw(8)).not.toEqual(times);
  });
});
