// A task: one piece of work with an expected output, done by one agent.

import type { ModelSettings } from "../../inference/model/endpoint.ts";
import { BosunError } from "../../error.ts";
import { isObject } from "../../json.ts";
import { isStandardSchema, type OutputOf, type Schema } from "../../schema.ts";
import type { AskLimits } from "../tool/approval.ts";
import type { Tool } from "../tool/tool.ts";
import { type Agent, checkToolNames, SETTING_CHECKS } from "./agent.ts";
import type { Condition } from "./condition.ts";
import {
  DEFAULT_GUARDRAIL_RETRIES,
  type Guardrail,
  isGuardrails,
  toGuardrails,
} from "./guardrail.ts";
import type { Placeholders } from "./input.ts";
import { type FitMode, isFitMode } from "./input-fit.ts";
import {
  type Check,
  checkOptions,
  isFlag,
  isListOf,
  isName,
  isOneOf,
  isText,
  isWhole,
  type KnownOptions,
  optional,
  typeOf,
} from "./option.ts";

/**
 * What happens when a task fails:
 * "fail" ends it as failed; "retry" does it anew, up to `retries` times (never for a model error: the pool has retried that);
 * "partial" takes the text that is there as its output; a task is done in its place.
 */
export type OnError = "fail" | "retry" | "partial" | Task;

/** What a user writes. */
export type TaskOptions<
  Name extends string,
  Description extends string,
  Expected extends string,
  A extends Agent | string | undefined | Absent,
  S extends Schema | undefined,
  E extends OnError | undefined,
  File extends string | undefined = string | undefined,
> = ModelSettings & {
  /** 1 to 64 letters, digits, `_` or `-`; unique in its crew. */
  readonly name: Name;
  /** What to do. May hold {placeholders}. */
  readonly description: Description;
  /** What a good answer looks like. May hold {placeholders}. */
  readonly expectedOutput: Expected;
  /** The agent, or the name of one of the crew's agents. Only a hierarchical crew does without. */
  readonly agent?: A;
  /** Tasks whose outputs this one sees. Unset: all earlier ones (sequential), none (parallel). [] = none. */
  readonly context?: readonly Task[] | undefined;
  /** The answer's shape. The result's `output` is then typed and validated. */
  readonly output?: S;
  /** Tools of this task, besides its agent's. */
  readonly tools?: readonly Tool[] | undefined;
  /** Default 600,000. */
  readonly timeoutMs?: number | undefined;
  /** true lets a sequential crew go on while this task runs. Default false. */
  readonly async?: boolean | undefined;
  /** Default "fail". */
  readonly onError?: E;
  /** With onError: "retry": most further attempts. Default 1. */
  readonly retries?: number | undefined;
  /** What the answer must pass, in order. All are asked again about each new answer. */
  readonly guardrail?: Guardrail | readonly Guardrail[] | undefined;
  /** Most new answers after refusals; the last reason is in the error. Default 3. */
  readonly guardrailRetries?: number | undefined;
  /** false skips the task: it has no output, and those that see its output go on without. A condition that throws fails the task. */
  readonly when?: Condition | undefined;
  /**
   * A file for the answer, below the output folder; folders are made, a file that is there is replaced. May hold {placeholders};
   * what they bring becomes one part of a name: slashes and leading dots become "-". A partial answer is not written.
   */
  readonly outputFile?: File;
  /** Lets a person approve, edit or reject the answer; a rejected one goes back to the agent with the reason. */
  readonly humanInput?: boolean | AskLimits | undefined;
  /** How earlier outputs that are too long for a call are shortened. Default: the crew's. */
  readonly fit?: FitMode | undefined;
};

/** A task as data. `types` exists only for the compiler. */
export type Task<
  Name extends string = string,
  InputNames extends string = string,
  Output = unknown,
> = ModelSettings & {
  readonly type: "task";
  readonly name: Name;
  readonly description: string;
  readonly expectedOutput: string;
  readonly agent: Agent | string | undefined;
  readonly context: readonly Task[] | undefined;
  readonly output: Schema | undefined;
  readonly tools: readonly Tool[];
  readonly timeoutMs: number;
  readonly async: boolean;
  readonly onError: OnError;
  readonly retries: number;
  readonly guardrails: readonly Guardrail[];
  readonly guardrailRetries: number;
  readonly when: Condition | undefined;
  readonly outputFile: string | undefined;
  readonly humanInput: AskLimits | undefined;
  readonly fit?: FitMode | undefined;
  readonly types?: { readonly inputs: InputNames; readonly output: Output };
};

/**
 * No agent at all. As a default of A it lets the compiler say which property is wrong: with `undefined` as the default, each slip in a
 * task's options was an error at its agent.
 */
type Absent = { readonly absent: never };
type InputNamesOf<A> = [Absent] extends [A] ? never : NamesIn<A>;
type NamesIn<A> = A extends {
  readonly types?: { readonly inputs: infer Names extends string } | undefined;
}
  ? Names
  : never;
type InputsIn<Texts extends string, A, E> = Placeholders<Texts> | InputNamesOf<A> | InputNamesOf<E>;
type OutputType<S, E> =
  | (S extends Schema ? (E extends "partial" ? OutputOf<S> | undefined : OutputOf<S>) : string)
  | (E extends Task<string, string, infer StandIn> ? StandIn : never);

/** Default of `timeoutMs`: 10 minutes. */
export const DEFAULT_TASK_TIMEOUT_MS = 600_000;

/**
 * Makes a task. One with a condition may have no output.
 * @throws BosunError `crew/invalid` or `crew/not-built`, with the field's name.
 */
export function task<
  const Name extends string,
  const Description extends string,
  const Expected extends string,
  const A extends Agent | string | undefined | Absent = Agent | string | undefined | Absent,
  S extends Schema | undefined = undefined,
  const E extends OnError | undefined = undefined,
  const File extends string | undefined = undefined,
>(
  options: TaskOptions<Name, Description, Expected, A, S, E, File> & { readonly when?: undefined },
): Task<Name, InputsIn<Description | Expected | Extract<File, string>, A, E>, OutputType<S, E>>;
export function task<
  const Name extends string,
  const Description extends string,
  const Expected extends string,
  const A extends Agent | string | undefined | Absent = Agent | string | undefined | Absent,
  S extends Schema | undefined = undefined,
  const E extends OnError | undefined = undefined,
  const File extends string | undefined = undefined,
>(
  options: TaskOptions<Name, Description, Expected, A, S, E, File>,
): Task<
  Name,
  InputsIn<Description | Expected | Extract<File, string>, A, E>,
  OutputType<S, E> | undefined
>;
export function task(
  options: TaskOptions<
    string,
    string,
    string,
    Agent | string | undefined,
    Schema | undefined,
    OnError | undefined
  >,
): Task {
  const where = `task "${options?.name}"`;
  checkOptions(where, options, KNOWN);
  const { context, output, tools = [], timeoutMs = DEFAULT_TASK_TIMEOUT_MS, ...given } = options;
  const { agent, guardrail, humanInput, guardrailRetries, when, outputFile, ...rest } = given;
  const { async = false, retries = 1, onError = "fail" } = rest;
  checkToolNames(where, tools);
  checkCounts(where, options);
  return {
    type: "task",
    ...rest,
    agent,
    context,
    output,
    tools,
    timeoutMs,
    async,
    onError,
    retries,
    guardrails: toGuardrails(guardrail),
    guardrailRetries: guardrailRetries ?? DEFAULT_GUARDRAIL_RETRIES,
    when,
    outputFile,
    humanInput: humanInput === true ? {} : humanInput || undefined,
  };
}

/** Numbers that count only with something else would be ignored without it. */
function checkCounts(
  where: string,
  { onError, retries, guardrail, guardrailRetries }: CountedOptions,
): void {
  const [name, needed] =
    retries !== undefined && onError !== "retry"
      ? ["retries", 'onError: "retry"']
      : guardrailRetries !== undefined && guardrail === undefined
        ? ["guardrailRetries", "a guardrail"]
        : [];
  if (name === undefined) return;
  throw new BosunError(
    "crew/invalid",
    `${where}: ${name} counts only with ${needed}. Set that, or leave ${name} out`,
  );
}

type CountedOptions = {
  readonly onError?: OnError | undefined;
  readonly retries?: number | undefined;
  readonly guardrail?: unknown;
  readonly guardrailRetries?: number | undefined;
};

const isOnError: Check = (value) =>
  typeOf(value) === "task"
    ? undefined
    : isOneOf(["fail", "retry", "partial"])(value) && "fail, retry, partial, or a task";

const isHumanInput: Check = (value) => {
  if (typeof value === "boolean") return undefined;
  const { timeoutMs, onTimeout, ...others } = isObject(value) ? value : { value };
  const isRight =
    Object.keys(others).length === 0 &&
    optional(isWhole(1))(timeoutMs) === undefined &&
    optional(isOneOf(["approve", "reject"]))(onTimeout) === undefined;
  return isRight ? undefined : 'true, false, or { timeoutMs, onTimeout: "approve" | "reject" }';
};

const isSchema: Check = (value) =>
  isStandardSchema(value) || isObject(value) ? undefined : "a schema (zod, …) or JSON Schema";

const KNOWN: KnownOptions = {
  checks: {
    name: isName,
    description: isText,
    expectedOutput: isText,
    agent: optional((value) =>
      typeOf(value) === "agent"
        ? undefined
        : isText(value) && "what agent() makes, or the name of one of the crew's agents",
    ),
    context: optional(isListOf("task")),
    output: optional(isSchema),
    tools: optional(isListOf("tool")),
    timeoutMs: optional(isWhole(1)),
    async: optional(isFlag),
    onError: optional(isOnError),
    retries: optional(isWhole(0)),
    guardrail: optional(isGuardrails),
    guardrailRetries: optional(isWhole(0)),
    when: optional((value) => (typeof value === "function" ? undefined : "a function")),
    outputFile: optional(isText),
    humanInput: optional(isHumanInput),
    fit: optional(isFitMode),
    ...SETTING_CHECKS,
  },
  notBuilt: ["writes", "memory", "knowledge"],
};
