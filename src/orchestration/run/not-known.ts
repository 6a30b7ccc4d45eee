// What nobody can know of a crew's prompts before it runs, in words. Pure.

import { canDelegate, executorOf } from "../crew/cast.ts";
import type { Crew } from "../crew/crew.ts";
import { criteriaOf } from "../crew/guardrail.ts";
import type { Readers } from "./call-count.ts";
import { toolsOf } from "./description.ts";

/** A sentence for each. */
export function notKnownOf(crew: Crew, readers: Readers): readonly string[] {
  const { tasks, agents, manager, planning, hooks } = crew;
  const withTools = tasks.filter(
    (task) => readers.has(task) || toolsOf(executorOf(task, crew), task).length > 0,
  );
  const isDelegated = manager !== undefined || agents.some(canDelegate);
  const isJudged = tasks.some(({ guardrails }) =>
    guardrails.some((guardrail) => criteriaOf(guardrail) !== undefined),
  );
  const isMended = tasks.some(
    ({ output, guardrails }) => output !== undefined || guardrails.length > 0,
  );
  const isConditional = tasks.some(({ when }) => when !== undefined);
  return [
    ...(withTools.length > 0
      ? [`tools' results and the further turns that read them (${namesOf(withTools)})`]
      : []),
    ...(isDelegated ? ["work that is given away: its prompts are written by models"] : []),
    ...(isMended ? ["answers that are mended: each is a further call with all that was said"] : []),
    ...(isJudged ? ["tokens of guardrails' judges; their calls are counted"] : []),
    ...(planning
      ? ["tokens of the plan, which each task sees a part of; its calls are counted"]
      : []),
    ...(hooks.beforeKickoff || hooks.beforeModelCall
      ? ["what hooks change of inputs and prompts: none is called here"]
      : []),
    ...(isConditional
      ? ["whether tasks with a condition are done; they are in what is expected"]
      : []),
  ];
}

function namesOf(tasks: Crew["tasks"]): string {
  const names = tasks.map(({ name }) => name);
  const further = names.length - MOST_NAMES;
  return further > 0
    ? `${names.slice(0, MOST_NAMES).join(", ")} and ${further} more`
    : names.join(", ");
}

const MOST_NAMES = 5;
