// The crew of a definition: calls agent() and task() as a user's file would.

import { endpoint, type ModelRef } from "../../../inference/model/endpoint.ts";
import { calculator } from "../../tool/calculator.ts";
import { fetchUrl } from "../../tool/fetch-url.ts";
import { readFile } from "../../tool/read-file.ts";
import { searchDocs } from "../../tool/search-docs.ts";
import type { Tool } from "../../tool/tool.ts";
import { type Agent, agent } from "../agent.ts";
import type { CrewOptions, Policy } from "../crew.ts";
import { type Task, task } from "../task.ts";
import type { AgentDefinition } from "./agent-definition.ts";
import type { CrewDefinition } from "./definition.ts";
import type { ToolUse } from "./known-tool.ts";
import type { ModelUse } from "./model-value.ts";
import type { TaskDefinition } from "./task-definition.ts";

/** Options of crew() for a project. */
export type ProjectCrewOptions = CrewOptions<readonly Task[], Policy>;

/**
 * Makes agents and tasks.
 * @throws BosunError `crew/…` or `tool/…` for what agent(), task() and the tools refuse.
 */
export function buildCrew(definition: CrewDefinition): ProjectCrewOptions {
  const { name, process, cache, planning, planningModel, managerModel } = definition;
  const agents = new Map(definition.agents.map((one) => [one.key, buildAgent(one)]));
  const manager = definition.manager === undefined ? undefined : agents.get(definition.manager);
  const tasks: Task[] = [];
  for (const one of definition.tasks) tasks.push(buildTask(one, agents, tasks));
  return {
    name,
    agents: [...agents.values()].filter((one) => one !== manager),
    tasks,
    process,
    cache,
    planning,
    planningModel: planningModel && toModelRef(planningModel),
    manager,
    managerModel: managerModel && toModelRef(managerModel),
  };
}

function buildAgent({
  key: _key,
  notes: _notes,
  model,
  tools = [],
  ...options
}: AgentDefinition): Agent {
  return agent({ ...options, model: model && toModelRef(model), tools: tools.flatMap(toTool) });
}

function buildTask(
  {
    key: _key,
    notes: _notes,
    toolPlace: _place,
    tools = [],
    guardrails,
    ...options
  }: TaskDefinition,
  agents: ReadonlyMap<string, Agent>,
  before: readonly Task[],
): Task {
  const { agent: worker, context, ...plain } = options;
  return task({
    ...plain,
    agent: worker === undefined ? undefined : agents.get(worker),
    context: context?.flatMap((name) => before.filter((one) => one.name === name)),
    guardrail: guardrails,
    tools: tools.flatMap(toTool),
  });
}

function toModelRef(use: ModelUse): ModelRef {
  return use.type === "name" ? use.name : endpoint(use.options);
}

/** A tool that is not written yet is none: a model would only learn that it fails. */
function toTool(use: ToolUse): readonly Tool[] {
  switch (use.type) {
    case "fetchUrl":
      return [fetchUrl()];
    case "calculator":
      return [calculator()];
    case "readFile":
      return [readFile({ root: use.root })];
    case "searchDocs":
      return [searchDocs({ folder: use.folder })];
    case "stub":
      return [];
    default:
      return use satisfies never;
  }
}
