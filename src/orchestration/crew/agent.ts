// An agent: who does the work. A stateless spec: any number of tasks and runs use one at the same time.

import { BosunError } from "../../error.ts";
import { isObject } from "../../json.ts";
import type { ModelRef, ModelSettings, Timeouts } from "../../inference/model/endpoint.ts";
import type { Tool } from "../tool/tool.ts";
import type { Placeholders } from "./input.ts";
import {
  type Check,
  checkOptions,
  isBetween,
  isFlag,
  isListOf,
  isString,
  isText,
  isWhole,
  type KnownOptions,
  optional,
} from "./option.ts";
import { isModelChain, toModelList } from "./purpose-model.ts";

/** What a user writes. */
export type AgentOptions<
  Role extends string,
  Goal extends string,
  Backstory extends string,
  Name extends string = string,
> = ModelSettings & {
  /** Who it is: "Research analyst". May hold {placeholders}, as goal and backstory may. */
  readonly role: Role;
  /** What it is after. */
  readonly goal: Goal;
  readonly backstory?: Backstory | undefined;
  /** How it is called in events and tables. Default: its role. */
  readonly name?: Name | undefined;
  /** A model, or several: the further ones are tried in order when the first fails. Default: the run's model. */
  readonly model?: ModelRef | readonly [ModelRef, ...ModelRef[]] | undefined;
  readonly tools?: readonly Tool[] | undefined;
  /** true lets it ask the crew's other agents and delegate work to them, in any process; where there are none it has nobody to ask. Default false. */
  readonly allowDelegation?: boolean | undefined;
  /** Most turns with tools; then one last call without tools must answer. Default 25. */
  readonly maxIterations?: number | undefined;
  /** Most time for one task, in milliseconds. Default: the task's own. */
  readonly timeoutMs?: number | undefined;
  /** Bounds of each model call, over those of its endpoint. */
  readonly timeouts?: Timeouts | undefined;
  /** false: its answers are neither taken from the response cache nor kept there. Default: the run's. */
  readonly responseCache?: boolean | undefined;
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
  readonly allowDelegation: boolean;
  readonly maxIterations: number;
  readonly timeoutMs: number | undefined;
  readonly timeouts: Timeouts | undefined;
  readonly responseCache: boolean | undefined;
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
  const Name extends string = "",
>(
  options: AgentOptions<Role, Goal, Backstory, Name>,
): Agent<Placeholders<Role | Goal | Backstory | Name>> {
  const where = `agent "${options?.name ?? options?.role}"`;
  checkOptions(where, options, KNOWN);
  const { role, goal, model, tools = [], ...rest } = options;
  const {
    name = role,
    backstory = "",
    allowDelegation = false,
    maxIterations = DEFAULT_MAX_ITERATIONS,
    timeoutMs,
    timeouts,
    responseCache,
    ...settings
  } = rest;
  checkToolNames(where, tools);
  const models = toModelList(model);
  return {
    type: "agent",
    name,
    role,
    goal,
    backstory,
    models,
    tools,
    allowDelegation,
    maxIterations,
    timeoutMs,
    timeouts,
    responseCache,
    ...settings,
  };
}

/** @throws BosunError `crew/invalid` when two tools of a list have one name: the model could not tell them apart. */
export function checkToolNames(where: string, tools: readonly Tool[]): void {
  const twice = tools.find(
    ({ name }, index) => tools.findIndex((other) => other.name === name) < index,
  );
  if (!twice) return;
  throw new BosunError(
    "crew/invalid",
    `${where}: two of its tools are named "${twice.name}". Give one of them another name`,
  );
}

const TIMEOUT_NAMES = ["queueMs", "connectMs", "firstTokenMs", "interTokenMs", "totalMs"];

const isTimeouts: Check = (value) => {
  const isRight = ([key, ms]: [string, unknown]): boolean =>
    TIMEOUT_NAMES.includes(key) && (ms === undefined || isWhole(1)(ms) === undefined);
  return isObject(value) && Object.entries(value).every(isRight)
    ? undefined
    : `milliseconds by name: ${TIMEOUT_NAMES.join(", ")}`;
};

const isThinking: Check = (value) => {
  const budget =
    typeof value === "object" && value !== null && "budgetTokens" in value
      ? value.budgetTokens
      : undefined;
  return typeof value === "boolean" || isWhole(1)(budget) === undefined
    ? undefined
    : "true, false or { budgetTokens }";
};

const isStop: Check = (value) => {
  const isShort =
    Array.isArray(value) && value.length <= 16 && value.every((text) => isText(text) === undefined);
  return isShort ? undefined : "a list of at most 16 texts";
};

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

/** Checks of the model settings, on agents and tasks alike. */
export const SETTING_CHECKS: Readonly<Record<keyof ModelSettings, Check>> = {
  temperature: optional(isBetween(0, 2)),
  topP: optional(isBetween(0, 1)),
  seed: optional(isWhole(0)),
  stop: optional(isStop),
  maxTokens: optional(isWhole(1)),
  thinking: optional(isThinking),
  extraBody: optional((value) => (isObject(value) ? undefined : "an object")),
};

const KNOWN: KnownOptions = {
  checks: {
    role: isText,
    goal: isText,
    backstory: optional(isString),
    name: optional(isText),
    model: optional(isModelChain),
    tools: optional(isListOf("tool")),
    allowDelegation: optional(isFlag),
    maxIterations: optional(isWhole(1)),
    timeoutMs: optional(isWhole(1)),
    timeouts: optional(isTimeouts),
    responseCache: optional(isFlag),
    ...SETTING_CHECKS,
  },
  notBuilt: ["memory", "knowledge", "maxRpm", "tenant"],
};
