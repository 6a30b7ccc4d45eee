import { describe, expect, it } from "vitest";
import {
  calibrateReserve,
  DEFAULT_RESERVE,
  planMemory,
  readKvCacheTokens,
  toReserveBytes,
} from "../../../src/fleet.ts";
import { failureOf } from "./failure-of.ts";

const GIB = 2 ** 30;
const PLANNED = { tokens: 30_000, kvBytesPerToken: 262_144 };

describe("the default reserve", () => {
  it("is 2 GiB in all", () => {
    expect(toReserveBytes(DEFAULT_RESERVE)).toBe(2 * GIB);
  });
});

describe("readKvCacheTokens", () => {
  it.each([
    ["INFO 08-18 [kv_cache_utils.py:716] GPU KV cache size: 457,343 tokens\n", 457_343],
    ["first\nGPU KV cache size: 736 tokens", 736],
    ["Maximum concurrency for 4,096 tokens per request: 111.66x", undefined],
    ["", undefined],
  ])("reads %j", (log, tokens) => {
    expect(readKvCacheTokens(log)).toBe(tokens);
  });

  it("reads what a plan prints", () => {
    const plan = planMemory({ gpu: "H200", model: "Llama-3.1-8B" });

    expect(plan.type === "fits" && readKvCacheTokens(plan.log.join("\n"))).toBe(
      plan.type === "fits" && plan.kvTokens,
    );
  });
});

describe("calibrateReserve", () => {
  it("takes what the server has less than planned for reserve", () => {
    const reserve = calibrateReserve(DEFAULT_RESERVE, PLANNED, 28_000);

    expect(toReserveBytes(reserve) / GIB).toBeCloseTo(2.488, 3);
    expect(reserve.activationBytes / reserve.cudaGraphBytes).toBeCloseTo(2);
  });

  it("makes the next plan agree with the log", () => {
    const ask = { gpu: "L40S", model: "Qwen/Qwen3-32B-FP8", maxModelLen: 4096 };
    const { use } = planMemory(ask);
    const tokens = use.poolBytes / use.kvBytesPerToken;

    const reserve = calibrateReserve(DEFAULT_RESERVE, { ...use, tokens }, 25_600);

    expect(planMemory({ ...ask, reserve })).toMatchObject({ type: "fits", kvTokens: 25_600 });
  });

  it("refuses a log that no reserve explains, and says what to compare", () => {
    const error = failureOf(() => calibrateReserve(DEFAULT_RESERVE, PLANNED, 60_000));

    expect(error.code).toBe("fleet/invalid");
    expect(error.message).toMatch(/60000 tokens.*gpuMemoryUtilization/);
  });

  it("refuses numbers that are none", () => {
    const nothing = { activationBytes: 0, cudaGraphBytes: 0, nonTorchBytes: 0 };

    expect(failureOf(() => calibrateReserve(DEFAULT_RESERVE, PLANNED, NaN)).code).toBe(
      "fleet/invalid",
    );
    expect(failureOf(() => calibrateReserve(nothing, PLANNED, 28_000)).code).toBe("fleet/invalid");
  });
});
