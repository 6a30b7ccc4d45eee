// What the tests of managers and coworkers share: calls of a team's tools, and answers by who is asked.

import { crew, type RunnableCrew } from "../../../src/crew.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import type { Agent } from "../../../src/orchestration/crew/agent.ts";
import type { CrewOptions, Policy } from "../../../src/orchestration/crew/crew.ts";
import { type Task, task } from "../../../src/orchestration/crew/task.ts";
import type { Script, ScriptedCall, ScriptedReply } from "../../../src/test/scripted-model.ts";
import { job, scene, worker } from "./scenario.ts";

/** A turn that calls tools. */
export function calling(...calls: readonly ScriptedCall[]): ScriptedReply {
  return { calls };
}

export function delegate(coworker: string, work: string, context = ""): ScriptedCall {
  return { tool: "delegate_work", arguments: { coworker, task: work, context } };
}

export function ask(coworker: string, question: string, context = ""): ScriptedCall {
  return { tool: "ask_coworker", arguments: { coworker, question, context } };
}

export function sendBack(id: string, reasons: string): ScriptedCall {
  return { tool: "send_back", arguments: { id, reasons } };
}

/** Who makes a call: the coworker that got work, or "lead" for whoever does the task itself. */
export function whoIn({ hints }: ModelRequest): string {
  const segment = hints.path.findLast((part) => part.startsWith("agent:"));
  return segment === undefined ? "lead" : segment.slice("agent:".length);
}

type Answer = ScriptedReply | ((request: ModelRequest) => ScriptedReply | Promise<ScriptedReply>);

/** Answers by who is asked: the n-th call of one gets the n-th of its answers, further calls the last one. */
export function byWho(answers: Readonly<Record<string, Answer | readonly Answer[]>>): Script {
  const counts = new Map<string, number>();
  return (request) => {
    const who = whoIn(request);
    const key = `${request.hints.runId} ${who}`;
    const n = counts.get(key) ?? 0;
    counts.set(key, n + 1);
    const own = answers[who];
    const list = Array.isArray(own) ? own : [own];
    const answer: Answer | undefined = list[n] ?? list.at(-1);
    if (answer === undefined) throw new Error(`the test has no answer for ${who}`);
    return typeof answer === "function" ? answer(request) : answer;
  };
}

/** What the tools of the turn before a call brought, as its model reads them. */
export function resultsIn(request: ModelRequest | undefined): readonly string[] {
  const messages = request?.messages ?? [];
  const last = messages.findLastIndex(({ role }) => role === "assistant");
  return messages
    .slice(last + 1)
    .filter(({ role }) => role === "tool")
    .map(({ content }) => content);
}

/** The names of the tools that a call offers. */
export function toolsIn(request: ModelRequest | undefined): readonly string[] {
  return (request?.tools ?? []).map(({ name }) => name);
}

type LedOptions = Partial<
  CrewOptions<readonly Task<string, never, string>[], Policy, readonly Agent<never>[]>
>;

type Led = ReturnType<typeof scene> & {
  readonly made: RunnableCrew<
    readonly Task<string, never, string>[],
    Policy,
    readonly Agent<never>[]
  >;
};

/** A hierarchical crew of one task, `report`, on a scripted model. */
export function led(
  script: Script,
  options: LedOptions & { readonly agents: readonly Agent<never>[] },
  more: Parameters<typeof scene>[1] = {},
): Led {
  const { bosun, model, clock } = scene(script, more);
  const tasks: readonly Task<string, never, string>[] = [REPORT];
  const made = crew({ name: "c", tasks, process: "hierarchical", ...options, bosun });
  return { bosun, model, clock, made: made as Led["made"] }; // without placeholders
}

const REPORT = task({ name: "report", description: "Report on it", expectedOutput: "A report" });

/** An agent that may give work away, and one that does it. */
export const lead: Agent<never> = worker("Lead", { allowDelegation: true });
export const helper: Agent<never> = worker("Helper", { goal: "Help" });

/** A crew of one task, which the first of the agents does. */
export function peers(
  script: Script,
  agents: readonly Agent<never>[],
  options: object = {},
): Pick<Led, "model" | "made"> {
  const { bosun, model } = scene(script);
  const [first] = agents;
  if (!first) throw new Error("a crew needs somebody");
  const made = crew({ name: "c", tasks: [job("t", { agent: first })], agents, ...options, bosun });
  return { model, made };
}
