// The task's body: a child of its run. Asks whether the task is needed, prepares what the agent needs, runs the agent loop, and
// writes the answer where the task wants it.

import { BosunError, messageOf } from "../../error.ts";
import { agentOf, executorOf } from "../crew/cast.ts";
import type { Crew } from "../crew/crew.ts";
import { fillPlaceholders, type Inputs } from "../crew/input.ts";
import type { SoFar } from "../crew/condition.ts";
import type { Task } from "../crew/task.ts";
import type { Durable, Flow } from "../durable/durable.ts";
import { runAgent } from "./agent.ts";
import type { DelegationFlow } from "./delegation.ts";
import { toolsOf } from "./description.ts";
import type { TaskStatus } from "./event.ts";
import { failureOf } from "./failure.ts";
import {
  type AgentJob,
  type Answer,
  settingsOf,
  type Surroundings,
  type Workplace,
  workplaceOf,
} from "./job.ts";
import { readOutput } from "./output.ts";
import { outputFileOf, outputPath, writeOutputFile } from "./output-file.ts";
import { prewarm } from "./prewarm.ts";
import { type Conversation, type Section, startConversation } from "./prompt.ts";
import { lookAt, previewSight, tellReading } from "./sight.ts";
import { callUser } from "./user-code.ts";
import { nameOfAgent, type RunContext, type World } from "./world.ts";

/** How the tasks before this one ended, by name. */
export type Ends = Readonly<
  Record<
    string,
    {
      readonly status: TaskStatus;
      readonly raw: string;
      readonly standIn?: string | undefined;
    }
  >
>;

/** A task's execution: which one, which of its stand-ins, and what it sees. */
export type TaskInput = {
  readonly task: string;
  /** True runs the task that stands in for it on error. */
  readonly standIn: boolean;
  /** First part of the path, unique for each execution: task:write, task:write~2. */
  readonly segment: string;
  readonly sections: readonly Section[];
  /** Only for a task with a condition. */
  readonly ends?: Ends | undefined;
};

/** What a task's execution hands over. */
export type TaskOutput = { readonly type: "skipped" } | ({ readonly type: "done" } & Answer);

/** The flow of one task. @throws BosunError; details.text holds the text that there was. */
export function createTaskFlow(
  world: World,
  delegationFlow: DelegationFlow,
): Flow<TaskInput, TaskOutput> {
  return {
    name: "bosun/task",
    version: "1",
    async run(d, input) {
      const run = world.runOf(d.runId);
      const task = taskOf(run.crew, input);
      try {
        if (!(await isNeeded(d, world, { run, task, input }))) return { type: "skipped" };
        const answer = await doTask(d, world, { run, task, input, delegationFlow });
        await keepAnswer(d, run, { task, input, answer });
        return { type: "done", ...answer };
      } catch (error) {
        throw failureOf(d, error, `task "${task.name}"`);
      }
    },
  };
}

type Doing = { readonly run: RunContext; readonly task: Task; readonly input: TaskInput };

function taskOf(crew: Crew, { task: name, standIn }: Pick<TaskInput, "task" | "standIn">): Task {
  const task = crew.tasks.find((one) => one.name === name);
  const found = standIn && typeof task?.onError === "object" ? task.onError : task;
  if (!found)
    throw new BosunError("crew/unknown-task", `crew "${crew.name}" has no task "${name}"`);
  return found;
}

/** Asks the task's condition, once. @throws BosunError `task/condition-failed` when it throws. */
async function isNeeded(d: Durable, world: World, { run, task, input }: Doing): Promise<boolean> {
  const { when } = task;
  if (when === undefined) return true;
  return d.step(`${input.segment}/when`, async ({ signal }) => {
    try {
      const soFar = await soFarOf(run, input.ends ?? {});
      const said: unknown = await callUser(when, [soFar], { clock: world.clock, signal });
      if (typeof said === "boolean") return said;
      throw new Error("it must return true or false");
    } catch (cause) {
      signal.throwIfAborted();
      const message = `task "${task.name}": its condition failed: ${messageOf(cause)}`;
      throw new BosunError("task/condition-failed", message, { cause });
    }
  });
}

async function soFarOf({ crew, inputs }: RunContext, ends: Ends): Promise<SoFar> {
  const tasks = Object.entries(ends).map(async ([name, { status, raw, standIn }]) => {
    const schema = taskOf(crew, { task: name, standIn: standIn !== undefined }).output;
    const hasOutput = status === "done" || status === "partial";
    const output = !hasOutput ? undefined : schema ? await readOutput(raw, schema) : raw;
    return [name, { status, raw, output }] as const;
  });
  return { inputs: structuredClone(inputs), tasks: Object.fromEntries(await Promise.all(tasks)) };
}

/** One for all tasks: what an abort without a reason makes takes its stack, each time. */
const ENDED = new BosunError("run/cancelled", "the task has ended");

async function doTask(
  d: Durable,
  world: World,
  doing: Doing & { readonly delegationFlow: DelegationFlow },
): Promise<Answer> {
  const working = new AbortController();
  const { run, input } = doing;
  prewarm(world.model, run, { name: input.task, signal: working.signal });
  try {
    return await askAgent(d, world, doing);
  } finally {
    working.abort(ENDED);
  }
}

async function askAgent(
  d: Durable,
  world: World,
  { run, task, input, delegationFlow }: Doing & { readonly delegationFlow: DelegationFlow },
): Promise<Answer> {
  const at = placeOf(run, task);
  const { place, settings, schema } = at;
  const path = input.standIn ? [input.segment, `task:${task.name}`] : [input.segment];
  const { name, description, expectedOutput } = task;
  const texts = [expectedOutput];
  const looking = { path, place, settings, task: name, description, isTemplate: true, texts };
  const sight = await lookAt(d, world, looking);
  const job = {
    ...place,
    tools: sight.tools,
    toolSpecs: sight.toolSpecs,
    reading: sight.reading,
    task,
    path,
    settings,
    schema,
    conversation: conversationOf(
      run,
      { ...at, task },
      {
        inputs: sight.brief,
        sections: [...sight.sections, ...input.sections],
        description: sight.description,
      },
    ),
    fit: task.fit ?? run.crew.fit,
    remainingCalls: run.plan.tasks.find((one) => one.name === input.task)?.remaining ?? 0,
  };
  try {
    return await runAgent(d, world, job, delegationFlow);
  } finally {
    tellReading(run, looking, sight);
  }
}

type At = Pick<AgentJob, "settings" | "schema"> & { readonly place: Workplace };

/** Who does a task, and with what. */
function placeOf(run: Surroundings, task: Task): At {
  const spec = executorOf(task, run.crew);
  const place = workplaceOf(run, spec, { tools: toolsOf(spec, task), givers: [] });
  const schema = run.description.outputs.get(task);
  return { place, settings: settingsOf(place.agent, task), schema };
}

/** What is said first. */
function conversationOf(
  run: Surroundings,
  { place, schema, task }: At & { readonly task: Task },
  seen: {
    readonly inputs: Inputs;
    readonly sections: readonly Section[];
    /** With its placeholders filled. */
    readonly description: string;
  },
): Conversation {
  return startConversation({
    agent: place.agent,
    inputs: seen.inputs,
    team: place.team,
    sections: seen.sections,
    description: seen.description + preferenceOf(run, task),
    expectedOutput: fillPlaceholders(task.expectedOutput, seen.inputs, `task "${task.name}"`),
    schema,
  });
}

/** A task's first prompt as a run would send it, as far as it can be known before: of inputs that are too long, what is shown at most. */
export function openTask(
  run: Surroundings,
  task: Task,
): Workplace & Pick<AgentJob, "settings" | "schema" | "conversation"> {
  const { place, settings, schema } = placeOf(run, task);
  const { name, description, expectedOutput } = task;
  const { role, goal, backstory } = place.agent;
  const own = run.documents.of([description, expectedOutput, role, goal, backstory]);
  const { sections, mentions, specs } = previewSight(run.crew, own);
  const { brief } = run.documents;
  const filled = fillPlaceholders(description, { ...brief, ...mentions }, `task "${name}"`);
  const seen = { inputs: brief, sections, description: filled };
  const conversation = conversationOf(run, { place, settings, schema, task }, seen);
  const toolSpecs = [...place.toolSpecs, ...specs];
  return { ...place, toolSpecs, settings, schema, conversation };
}

/** Under a manager a task's agent is a wish, not a wall: the others can be asked too. */
function preferenceOf({ crew, inputs }: Surroundings, task: Task): string {
  if (crew.manager === undefined || task.agent === undefined) return "";
  return `\n\nBest done by: ${nameOfAgent(agentOf(task, crew.agents), inputs)}`;
}

/** Writes the answer to the task's file, when it has one. */
async function keepAnswer(
  d: Durable,
  run: RunContext,
  { task, input, answer }: Omit<Doing, "run"> & { readonly answer: Answer },
): Promise<void> {
  // A stand-in without a file of its own writes that of the task in whose place it is done.
  const own = task.outputFile ?? taskOf(run.crew, { task: input.task, standIn: false }).outputFile;
  if (own === undefined) return;
  const where = `task "${task.name}"`;
  const file = outputFileOf(own, run.inputs, where);
  const path = outputPath(run.outputFolder, file, where);
  await d.step(`${input.segment}/output-file`, async () => {
    await writeOutputFile(run.outputFolder, path, answer.raw);
    return undefined;
  });
  run.log.emit([input.segment], { type: "file-write", task: task.name, file: path });
}
