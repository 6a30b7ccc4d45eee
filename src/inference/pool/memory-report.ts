// Why an endpoint ran out of memory: which of three patterns it is, by what evidence, and the one setting to change. Pure.
//
//   first-request  nothing of this size ever went well there: the model, or the prompt, is too large for it
//   growth         it went well for many runs and less is left with each: prompts grow, or the engine keeps what it should free
//   load           each request fits, all together do not
//
// What is full has too much in flight whether or not prompts grow too, so load is asked before growth where the budget is known; where
// it is not, load is what is left: more at once than ever went well.

import type { JsonObject } from "../../json.ts";
import type { Growth, MemoryFacts } from "./memory-fact.ts";
import { countSetting, contextSetting, firstSetting, type Setting } from "./memory-setting.ts";

export type MemoryPattern = "first-request" | "growth" | "load" | "unknown";

export type MemoryReport = {
  readonly pattern: MemoryPattern;
  /** Numbers with what they count, one line each; at most 5. */
  readonly evidence: readonly string[];
  readonly setting: Setting;
};

/** The part of a KV budget in use that makes it the reason. */
const FULL = 0.8;
/** A growth counts from this many steps, at this fit, when it is this large in relation to its start. */
const MIN_STEPS = 4;
const MIN_FIT = 0.5;
const MIN_RISE = 0.5;
/** Runs after which an engine that fails at what it did before is taken for one that leaks. */
const MANY_RUNS = 10;

export function planMemoryReport(facts: MemoryFacts): MemoryReport {
  const { failed, best, calls, kvTokens = Infinity } = facts;
  if (facts.isTooLarge) return firstReport(facts, "it says so by itself");
  if (kvTokens < failed.promptTokens) return firstReport(facts, "the prompt is above the budget");
  if (failed.inFlight > 1 && failed.tokensInFlight >= kvTokens * FULL) return loadReport(facts);
  if (calls === 0) return unprovenReport(facts);
  if (isGrowth(facts.inRun) && failed.promptTokens >= best.promptTokens) return inRunReport(facts);
  if (isGrowth(facts.overRuns)) return overRunsReport(facts);
  return failed.inFlight > 1 ? sharedReport(facts) : aloneReport(facts);
}

/** Nothing went well there yet: of many calls together nobody can say whether one alone would have. */
function unprovenReport(facts: MemoryFacts): MemoryReport {
  return facts.failed.inFlight > 1
    ? unknownReport(facts)
    : firstReport(facts, "no call has gone well there yet");
}

function sharedReport(facts: MemoryFacts): MemoryReport {
  const { failed, best } = facts;
  const isMore = failed.tokensInFlight > best.tokensInFlight || failed.inFlight > best.inFlight;
  return isMore ? loadReport(facts) : leakReport(facts);
}

function aloneReport(facts: MemoryFacts): MemoryReport {
  const { failed, best } = facts;
  return failed.promptTokens > best.promptTokens
    ? firstReport(facts, `the longest prompt that went well has ${best.promptTokens} tokens`)
    : leakReport(facts);
}

/** A report in one paragraph, for an error's message. */
export function tellMemoryReport({ pattern, evidence, setting }: MemoryReport): string {
  return `${TITLES[pattern]}: ${evidence.join("; ")}. Change one setting: ${setting.name} to ${setting.value}`;
}

/** A report as an error's details carry it. */
export function toMemoryDetails({ pattern, evidence, setting }: MemoryReport): JsonObject {
  return { pattern, evidence, setting: { name: setting.name, value: setting.value } };
}

const TITLES: Readonly<Record<MemoryPattern, string>> = {
  "first-request": "Out of memory on a first request",
  growth: "Out of memory after growth",
  load: "Out of memory under load",
  unknown: "Out of memory",
};

function firstReport(facts: MemoryFacts, why: string): MemoryReport {
  return {
    pattern: "first-request",
    evidence: [failedLine(facts), why, ...budgetLine(facts)],
    setting: firstSetting(facts),
  };
}

function loadReport(facts: MemoryFacts): MemoryReport {
  return {
    pattern: "load",
    evidence: [failedLine(facts), bestLine(facts), ...budgetLine(facts)],
    setting: countSetting(facts),
  };
}

function inRunReport(facts: MemoryFacts): MemoryReport {
  const { inRun, best } = facts;
  const { first, perStep } = inRun ?? NO_GROWTH;
  const turns = Math.max(1, Math.floor((best.promptTokens - first) / Math.max(1, perStep)));
  return {
    pattern: "growth",
    evidence: [failedLine(facts), growthLine("call of the run", inRun), bestLine(facts)],
    setting: { name: "the agent's maxIterations", value: String(turns) },
  };
}

function overRunsReport(facts: MemoryFacts): MemoryReport {
  const { overRuns, failed, runs } = facts;
  const { first } = overRuns ?? NO_GROWTH;
  return {
    pattern: "growth",
    evidence: [failedLine(facts), `${runs} runs`, growthLine("run", overRuns)],
    setting: contextSetting(failed.promptTokens - first),
  };
}

/** It fails at what it did before. After many runs the engine keeps memory that it should free; before, nobody knows. */
function leakReport(facts: MemoryFacts): MemoryReport {
  const { runs } = facts;
  if (runs < MANY_RUNS) return unknownReport(facts);
  return {
    pattern: "growth",
    evidence: [failedLine(facts), bestLine(facts), `${runs} runs without growth of the prompts`],
    setting: {
      name: "a restart of the engine",
      value: `every ${Math.floor(runs * FULL)} runs`,
    },
  };
}

function unknownReport(facts: MemoryFacts): MemoryReport {
  const isShared = facts.failed.inFlight > 1;
  return {
    pattern: "unknown",
    evidence: [failedLine(facts), bestLine(facts), ...budgetLine(facts)],
    setting: isShared ? countSetting(facts) : firstSetting(facts),
  };
}

function isGrowth(growth: Growth | undefined): boolean {
  if (growth === undefined || growth.steps < MIN_STEPS || growth.fit < MIN_FIT) return false;
  return growth.perStep * (growth.steps - 1) >= Math.max(1, growth.first) * MIN_RISE;
}

const NO_GROWTH: Growth = { steps: 0, first: 0, last: 0, perStep: 0, fit: 0 };

function failedLine({ failed }: MemoryFacts): string {
  const { promptTokens, tokensInFlight, inFlight } = failed;
  return `it failed with a prompt of ${promptTokens} tokens, ${inFlight} calls and ${tokensInFlight} tokens in flight`;
}

function bestLine({ best, calls }: MemoryFacts): string {
  return `${calls} calls went well, with up to ${best.promptTokens} prompt tokens, ${best.inFlight} calls and ${best.tokensInFlight} tokens in flight`;
}

function growthLine(step: string, growth: Growth | undefined): string {
  const { steps, first, last, perStep } = growth ?? NO_GROWTH;
  return `its prompts grew from ${first} to ${last} tokens, by ${Math.round(perStep)} with each ${step} of ${steps}`;
}

function budgetLine({ kvTokens }: MemoryFacts): readonly string[] {
  return kvTokens === undefined ? [] : [`its budget is ${kvTokens} tokens`];
}
