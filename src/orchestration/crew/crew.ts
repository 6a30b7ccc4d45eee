// A crew: tasks, the agents that do them, and the order in which they are done. Plain data; src/crew.ts adds kickoff and stream.

import { BosunError } from "../../error.ts";
import { isJson } from "../../json.ts";
import type { Agent } from "./agent.ts";
import { fillPlaceholders, type Inputs } from "./input.ts";
import {
  type Check,
  checkOptions,
  isFlag,
  isListOf,
  isName,
  isOneOf,
  isWhole,
  type KnownOptions,
  optional,
} from "./option.ts";
import type { Task } from "./task.ts";

/** In which order tasks are done: one after the other, or each as soon as its context is there. */
export type Process = "sequential" | "parallel";

/** What happens to the rest when a task fails: it is cancelled, or what does not depend on it goes on. */
export type Policy = "fail-fast" | "continue";

/** What a user writes. */
export type CrewOptions<
  Tasks extends readonly Task[],
  P extends Policy,
  Agents extends readonly Agent[] = readonly Agent[],
> = {
  /** 1 to 64 letters, digits, `_` or `-`. */
  readonly name: string;
  /** In plan order; results keep it. At most 1,000. */
  readonly tasks: Tasks;
  /** Needed only for tasks that name their agent by text. */
  readonly agents?: Agents | undefined;
  /** Default "sequential". */
  readonly process?: Process | undefined;
  /** Default "fail-fast". */
  readonly policy?: P;
  /** true lets all tools reuse results of the same run for the same arguments. Default false. */
  readonly cache?: boolean | undefined;
  /** Most time for one run, in milliseconds. Default 3,600,000. */
  readonly timeoutMs?: number | undefined;
};

/** A crew as data: every task's agent is resolved. */
export type Crew<Tasks extends readonly Task[] = readonly Task[], P extends Policy = Policy> = {
  readonly type: "crew";
  readonly name: string;
  readonly tasks: Tasks;
  readonly agents: readonly Agent[];
  readonly process: Process;
  readonly policy: P;
  readonly cache: boolean;
  readonly timeoutMs: number;
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
>(options: CrewOptions<Tasks, P>): Crew<Tasks, P> {
  const where = `crew "${options?.name}"`;
  const process: unknown = options?.process; // the compiler refuses "hierarchical", JavaScript does not
  if (process === "hierarchical") {
    const message = `${where}: process "hierarchical" is not built yet in this version. Use sequential or parallel`;
    throw new BosunError("crew/not-built", message);
  }
  checkOptions(where, options, KNOWN);
  const { name, tasks, cache = false, timeoutMs = 3_600_000 } = options;
  const policy = (options.policy ?? "fail-fast") as P; // `as`: checked above; unset is the default of P
  checkTasks(where, tasks);
  const agents = collectAgents(where, tasks, options.agents ?? []);
  return {
    type: "crew",
    name,
    tasks,
    agents,
    process: options.process ?? "sequential",
    policy,
    cache,
    timeoutMs,
  };
}

/**
 * The agent of a task.
 * @throws BosunError `crew/no-agent` or `crew/unknown-agent`.
 */
export function agentOf(task: Task, agents: readonly Agent[]): Agent {
  if (typeof task.agent === "object") return task.agent;
  const names = agents.map((agent) => `"${agent.name}"`).join(", ") || "none";
  if (task.agent === undefined) {
    throw new BosunError(
      "crew/no-agent",
      `task "${task.name}" has no agent. Give it one: agent: … (the crew's agents: ${names})`,
    );
  }
  const found = agents.find((agent) => agent.name === task.agent || agent.role === task.agent);
  if (found) return found;
  throw new BosunError(
    "crew/unknown-agent",
    `task "${task.name}" names the agent "${task.agent}", which the crew does not have. Its agents: ${names}`,
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
  for (const task of allTasks(crew.tasks)) {
    const agent = agentOf(task, crew.agents);
    for (const text of [task.description, task.expectedOutput])
      fillPlaceholders(text, inputs, `task "${task.name}"`);
    for (const text of [agent.role, agent.goal, agent.backstory])
      fillPlaceholders(text, inputs, `agent "${agent.name}"`);
  }
  checkAgentNames(
    where,
    crew.agents.map(({ name }) => fillPlaceholders(name, inputs, `agent "${name}"`)),
  );
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

function collectAgents(
  where: string,
  tasks: readonly Task[],
  listed: readonly Agent[],
): readonly Agent[] {
  const agents = [...new Set([...listed, ...allTasks(tasks).map((task) => agentOf(task, listed))])];
  checkAgentNames(
    where,
    agents.map(({ name }) => name),
  );
  return agents;
}

/** Events and tables tell agents apart by their names. */
function checkAgentNames(where: string, names: readonly string[]): void {
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return;
  throw new BosunError(
    "crew/duplicate-name",
    `${where} has two agents named "${twice}". Give one of them another name`,
  );
}

/** The tasks and those that stand in for them on error. */
function allTasks(tasks: readonly Task[]): readonly Task[] {
  return tasks.flatMap((task) =>
    typeof task.onError === "object" ? [task, task.onError] : [task],
  );
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
    process: optional(isOneOf(["sequential", "parallel"])),
    policy: optional(isOneOf(["fail-fast", "continue"])),
    cache: optional(isFlag),
    timeoutMs: optional(isWhole(1)),
  },
  notBuilt: [
    "manager",
    "managerModel",
    "memory",
    "knowledge",
    "limits",
    "hooks",
    "planning",
    "session",
  ],
};
