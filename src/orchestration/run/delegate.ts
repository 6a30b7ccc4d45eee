// The body of a piece of work that an agent gave away: a child run in which the coworker does it.

import { strict as assert } from "node:assert";
import { allTasks } from "../crew/cast.ts";
import { runAgent } from "./agent.ts";
import type { Durable } from "../durable/durable.ts";
import type { DelegationFlow, DelegationInput } from "./delegation.ts";
import { failureOf } from "./failure.ts";
import { type Answer, settingsOf, workplaceOf } from "./job.ts";
import { delegatedOpening, EARLIER_SECTION, type Section, startConversation } from "./prompt.ts";
import { lookAt, tellReading } from "./sight.ts";
import type { RunContext, World } from "./world.ts";

/** The flow of work given away. It may be given on, as deep as the crew allows. */
export function createDelegationFlow(world: World): DelegationFlow {
  const flow: DelegationFlow = {
    name: "bosun/delegation",
    version: "1",
    async run(d, input) {
      try {
        return await doPiece(d, world, { input, flow });
      } catch (error) {
        throw failureOf(d, error, `agent "${input.agent}"`);
      }
    },
  };
  return flow;
}

async function doPiece(
  d: Durable,
  world: World,
  { input, flow }: { readonly input: DelegationInput; readonly flow: DelegationFlow },
): Promise<Answer> {
  const run = world.runOf(d.runId);
  const spec = run.crew.agents.find(({ name }) => name === input.agent);
  assert(spec, `the crew has no agent "${input.agent}" to give work to`);
  const place = workplaceOf(run, spec, { tools: spec.tools, givers: input.givers });
  const { kind, text, reasons, path, task } = input;
  const settings = settingsOf(place.agent);
  const opening = delegatedOpening({ kind, text, reasons });
  const { description } = opening;
  const texts = textsOf(run, task);
  const looking = { path, place, settings, task, description, isTemplate: false, texts };
  const sight = await lookAt(d, world, looking);
  const conversation = startConversation({
    agent: place.agent,
    inputs: sight.brief,
    team: place.team,
    sections: [...sight.sections, ...sectionsOf(input)],
    ...opening,
    description: sight.description,
    schema: undefined,
  });
  const job = {
    ...place,
    tools: sight.tools,
    toolSpecs: sight.toolSpecs,
    reading: sight.reading,
    task: { name: task, ...WITHOUT_CHECKS },
    path,
    settings,
    schema: undefined,
    conversation,
    fit: run.crew.fit,
    remainingCalls: undefined,
  };
  try {
    return await runAgent(d, world, job, flow);
  } finally {
    tellReading(run, looking, sight);
  }
}

/** The task's own texts: what it has of long inputs, its coworkers can read too. */
function textsOf({ crew }: RunContext, name: string): readonly string[] {
  const task = allTasks(crew.tasks).find((one) => one.name === name);
  return task ? [task.description, task.expectedOutput] : [];
}

function sectionsOf({ from, context, earlier }: DelegationInput): readonly Section[] {
  return [
    ...(context.trim() === "" ? [] : [{ name: `context from ${from}`, text: context }]),
    ...(earlier === undefined ? [] : [{ name: EARLIER_SECTION, text: earlier }]),
  ];
}

/** Whoever gave the work away checks it; the task's own checks are for the task's answer. */
const WITHOUT_CHECKS = {
  output: undefined,
  guardrails: [],
  guardrailRetries: 0,
  humanInput: undefined,
} as const;
