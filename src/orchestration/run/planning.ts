// The plan that is made once, before a crew's first task. It stands apart from the tasks' own texts: each task sees its part as a
// section of its context, and the crew's definition stays as it is.

import { toBosunError } from "../../error.ts";
import { type JsonObject, parseJson } from "../../json.ts";
import { PLAN_OUTPUT } from "../../inference/model/message.ts";
import { PLANNER_NAME } from "../crew/cast.ts";
import { fillPlaceholders } from "../crew/input.ts";
import type { Durable } from "../durable/durable.ts";
import { askForJson } from "./ask-json.ts";
import { isFatal, withoutText } from "./failure.ts";
import { agentNameOf } from "./progress.ts";
import { planConversation, type PlannedTask } from "./prompt.ts";
import type { RunContext, World } from "./world.ts";

/** Plans by task; a task may have none. */
export type Plans = Readonly<Record<string, string>>;

/** The plans of a crew's tasks. A plan is a help: a run whose plan fails goes on without, and an event says why. */
export async function makePlans(d: Durable, world: World, run: RunContext): Promise<Plans> {
  const { crew, log } = run;
  if (!crew.planning) return {};
  try {
    const plans = await askForPlans(d, world, run);
    log.emit(["plan"], { type: "plan-end", status: "done", plans });
    return plans;
  } catch (error) {
    if (isFatal(d, error)) throw error;
    const failure = toBosunError(error, "run/failed", "the plan");
    const told = { status: "failed", plans: {}, error: withoutText(failure) } as const;
    log.emit(["plan"], { type: "plan-end", ...told });
    return {};
  }
}

async function askForPlans(d: Durable, world: World, run: RunContext): Promise<Plans> {
  const { crew } = run;
  const { planningModel } = crew;
  const models =
    planningModel === undefined ? run.modelsFor("plan") : run.modelsOf({ models: [planningModel] });
  const answer = await askForJson(d, world, {
    path: ["plan"],
    agent: PLANNER_NAME,
    task: "",
    purpose: "plan",
    models,
    conversation: planConversation(tasksOf(run)),
    output: { name: PLAN_OUTPUT, schema: schemaFor(crew.tasks.map(({ name }) => name)) },
    settings: {},
    timeouts: undefined,
    remainingCalls: crew.tasks.length,
  });
  return readPlans(answer);
}

function tasksOf(run: RunContext): readonly PlannedTask[] {
  return run.crew.tasks.map((task) => {
    const fill = (text: string): string =>
      fillPlaceholders(text, run.documents.brief, `task "${task.name}"`);
    const { name, description, expectedOutput } = task;
    const agent = agentNameOf(run, task);
    return { name, agent, description: fill(description), expectedOutput: fill(expectedOutput) };
  });
}

function schemaFor(names: readonly string[]): JsonObject {
  const plan = {
    type: "object",
    properties: { task: { type: "string", enum: names }, plan: { type: "string" } },
    required: ["task", "plan"],
    additionalProperties: false,
  };
  return {
    type: "object",
    properties: { plans: { type: "array", items: plan } },
    required: ["plans"],
    additionalProperties: false,
  };
}

function readPlans(raw: string): Plans {
  const { plans } = parseJson(raw) as { plans: readonly { task: string; plan: string }[] }; // `as`: checked against schemaFor
  return Object.fromEntries(
    plans.filter(({ plan }) => plan.trim() !== "").map(({ task, plan }) => [task, plan]),
  );
}
