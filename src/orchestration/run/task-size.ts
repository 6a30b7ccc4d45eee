// How large a task's first prompt and its answer are, before anything is asked. Pure: counts the texts that the run itself would send.
//
// Counts are estimates. What only a run can know is not in them: tools' results, further turns, work that is given away.

import {
  type ModelRef,
  type ModelSettings,
  thinkingTokens,
} from "../../inference/model/endpoint.ts";
import { estimateTokens } from "../../inference/model/tokens.ts";
import type { Task } from "../crew/task.ts";
import type { Plan, PlanTask } from "../plan/plan.ts";
import type { Surroundings } from "./job.ts";
import { toPromptParts } from "./prompt.ts";
import { DEFAULT_MAX_TOKENS } from "./room.ts";
import { answerTokens } from "./reservation.ts";
import { openTask } from "./task.ts";

/** What is known of the models: nothing of it is asked here. */
export type KnownModels = {
  /** Context in tokens; undefined = not known. */
  readonly contextOf: (ref: ModelRef) => number | undefined;
  /** How a model is asked unless an agent or a task says otherwise. */
  readonly settingsOf: (ref: ModelRef) => ModelSettings;
  /** The name under which it is served; undefined = not known. */
  readonly servedName?: ((ref: ModelRef) => string | undefined) | undefined;
  /** Tokens of an answer as expected, thinking excluded; undefined = what maxTokens allows. */
  readonly expectedOf?: ((agent: string, task: string) => number | undefined) | undefined;
};

/** A part of a prompt. */
export type PartSize = { readonly part: string; readonly tokens: number };

/** One task's first call. */
export type TaskSize = {
  readonly name: string;
  readonly agent: string;
  readonly models: readonly [ModelRef, ...ModelRef[]];
  /** System text, tools, the task's own text, inputs filled in; outputs of earlier tasks are not in it. */
  readonly parts: readonly PartSize[];
  /** Earlier tasks whose outputs it sees. */
  readonly context: readonly string[];
  /** Tokens of all parts and of those outputs, as expected. */
  readonly promptTokens: number;
  /** Reserved for the answer, thinking included. */
  readonly answerTokens: number;
  /** Of the answer's text, as expected: what later tasks see. */
  readonly outputTokens: number;
};

/** Sizes of a crew's tasks, in plan order. O(tasks + context edges). */
export function sizeTasks(
  run: Surroundings & { readonly plan: Plan },
  known: KnownModels,
): readonly TaskSize[] {
  const tasks = new Map(run.crew.tasks.map((task) => [task.name, task]));
  const firsts = run.plan.tasks.flatMap((planned, index) => {
    const task = tasks.get(planned.name);
    return task ? [{ planned, index, size: sizeAlone(run, task, known) }] : [];
  });
  const outputs = new Map(firsts.map(({ size }) => [size.name, size.outputTokens]));
  return firsts.map(({ planned, index, size }) => {
    const context = contextOf(run.plan, planned, index);
    const seen = context.reduce((sum, name) => sum + sectionTokens(name, outputs.get(name)), 0);
    return { ...size, context, promptTokens: size.promptTokens + seen };
  });
}

/** Tokens of an earlier output in a prompt, its heading included. */
export function sectionTokens(name: string, outputTokens: number = 0): number {
  return estimateTokens(`## ${name}\n\n\n`) + outputTokens;
}

/** The outputs that a task sees: those that it names, or all before it. */
function contextOf({ tasks }: Plan, { context }: PlanTask, index: number): readonly string[] {
  return context === "all" ? tasks.slice(0, index).map(({ name }) => name) : context;
}

function sizeAlone(run: Surroundings, task: Task, known: KnownModels): Omit<TaskSize, "context"> {
  const opened = openTask(run, task);
  const { agent, models, settings, toolSpecs } = opened;
  const parts = toPromptParts(opened.conversation, toolSpecs).map(({ part, tokens }) => ({
    part,
    tokens,
  }));
  const answers = models.map((ref) => {
    const context = known.contextOf(ref) ?? Infinity;
    const defaultMaxTokens = Math.min(DEFAULT_MAX_TOKENS, Math.floor(context / 4));
    const far = known.settingsOf(ref);
    const thinking = thinkingTokens(settings.thinking ?? far.thinking);
    return { most: answerTokens(settings, far, defaultMaxTokens), thinking };
  });
  const most = Math.max(...answers.map((one) => one.most));
  const text = Math.max(...answers.map((one) => one.most - one.thinking));
  return {
    name: task.name,
    agent: agent.name,
    models,
    parts,
    promptTokens: sumOf(parts),
    answerTokens: most,
    outputTokens: Math.min(known.expectedOf?.(agent.name, task.name) ?? text, text),
  };
}

/** The parts of a task's first prompt; what the inputs add to its texts is a part of its own. */
export function splitInputs(
  run: Surroundings,
  task: Task,
  whole: readonly PartSize[],
): readonly PartSize[] {
  const names = Object.keys(run.inputs);
  if (names.length === 0) return whole;
  const inputs = Object.fromEntries(names.map((name) => [name, ""]));
  const blank = { ...run, inputs, documents: { brief: inputs, of: () => [] } };
  const { conversation, toolSpecs } = openTask(blank, task);
  const bare = new Map(
    toPromptParts(conversation, toolSpecs).map(({ part, tokens }) => [part, tokens]),
  );
  // Sections and tools for inputs that are too long are there for them alone.
  const own = whole.flatMap(({ part, tokens }) => {
    const without = bare.get(part);
    return without === undefined ? [] : [{ part, tokens: Math.min(tokens, without) }];
  });
  const tokens = sumOf(whole) - sumOf(own);
  return tokens > 0 ? [...own, { part: "inputs", tokens }] : own;
}

function sumOf(parts: readonly PartSize[]): number {
  return parts.reduce((sum, { tokens }) => sum + tokens, 0);
}
