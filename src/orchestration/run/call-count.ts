// How many model calls a crew makes at least and at most, by the bounds of the agent loop (agent.ts, answer.ts, ask-json.ts,
// delegation.ts). Pure.
//
// A model that calls tools which it was not offered is not counted on: it can make `maxIterations` calls more of a task without tools.

import type { Agent } from "../crew/agent.ts";
import { canDelegate, executorOf } from "../crew/cast.ts";
import type { Crew } from "../crew/crew.ts";
import { criteriaOf } from "../crew/guardrail.ts";
import type { Task } from "../crew/task.ts";
import { type Fault, mostMended } from "./answer.ts";
import { ASK_TRIES } from "./ask-json.ts";
import { toolsOf } from "./description.ts";

/** Model calls. */
export type CallCount = { readonly least: number; readonly most: number };

/** Tasks with tools for inputs that are too long for their prompts. */
export type Readers = ReadonlySet<Task>;

/** Calls of all tasks and of the plan before them. */
export function countCalls(crew: Crew, readers: Readers): CallCount {
  const counts = crew.tasks.map((task) => countTask(crew, task, readers));
  const plan = crew.planning ? { least: 1, most: ASK_TRIES } : { least: 0, most: 0 };
  return [...counts, plan].reduce((sum, { least, most }) => ({
    least: sum.least + least,
    most: sum.most + most,
  }));
}

/** Calls of one task: its agent's, its judges', those of whoever gets pieces of it, and of further attempts. */
export function countTask(crew: Crew, task: Task, readers: Readers): CallCount {
  const once = countOnce(crew, task, readers);
  const { onError } = task;
  const further =
    typeof onError === "object"
      ? countOnce(crew, onError, readers).most
      : onError === "retry"
        ? once.most * task.retries
        : 0;
  return { least: task.when === undefined ? once.least : 0, most: once.most + further };
}

function countOnce(crew: Crew, task: Task, readers: Readers): CallCount {
  const agent = executorOf(task, crew);
  const judges = task.guardrails.filter((guardrail) => criteriaOf(guardrail) !== undefined).length;
  const faults: readonly Fault[] = [
    "empty",
    ...(task.output === undefined ? [] : ["unfit" as const]),
    ...(task.guardrails.length === 0 ? [] : ["refused" as const]),
    ...(task.humanInput === undefined ? [] : ["rejected" as const]),
  ];
  const mends = faults.reduce((sum, fault) => sum + mostMended(fault, task), 0);
  const hasTools = toolsOf(agent, task).length > 0 || readers.has(task);
  const own = loopCalls(agent, hasTools || leads(crew, agent)) + mends;
  const given = givenCalls(crew, agent, { depth: 1, known: new Map() });
  return { least: 1 + judges, most: own + given + (1 + mends) * judges * ASK_TRIES };
}

/** Turns with tools, and one without. */
function loopCalls({ maxIterations }: Agent, hasTools: boolean): number {
  return hasTools ? maxIterations + 1 : 1;
}

function leads(crew: Crew, agent: Agent): boolean {
  return (agent === crew.manager || canDelegate(agent)) && crew.agents.some((one) => one !== agent);
}

type Depth = { readonly depth: number; readonly known: Map<string, number> };

/** Calls of the pieces that an agent gives away, the dearest coworker each time, as deep as work is passed on. */
function givenCalls(crew: Crew, agent: Agent, { depth, known }: Depth): number {
  if (!leads(crew, agent) || depth > crew.maxDelegationDepth) return 0;
  const key = `${depth} ${agent.name}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const pieces = crew.agents
    .filter((one) => one !== agent)
    .map((one) => {
      const isPassed = leads(crew, one) && depth < crew.maxDelegationDepth;
      const own = loopCalls(one, one.tools.length > 0 || isPassed) + EMPTY_MENDED;
      return own + givenCalls(crew, one, { depth: depth + 1, known });
    });
  const most = crew.maxDelegations * Math.max(0, ...pieces);
  known.set(key, most);
  return most;
}

/** Of a piece of work that was given away only an empty answer is mended (answer.ts). */
const EMPTY_MENDED = 1;
