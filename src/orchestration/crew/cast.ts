// Who is in a crew: the agents that its tasks name, those that only get delegated work, and its manager.

import { BosunError } from "../../error.ts";
import type { Agent } from "./agent.ts";
import type { Task } from "./task.ts";

/** The people of a crew. `manager` is not one of `agents`. */
export type Cast = { readonly agents: readonly Agent[]; readonly manager: Agent | undefined };

/** Who does a task: the manager of a hierarchical crew, else the task's own agent. @throws as agentOf does. */
export function executorOf(task: Task, { manager, agents }: Cast): Agent {
  return manager ?? agentOf(task, agents);
}

/**
 * The agent that a task names.
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

/** The agents that may be asked in a run: those of tasks, and all of them where somebody can delegate. */
export function askedAgents(tasks: readonly Task[], { agents, manager }: Cast): readonly Agent[] {
  if (manager !== undefined) return [manager, ...agents];
  if (agents.some(canDelegate)) return agents;
  return [...new Set(allTasks(tasks).map((task) => agentOf(task, agents)))];
}

export function canDelegate(agent: Agent): boolean {
  return agent.allowDelegation;
}

export function namesOf(agents: readonly Agent[]): readonly string[] {
  return agents.map(({ name }) => name);
}

export function collectAgents(
  tasks: readonly Task[],
  listed: readonly Agent[],
  isHierarchical: boolean,
): readonly Agent[] {
  const named = allTasks(tasks).flatMap((task) =>
    isHierarchical && task.agent === undefined ? [] : [agentOf(task, listed)],
  );
  return [...new Set([...listed, ...named])];
}

/** Tools that run/team.ts gives to those who delegate. */
const TEAM_TOOLS: readonly string[] = ["delegate_work", "ask_coworker", "send_back"];

/** @throws BosunError `crew/invalid` for a tool that would never be called: its name is taken where agents delegate. */
export function checkTeamTools(where: string, tasks: readonly Task[], cast: Cast): void {
  const { manager, agents } = cast;
  const delegating =
    manager === undefined ? agents.filter(canDelegate) : [manager, ...agents.filter(canDelegate)];
  const own = delegating.flatMap(({ tools }) => tools);
  const lent = allTasks(tasks)
    .filter((task) => delegating.includes(executorOf(task, cast)))
    .flatMap(({ tools }) => tools);
  const taken = [...own, ...lent].find(({ name }) => TEAM_TOOLS.includes(name));
  if (taken === undefined) return;
  throw new BosunError(
    "crew/invalid",
    `${where}: a tool is named "${taken.name}", as the one with which agents delegate. Give it another name`,
  );
}

/** Whom Bosun adds to a crew: who makes its plan, and who judges answers by words. */
export const PLANNER_NAME = "Crew planner";
export const JUDGE_NAME = "Guardrail judge";

/** Events and tables tell agents apart by their names. @throws BosunError `crew/duplicate-name`. */
export function checkAgentNames(where: string, names: readonly string[]): void {
  const own = names.find((name) => name === PLANNER_NAME || name === JUDGE_NAME);
  if (own !== undefined)
    throw new BosunError(
      "crew/duplicate-name",
      `${where} has an agent named "${own}", as one of Bosun's own is. Give it another name`,
    );
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return;
  throw new BosunError(
    "crew/duplicate-name",
    `${where} has two agents named "${twice}". Give one of them another name`,
  );
}

/** The tasks and those that stand in for them on error. */
export function allTasks(tasks: readonly Task[]): readonly Task[] {
  return tasks.flatMap((task) =>
    typeof task.onError === "object" ? [task, task.onError] : [task],
  );
}
