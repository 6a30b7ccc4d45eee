// What the tests of long inputs share: an analysis of a record that is too long for its context.

import { crew } from "../../../src/crew.ts";
import { type Agent, agent } from "../../../src/orchestration/crew/agent.ts";
import type { InputFit } from "../../../src/orchestration/crew/input-fit.ts";
import { type Task, task } from "../../../src/orchestration/crew/task.ts";
import type { RunResult, TaskResult } from "../../../src/orchestration/run/result.ts";
import type { Script, ScriptedAnswer, ScriptedModel } from "../../../src/test/scripted-model.ts";
import { customerRecord } from "./record.ts";
import { eventsOf, scene } from "./scenario.ts";

/** About 30,000 tokens. */
export const RECORD: string = customerRecord(30_000);
export const CONTEXT = 8_192;
export const analyst: Agent<never> = agent({ role: "Analyst", goal: "Judge claims" });
export const analyse: Task<"analyse", "record", string> = task({
  name: "analyse",
  description: "Which deductible holds for water damage? Record: {record}",
  expectedOutput: "An amount",
  agent: analyst,
});

/** An answer that calls a tool. */
export function call(tool: string, args: Record<string, string | number>): ScriptedAnswer {
  return { calls: [{ tool, arguments: args }] };
}
export const searchThenSay: Script = (_, index) =>
  index === 0 ? call("search_input", { query: "deductible for water damage" }) : "450 euros";

/** A run of the analysis, and a way to run it once more. */
type Ran = Awaited<ReturnType<typeof eventsOf>> & {
  readonly model: ScriptedModel;
  readonly result: () => Promise<RunResult<{ readonly analyse: TaskResult<string> }>>;
};

/** One run of the analysis. */
export async function run(
  script: Script,
  options: {
    readonly fit?: InputFit;
    readonly record?: string;
    readonly inlineTokens?: number;
  } = {},
): Promise<Ran> {
  const { fit, record = RECORD, inlineTokens } = options;
  const { bosun, model } = scene(script, { contextTokens: CONTEXT });
  const inputs = fit ? { record: { fit } } : undefined;
  const made = crew({ name: "claims", tasks: [analyse], bosun, inputs, inlineTokens });
  const { events, error } = await eventsOf(made.stream({ inputs: { record } }));
  return { model, events, error, result: () => made.kickoff({ inputs: { record } }) };
}
