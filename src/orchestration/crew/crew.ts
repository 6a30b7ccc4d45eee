// A crew: tasks, the agents that do them, and the order in which they are done. Plain data; src/crew.ts adds kickoff and stream.

import { BosunError } from "../../error.ts";
import type { ModelRef } from "../../inference/model/endpoint.ts";
import { isJson } from "../../json.ts";
import type { Agent } from "./agent.ts";
import {
  allTasks,
  askedAgents,
  canDelegate,
  checkAgentNames,
  checkTeamTools,
  collectAgents,
  executorOf,
  namesOf,
} from "./cast.ts";
import { type Hooks, isHooks } from "./hook.ts";
import { fillPlaceholders, type Inputs, placeholdersOf } from "./input.ts";
import {
  DEFAULT_INLINE_TOKENS,
  type FitMode,
  type InputFits,
  isFitMode,
  isInputFits,
} from "./input-fit.ts";
import { type DelegationLimits, limitsOf, managerOf, type ManagerOptions } from "./manager.ts";
import {
  type Check,
  checkOptions,
  isFlag,
  isListOf,
  isModelRef,
  isName,
  isOneOf,
  isWhole,
  type KnownOptions,
  optional,
  typeOf,
} from "./option.ts";
import { isPurposeModels, type PurposeModels, toPurposeModels } from "./purpose-model.ts";
import { isRunLimits, type RunLimits, type SpendOptions } from "./run-limit.ts";
import type { Task } from "./task.ts";

/**
 * In which order tasks are done: one after the other, or each as soon as its context is there. In a hierarchical crew they are
 * done one after the other by a manager, who delegates pieces of them to the crew's agents.
 */
export type Process = "sequential" | "parallel" | "hierarchical";

/** What happens to the rest when a task fails: it is cancelled, or what does not depend on it goes on. */
export type Policy = "fail-fast" | "continue";

/** What a user writes. */
export type CrewOptions<
  Tasks extends readonly Task[],
  P extends Policy,
  Agents extends readonly Agent[] = readonly Agent[],
> = ManagerOptions &
  Partial<DelegationLimits> &
  SpendOptions & {
    /** 1 to 64 letters, digits, `_` or `-`. */
    readonly name: string;
    /** In plan order; results keep it. At most 1,000. */
    readonly tasks: Tasks;
    /** Needed for tasks that name their agent by text, and for agents that only get delegated work. */
    readonly agents?: Agents | undefined;
    /** Default "sequential". */
    readonly process?: Process | undefined;
    /** Default "fail-fast". */
    readonly policy?: P;
    /** true lets all tools reuse results of the same run for the same arguments. Default false. */
    readonly cache?: boolean | undefined;
    /** Most time for one run, in milliseconds. Default 3,600,000. */
    readonly timeoutMs?: number | undefined;
    /** true has a plan made once before the first task; each task sees its part, apart from its own text. Default false. */
    readonly planning?: boolean | undefined;
    /** The model that makes the plan. Default: the run's. */
    readonly planningModel?: ModelRef | undefined;
    readonly hooks?: Hooks | undefined;
    /** How earlier outputs that are too long for a call are shortened. Default "cut". */
    readonly fit?: FitMode | undefined;
    /** An input with more estimated tokens is not pasted into prompts: agents search and read it. Default 2,000. */
    readonly inlineTokens?: number | undefined;
    /** By an input's name: what stands in its place when it is too long to be pasted. Default: what agents need to search and read it. */
    readonly inputs?: InputFits | undefined;
  };

/** A crew as data: every task's agent is resolved. `types` exists only for the compiler. */
export type Crew<
  Tasks extends readonly Task[] = readonly Task[],
  P extends Policy = Policy,
  InputNames extends string = string,
> = DelegationLimits & {
  readonly type: "crew";
  readonly name: string;
  readonly tasks: Tasks;
  readonly agents: readonly Agent[];
  readonly process: Process;
  readonly policy: P;
  readonly cache: boolean;
  readonly timeoutMs: number;
  /** Who does the tasks of a hierarchical crew; undefined in every other. Not one of `agents`. */
  readonly manager: Agent | undefined;
  readonly planning: boolean;
  readonly planningModel: ModelRef | undefined;
  readonly hooks: Hooks;
  readonly fit: FitMode;
  readonly inlineTokens: number;
  readonly inputs: InputFits;
  readonly models: PurposeModels;
  readonly limits: RunLimits;
  readonly types?: { readonly inputs: InputNames };
};

/** Bound of a crew's size: plans are made with algorithms of O(n²) and more. */
export const MAX_TASKS = 1_000;

/**
 * Makes a crew.
 * @throws BosunError `crew/duplicate-name`, `crew/unknown-agent`, `crew/no-agent`, `crew/unknown-task`, `crew/invalid` or `crew/not-built`.
 */
export function defineCrew<
  const Tasks extends readonly Task[],
  const P extends Policy = "fail-fast",
  InputNames extends string = string,
>(options: CrewOptions<Tasks, P>): Crew<Tasks, P, InputNames> {
  const where = `crew "${options?.name}"`;
  checkOptions(where, options, KNOWN);
  const { name, tasks, process = "sequential", cache = false, timeoutMs = 3_600_000 } = options;
  const { planning = false, planningModel, hooks = {}, models = {}, limits = {} } = options;
  const policy = (options.policy ?? "fail-fast") as P; // `as`: checked above; unset is the default of P
  checkTasks(where, tasks);
  const isHierarchical = process === "hierarchical";
  const agents = collectAgents(tasks, options.agents ?? [], isHierarchical);
  const manager = managerOf(where, options, { isHierarchical, workers: agents });
  checkAgentNames(where, namesOf(manager ? [manager, ...agents] : agents));
  checkTeamTools(where, tasks, { agents, manager });
  if (planningModel !== undefined && !planning)
    throw new BosunError("crew/invalid", `${where}: planningModel counts only with planning: true`);
  return {
    type: "crew",
    name,
    tasks,
    agents,
    process,
    policy,
    cache,
    timeoutMs,
    manager,
    ...limitsOf(where, options, manager !== undefined || agents.some(canDelegate)),
    planning,
    planningModel,
    hooks,
    ...fitOf(where, options, agents),
    models: toPurposeModels(models),
    limits,
  };
}

/** How a crew's prompts are fitted. @throws BosunError `crew/invalid` for an input that no text of the crew has. */
function fitOf(
  where: string,
  {
    fit = "cut",
    inlineTokens = DEFAULT_INLINE_TOKENS,
    inputs = {},
    tasks,
  }: CrewOptions<readonly Task[], Policy>,
  agents: readonly Agent[],
): Pick<Crew, "fit" | "inlineTokens" | "inputs"> {
  const texts = [...allTasks(tasks).flatMap(textsOfTask), ...agents.flatMap(textsOfAgent)];
  const known = new Set(texts.flatMap(({ text }) => placeholdersOf(text)));
  const unknown = Object.keys(inputs).find((name) => !known.has(name));
  if (unknown === undefined) return { fit, inlineTokens, inputs };
  const names = [...known].map((name) => `{${name}}`).join(", ") || "none";
  throw new BosunError(
    "crew/invalid",
    `${where}: inputs names "${unknown}", but no text of the crew has {${unknown}}. Its placeholders are: ${names}`,
  );
}

/**
 * Checks that every placeholder of the crew has an input, before anything is paid for.
 * @throws BosunError `crew/input-missing`.
 */
export function checkInputs(crew: Crew, inputs: Inputs): void {
  const where = `crew "${crew.name}"`;
  for (const [name, value] of Object.entries(inputs)) {
    if (isJson(value) || value === undefined) continue;
    throw new BosunError(
      "crew/invalid",
      `${where}: the input "${name}" must be a text, a number, true, false, or a list or object of them`,
    );
  }
  for (const { whose, text } of textsOf(crew)) fillPlaceholders(text, inputs, whose);
  const people = crew.manager === undefined ? crew.agents : [crew.manager, ...crew.agents];
  checkAgentNames(
    where,
    people.map(({ name }) => fillPlaceholders(name, inputs, `agent "${name}"`)),
  );
}

/** A text that a user wrote, and whose it is. */
export type Text = { readonly whose: string; readonly text: string };

/** Every text of a crew that may hold placeholders, in the order of its tasks. */
export function textsOf(crew: Crew): readonly Text[] {
  return [
    ...allTasks(crew.tasks).flatMap((task) => [
      ...textsOfTask(task),
      ...textsOfAgent(executorOf(task, crew)),
    ]),
    ...askedAgents(crew.tasks, crew).flatMap(textsOfAgent),
  ];
}

function textsOfTask(task: Task): readonly Text[] {
  const { name, description, expectedOutput, outputFile = "" } = task;
  const texts = [description, expectedOutput, outputFile];
  return texts.map((text) => ({ whose: `task "${name}"`, text }));
}

function textsOfAgent({ name, role, goal, backstory }: Agent): readonly Text[] {
  return [name, role, goal, backstory].map((text) => ({ whose: `agent "${name}"`, text }));
}

function checkTasks(where: string, tasks: readonly Task[]): void {
  const names = new Set<string>();
  const standIns = new Set(
    tasks.flatMap(({ onError }) => (typeof onError === "object" ? [onError] : [])),
  );
  for (const task of [...tasks, ...standIns]) {
    if (names.has(task.name)) {
      const message = `${where} has two tasks named "${task.name}". Names must differ: results and events are found by them`;
      throw new BosunError("crew/duplicate-name", message);
    }
    names.add(task.name);
  }
  for (const task of tasks) {
    checkStandIn(where, task);
    for (const other of task.context ?? []) {
      if (tasks.includes(other)) continue;
      const known = tasks.map(({ name }) => name).join(", ");
      const message = `${where}: task "${task.name}" has "${other.name}" as context, which is not one of the crew's tasks (${known})`;
      throw new BosunError("crew/unknown-task", message);
    }
  }
}

/** A stand-in is the last resort, done where and with what the task was: what would be ignored there is refused. */
function checkStandIn(where: string, { name, onError }: Task): void {
  if (typeof onError !== "object") return;
  const ignored = {
    onError: onError.onError !== "fail",
    context: onError.context !== undefined,
    async: onError.async,
  };
  const [field] = Object.entries(ignored).flatMap(([key, isSet]) => (isSet ? [key] : []));
  if (field === undefined) return;
  const message = `${where}: task "${onError.name}" stands in for "${name}" and has ${field}, which counts only for tasks of the crew. Leave it out there`;
  throw new BosunError("crew/invalid", message);
}

const isTasks: Check = (value) =>
  isListOf("task")(value) === undefined &&
  Array.isArray(value) &&
  value.length > 0 &&
  value.length <= MAX_TASKS
    ? undefined
    : `a list of 1 to ${MAX_TASKS} tasks, as task() makes them`;

const KNOWN: KnownOptions = {
  checks: {
    name: isName,
    tasks: isTasks,
    agents: optional(isListOf("agent")),
    process: optional(isOneOf(["sequential", "parallel", "hierarchical"])),
    policy: optional(isOneOf(["fail-fast", "continue"])),
    cache: optional(isFlag),
    timeoutMs: optional(isWhole(1)),
    manager: optional((value) => (typeOf(value) === "agent" ? undefined : "what agent() makes")),
    managerModel: optional(isModelRef),
    maxDelegations: optional(isWhole(1)),
    maxParallelDelegations: optional(isWhole(1)),
    maxDelegationDepth: optional(isWhole(1)),
    planning: optional(isFlag),
    planningModel: optional(isModelRef),
    hooks: optional(isHooks),
    fit: optional(isFitMode),
    inlineTokens: optional(isWhole(1)),
    inputs: optional(isInputFits),
    models: optional(isPurposeModels),
    limits: optional(isRunLimits),
  },
  notBuilt: ["memory", "knowledge"],
};
