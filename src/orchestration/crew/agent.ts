// An agent: who does the work. A stateless spec: any number of tasks and runs use one at the same time.

import type { ModelRef, ModelSettings } from "../../inference/model/endpoint.ts";
import type { Tool } from "../tool/tool.ts";
import type { Placeholders } from "./input.ts";
import { checkOptions, checkText, checkWhole } from "./option.ts";

/** What a user writes. */
export type AgentOptions<
  Role extends string,
  Goal extends string,
  Backstory extends string,
> = ModelSettings & {
  /** Who it is: "Research analyst". May hold {placeholders}, as goal and backstory may. */
  readonly role: Role;
  /** What it is after. */
  readonly goal: Goal;
  readonly backstory?: Backstory | undefined;
  /** How it is called in events and tables. Default: its role. */
  readonly name?: string | undefined;
  /** A model, or several: the further ones are tried in order when the first fails. Default: the run's model. */
  readonly model?: ModelRef | readonly [ModelRef, ...ModelRef[]] | undefined;
  readonly tools?: readonly Tool[] | undefined;
  /** Most turns with tools; then one last call without tools must answer. Default 25. */
  readonly maxIterations?: number | undefined;
  /** Most time for one task, in milliseconds. Default: the task's own. */
  readonly timeoutMs?: number | undefined;
};

/** An agent as data. `types` exists only for the compiler. */
export type Agent<InputNames extends string = string> = ModelSettings & {
  readonly type: "agent";
  readonly name: string;
  readonly role: string;
  readonly goal: string;
  readonly backstory: string;
  readonly models: readonly ModelRef[];
  readonly tools: readonly Tool[];
  readonly maxIterations: number;
  readonly timeoutMs: number | undefined;
  readonly types?: { readonly inputs: InputNames };
};

/** Default of `maxIterations`, as in CrewAI. */
export const DEFAULT_MAX_ITERATIONS = 25;

/**
 * Makes an agent.
 * @throws BosunError `crew/invalid` or `crew/not-built`, with the field's name.
 */
export function agent<
  const Role extends string,
  const Goal extends string,
  const Backstory extends string = "",
>(options: AgentOptions<Role, Goal, Backstory>): Agent<Placeholders<Role | Goal | Backstory>> {
  const where = `agent "${options.name ?? options.role}"`;
  checkOptions(where, options, KNOWN);
  checkText(where, "role", options.role);
  checkText(where, "goal", options.goal);
  checkWhole(where, "maxIterations", options.maxIterations, 1);
  checkWhole(where, "maxTokens", options.maxTokens, 1);
  checkWhole(where, "timeoutMs", options.timeoutMs, 1);
  const {
    role,
    goal,
    backstory = "",
    name = role,
    model,
    tools = [],
    maxIterations = DEFAULT_MAX_ITERATIONS,
    timeoutMs,
    ...settings
  } = options;
  const models = model === undefined ? [] : isList(model) ? model : [model];
  return {
    type: "agent",
    name,
    role,
    goal,
    backstory,
    models,
    tools,
    maxIterations,
    timeoutMs,
    ...settings,
  };
}

function isList(model: ModelRef | readonly ModelRef[]): model is readonly ModelRef[] {
  return Array.isArray(model);
}

/** Names of the model settings, on agents and tasks alike. */
export const SETTING_NAMES = [
  "temperature",
  "topP",
  "seed",
  "stop",
  "maxTokens",
  "thinking",
  "extraBody",
] as const;

const KNOWN = {
  built: [
    "role",
    "goal",
    "backstory",
    "name",
    "model",
    "tools",
    "maxIterations",
    "timeoutMs",
    ...SETTING_NAMES,
  ],
  notBuilt: ["allowDelegation", "memory", "knowledge", "hooks", "session", "maxRpm", "tenant"],
};
