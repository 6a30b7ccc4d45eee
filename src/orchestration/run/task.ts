// The task's body: a child of its run. Prepares what the agent needs and runs the agent loop.

import { BosunError, detailOf, isBosunError, toBosunError } from "../../error.ts";
import type { ModelSettings } from "../../inference/model/endpoint.ts";
import { type Agent, SETTING_NAMES } from "../crew/agent.ts";
import { executorOf } from "../crew/cast.ts";
import type { Crew } from "../crew/crew.ts";
import type { Task } from "../crew/task.ts";
import type { Durable, Flow } from "../durable/durable.ts";
import { type Answer, runAgent } from "./agent.ts";
import { specOf, toolsOf } from "./description.ts";
import { type Section, startConversation } from "./prompt.ts";
import { nameOfAgent, type World } from "./world.ts";

/** A task's execution: which one, which of its stand-ins, and what it sees. */
export type TaskInput = {
  readonly task: string;
  /** True runs the task that stands in for it on error. */
  readonly standIn: boolean;
  /** First part of the path, unique for each execution: task:write, task:write~2. */
  readonly segment: string;
  readonly sections: readonly Section[];
};

/** What a task's execution hands over. */
export type TaskOutput = Answer;

/** The flow of one task. @throws BosunError; details.text holds the text that there was. */
export function createTaskFlow(world: World): Flow<TaskInput, TaskOutput> {
  return {
    name: "bosun/task",
    version: "1",
    async run(d, input) {
      const run = world.runOf(d.rootId);
      const task = taskOf(run.crew, input);
      const spec = executorOf(task, run.crew);
      const agent = { ...spec, name: nameOfAgent(spec, run.inputs) };
      const path = input.standIn ? [input.segment, `task:${task.name}`] : [input.segment];
      try {
        const tools = toolsOf(spec, task);
        const toolSpecs = tools.map((tool) => specOf(run.description, tool));
        const schema = run.description.outputs.get(task);
        const conversation = startConversation(task, agent, run.inputs, {
          sections: input.sections,
          schema,
        });
        const remainingCalls =
          run.plan.tasks.find(({ name }) => name === input.task)?.remaining ?? 0;
        const models = run.modelsOf(spec);
        return await runAgent(d, world, {
          task,
          agent,
          path,
          models,
          settings: settingsOf(agent, task),
          tools,
          toolSpecs,
          schema,
          conversation,
          remainingCalls,
        });
      } catch (error) {
        throw failureOf(d, error, `task "${task.name}"`);
      }
    },
  };
}

function taskOf(crew: Crew, { task: name, standIn }: TaskInput): Task {
  const task = crew.tasks.find((one) => one.name === name);
  const found = standIn && typeof task?.onError === "object" ? task.onError : task;
  if (!found)
    throw new BosunError("crew/unknown-task", `crew "${crew.name}" has no task "${name}"`);
  return found;
}

/** Settings of the agent, overridden by those of the task. */
function settingsOf(agent: Agent, task: Task): ModelSettings {
  return Object.fromEntries(
    SETTING_NAMES.map((name) => [name, task[name] ?? agent[name]]).filter(
      ([, value]) => value !== undefined,
    ),
  );
}

/** The reason of an abort wins over what it made fail; the text that there was stays with it. */
function failureOf(d: Durable, error: unknown, where: string): BosunError {
  const reason: unknown =
    d.signal.aborted && isBosunError(d.signal.reason) ? d.signal.reason : error;
  const failure = toBosunError(reason, "run/failed", where);
  const text = detailOf(error, "text");
  if (failure === error || text === undefined) return failure;
  return new BosunError(failure.code, failure.message, {
    retryable: failure.retryable,
    cause: error,
    details: { ...failure.details, text },
  });
}
