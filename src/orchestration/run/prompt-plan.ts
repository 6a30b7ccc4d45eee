// What a run will send, before anything is sent: prompts by part, what does not fit, the heaviest moment, calls, tokens, cost. Pure.
//
// Every number is an estimate, and `notKnown` says what no number can hold.

import { nameOf } from "../../inference/model/endpoint.ts";
import { toKvBytesPerToken } from "../../inference/fleet/kv.ts";
import { findModel } from "../../inference/fleet/model-catalogue.ts";
import { toUsd } from "../../inference/model/price.ts";
import { estimateTokens } from "../../inference/model/tokens.ts";
import { allTasks, executorOf } from "../crew/cast.ts";
import type { RunLimits } from "../crew/run-limit.ts";
import type { Task } from "../crew/task.ts";
import { heaviestMoment } from "../plan/moment.ts";
import type { Plan } from "../plan/plan.ts";
import { type CallCount, countCalls, countTask, type Readers } from "./call-count.ts";
import { LEAST_TOKENS, limitOf } from "./fit.ts";
import type { Surroundings } from "./job.ts";
import { notKnownOf } from "./not-known.ts";
import type { PriceOf } from "./reservation.ts";
import {
  type KnownModels,
  type PartSize,
  sectionTokens,
  sizeTasks,
  splitInputs,
  type TaskSize,
} from "./task-size.ts";

/** How a prompt fits the smallest context of its models. "cut": earlier outputs will be shortened. */
export type PromptFit =
  | { readonly type: "unknown" }
  | { readonly type: "fits"; readonly contextTokens: number; readonly leftTokens: number }
  | { readonly type: "cut"; readonly contextTokens: number; readonly cutTokens: number }
  | { readonly type: "too-long"; readonly contextTokens: number; readonly excessTokens: number };

/** One task's first call. */
export type TaskPrompt = {
  readonly task: string;
  readonly agent: string;
  /** The model that is tried first. */
  readonly model: string;
  readonly parts: readonly PartSize[];
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly fit: PromptFit;
  readonly calls: CallCount;
};

/** The KV cache that one model needs at the heaviest moment. `bytes`: in bf16, on one GPU; absent for a model that no catalogue has. */
export type KvDemand = {
  readonly model: string;
  readonly tokens: number;
  readonly bytes?: number | undefined;
};

/** What a run will send. Plain JSON. */
export type PromptPlan = {
  readonly crew: string;
  readonly process: string;
  readonly tasks: readonly TaskPrompt[];
  /** `isLarge`: over 2,000 tokens. */
  readonly inputs: readonly {
    readonly name: string;
    readonly tokens: number;
    readonly isLarge: boolean;
  }[];
  /** The tasks that can run at once and take most tokens together: their prompts and answers. */
  readonly widest: {
    readonly tasks: readonly string[];
    readonly tokens: number;
    readonly isExact: boolean;
    readonly kv: readonly KvDemand[];
  };
  readonly calls: CallCount;
  /** least: each prompt once, without earlier outputs and answers. expected: with them. */
  readonly tokens: { readonly least: number; readonly expected: number };
  readonly cost:
    | { readonly type: "estimated"; readonly currency: "USD"; readonly amount: number }
    | { readonly type: "unknown"; readonly models: readonly string[] };
  readonly limits: RunLimits;
  /** Nothing is too long, and the least of it does not pass the limits. */
  readonly isFit: boolean;
  readonly notKnown: readonly string[];
};

/** What a plan of prompts is made of. */
export type Previewed = Surroundings & {
  readonly plan: Plan;
  readonly priceOf: PriceOf;
  readonly limits: RunLimits;
};

export function planPrompts(run: Previewed, known: KnownModels): PromptPlan {
  const sizes = sizeTasks(run, known);
  const outputs = new Map(sizes.map(({ name, outputTokens }) => [name, outputTokens]));
  const readers = readersOf(run);
  const tasks = sizes.map((size) => toTaskPrompt(run, size, { known, outputs, readers }));
  const needed = run.crew.tasks.filter(({ when }) => when === undefined);
  const least = sizes
    .filter(({ name }) => needed.some((task) => task.name === name))
    .reduce((sum, { parts }) => sum + parts.reduce((all, { tokens }) => all + tokens, 0), 0);
  const expected = sizes.reduce((sum, size) => sum + size.promptTokens + size.outputTokens, 0);
  const isTooLong = tasks.some(({ fit }) => fit.type === "too-long");
  return {
    crew: run.crew.name,
    process: run.crew.process,
    tasks,
    inputs: inputsOf(run),
    widest: widestOf(run.plan, sizes, known),
    calls: countCalls(run.crew, readers),
    tokens: { least, expected },
    cost: costOf(sizes, run.priceOf),
    limits: run.limits,
    isFit: !isTooLong && least <= (run.limits.tokensPerRun ?? Infinity),
    notKnown: notKnownOf(run.crew, readers),
  };
}

/** Tasks and stand-ins that name an input which they search and read with tools. */
function readersOf({ crew, documents }: Previewed): Readers {
  const isReader = (task: Task): boolean => {
    const { role, goal, backstory } = executorOf(task, crew);
    const texts = [task.description, task.expectedOutput, role, goal, backstory];
    return documents.of(texts).some(({ fit }) => fit === undefined);
  };
  return new Set(allTasks(crew.tasks).filter(isReader));
}

/** What a prompt is looked at with. */
type Sized = {
  readonly known: KnownModels;
  readonly outputs: ReadonlyMap<string, number>;
  readonly readers: Readers;
};

function toTaskPrompt(
  run: Previewed,
  size: TaskSize,
  { known, outputs, readers }: Sized,
): TaskPrompt {
  const task = run.crew.tasks.find(({ name }) => name === size.name);
  const sections = size.context.map((name) => ({
    part: `context:${name}`,
    tokens: sectionTokens(name, outputs.get(name)),
  }));
  const own = task ? splitInputs(run, task, size.parts) : size.parts;
  return {
    task: size.name,
    agent: size.agent,
    model: nameOf(size.models[0]),
    parts: [...own, ...sections],
    promptTokens: size.promptTokens,
    answerTokens: size.answerTokens,
    fit: fitOf(size, sections, known),
    calls: task ? countTask(run.crew, task, readers) : { least: 0, most: 0 },
  };
}

/** Sections can be cut down to a rest (fit.ts); nothing else of a first prompt can. */
function fitOf(
  { models, promptTokens, answerTokens }: TaskSize,
  sections: readonly PartSize[],
  known: KnownModels,
): PromptFit {
  const contexts = models.map(known.contextOf).filter((tokens) => tokens !== undefined);
  if (contexts.length === 0) return { type: "unknown" };
  const contextTokens = Math.min(...contexts);
  const left = limitOf({ contextTokens, reservedTokens: answerTokens }) - promptTokens;
  if (left >= 0) return { type: "fits", contextTokens, leftTokens: left };
  const cuttable = sections.reduce(
    (sum, { tokens }) => sum + Math.max(0, tokens - LEAST_TOKENS),
    0,
  );
  return cuttable + left >= 0
    ? { type: "cut", contextTokens, cutTokens: -left }
    : { type: "too-long", contextTokens, excessTokens: -left - cuttable };
}

function inputsOf({ inputs, crew }: Previewed): PromptPlan["inputs"] {
  return Object.entries(inputs).map(([name, value]) => {
    const tokens = estimateTokens(typeof value === "string" ? value : JSON.stringify(value));
    return { name, tokens, isLarge: tokens > crew.inlineTokens };
  });
}

function widestOf(
  plan: Plan,
  sizes: readonly TaskSize[],
  known: KnownModels,
): PromptPlan["widest"] {
  const byName = new Map(sizes.map((size) => [size.name, size]));
  const weightOf = (name: string): number => {
    const { promptTokens = 0, answerTokens = 0 } = byName.get(name) ?? {};
    return promptTokens + answerTokens;
  };
  const { tasks, weight, isExact } = heaviestMoment(plan, weightOf);
  const demands = new Map<string, KvDemand>();
  for (const name of tasks) {
    const ref = byName.get(name)?.models[0];
    if (ref === undefined) continue;
    const model = nameOf(ref);
    const tokens = weightOf(name) + (demands.get(model)?.tokens ?? 0);
    demands.set(model, { model, tokens, bytes: kvBytes(known.servedName?.(ref), tokens) });
  }
  return { tasks, tokens: weight, isExact, kv: [...demands.values()] };
}

function kvBytes(name: string | undefined, tokens: number): number | undefined {
  const choice = name === undefined ? undefined : findModel(name);
  return choice && tokens * toKvBytesPerToken(choice.model, "bf16");
}

/** What each task costs once, at the model that is tried first. */
function costOf(sizes: readonly TaskSize[], priceOf: PriceOf): PromptPlan["cost"] {
  const unpriced = sizes.flatMap(({ models: [first] }) =>
    priceOf(first) === undefined ? [nameOf(first)] : [],
  );
  if (unpriced.length > 0) return { type: "unknown", models: [...new Set(unpriced)] };
  const amount = sizes.reduce((sum, { models: [first], promptTokens, outputTokens }) => {
    const price = priceOf(first);
    const usage = {
      input: { total: promptTokens, cached: undefined },
      output: { total: outputTokens, reasoning: undefined },
      source: "estimated",
    } as const;
    return sum + (price ? toUsd(price, usage) : 0);
  }, 0);
  return { type: "estimated", currency: "USD", amount };
}
