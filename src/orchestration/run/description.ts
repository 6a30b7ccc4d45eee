// What a model is shown of a crew's tools and output schemas, made once before a run starts: a schema that cannot be shown is an
// error before anything is paid for.

import { strict as assert } from "node:assert";
import { BosunError, toBosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import type { ToolSpec } from "../../inference/model/message.ts";
import { type Schema, toJsonSchema } from "../../schema.ts";
import type { Agent } from "../crew/agent.ts";
import { allTasks, askedAgents, executorOf } from "../crew/cast.ts";
import type { Crew } from "../crew/crew.ts";
import type { Task } from "../crew/task.ts";
import type { Tool } from "../tool/tool.ts";

/** Tools and outputs of a crew as models see them. */
export type Description = {
  readonly tools: ReadonlyMap<Tool, ToolSpec>;
  readonly outputs: ReadonlyMap<Task, JsonObject>;
};

/** @throws BosunError `schema/no-converter` for a schema without a JSON form. */
export async function describeCrew(crew: Crew): Promise<Description> {
  const tools = new Map<Tool, ToolSpec>();
  const outputs = new Map<Task, JsonObject>();
  const described = new Set<Tool>(askedAgents(crew.tasks, crew).flatMap((agent) => agent.tools));
  for (const task of allTasks(crew.tasks)) {
    if (task.output !== undefined)
      outputs.set(task, await jsonSchemaOf(task.output, `the output of task "${task.name}"`));
    for (const tool of toolsOf(executorOf(task, crew), task)) described.add(tool);
  }
  for (const tool of described) {
    const parameters = await jsonSchemaOf(tool.parameters, `the parameters of tool "${tool.name}"`);
    tools.set(tool, { name: tool.name, description: tool.description, parameters });
  }
  return { tools, outputs };
}

/** The tools of an agent at a task; of two with one name the task's. */
export function toolsOf(agent: Agent, task: Task): readonly Tool[] {
  if (agent.tools.length === 0 && task.tools.length === 0) return NO_TOOLS;
  return [...new Map([...agent.tools, ...task.tools].map((tool) => [tool.name, tool])).values()];
}

const NO_TOOLS: readonly Tool[] = [];

/** The tool as models see it. */
export function specOf(description: Description, tool: Tool): ToolSpec {
  const spec = description.tools.get(tool);
  assert(spec, `the tool ${tool.name} was not described before the run`);
  return spec;
}

async function jsonSchemaOf(schema: Schema, whose: string): Promise<JsonObject> {
  return await toJsonSchema(schema).catch((cause: unknown) => {
    const { code, message } = toBosunError(cause, "schema/no-converter", whose);
    throw new BosunError(code, message.startsWith(whose) ? message : `${whose}: ${message}`, {
      cause,
    });
  });
}
