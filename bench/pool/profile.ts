// The workloads and GPUs of the sections, by name.

import type { TwinSetup } from "../../src/twin.ts";
import type { Profile } from "./workload.ts";

/** Crews of 2 and of 20 calls, each call 2,000 tokens in and 500 out, 3 s of tools between: nothing is shared but 500 tokens of system. */
export function mixedCrews(longShare: number): Profile {
  return {
    name: `${longShare * 100} % long`,
    agents: 8,
    systemTokens: 500,
    taskTokens: 1_500,
    toolTokens: 0,
    outputTokens: 500,
    outputCv: 0.3,
    gapMs: 3_000,
    short: { tasks: 2, calls: 1 },
    long: { tasks: 20, calls: 1 },
    longShare,
  };
}

/** Agents with long system prompts (a role, rules and tools) and loops that grow: what prefix caches are for. */
export const SHARED: Profile = {
  name: "shared prompts",
  agents: 24,
  systemTokens: 3_000,
  taskTokens: 300,
  toolTokens: 400,
  outputTokens: 120,
  outputCv: 0.5,
  gapMs: 3_000,
  short: { tasks: 1, calls: 2 },
  long: { tasks: 5, calls: 4 },
  longShare: 0.3,
};

/** The same with what coding and research agents send: prompts of many tools, tool results of a page, short answers that call the next tool. */
export const LOOPS: Profile = {
  ...SHARED,
  name: "agent loops",
  systemTokens: 4_000,
  toolTokens: 800,
  outputTokens: 80,
};

/** Qwen3-32B in FP8 with an FP8 cache on an L40S, its cache cut to 36k tokens as in the prototype. */
export const L40S: TwinSetup = {
  gpu: "L40S",
  model: "Qwen/Qwen3-32B-FP8",
  kvCacheDtype: "fp8",
  maxModelLen: 16_384,
  gpuMemoryUtilization: 0.85,
};

/** The same with the whole of its cache, 61k tokens. */
export const L40S_FULL: TwinSetup = { ...L40S, gpuMemoryUtilization: 0.92 };

/** The same with more cache than an L40S has beside the weights, so that the mixed crews never fill it: a yardstick, no GPU. */
export const L40S_ENDLESS: TwinSetup = { ...L40S, gpuMemoryUtilization: 0.98 };

/** Five tasks in a row, each of four calls with half a minute for an answer. */
export const CHAIN: Profile = {
  ...mixedCrews(1),
  name: "five tasks in a row",
  agents: 5,
  toolTokens: 300,
  long: { tasks: 5, calls: 4 },
};
