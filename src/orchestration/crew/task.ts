// A task: one piece of work with an expected output, done by one agent.

import type { ModelSettings } from "../../inference/model/endpoint.ts";
import { BosunError } from "../../error.ts";
import { isObject } from "../../json.ts";
import { isStandardSchema, type OutputOf, type Schema } from "../../schema.ts";
import type { Tool } from "../tool/tool.ts";
import { type Agent, checkToolNames, SETTING_CHECKS } from "./agent.ts";
import type { Placeholders } from "./input.ts";
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
  A extends Agent | string | undefined,
  S extends Schema | undefined,
  E extends OnError | undefined,
> = ModelSettings & {
  /** 1 to 64 letters, digits, `_` or `-`; unique in its crew. */
  readonly name: Name;
  /** What to do. May hold {placeholders}. */
  readonly description: Description;
  /** What a good answer looks like. May hold {placeholders}. */
  readonly expectedOutput: Expected;
  /** The agent, or the name of one of the crew's agents. */
  readonly agent: A;
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
  readonly types?: { readonly inputs: InputNames; readonly output: Output };
};

type InputNamesOf<A> = A extends {
  readonly types?: { readonly inputs: infer Names extends string } | undefined;
}
  ? Names
  : never;
type OutputType<S, E> =
  | (S extends Schema ? (E extends "partial" ? OutputOf<S> | undefined : OutputOf<S>) : string)
  | (E extends Task<string, string, infer StandIn> ? StandIn : never);

/** Default of `timeoutMs`: 10 minutes. */
export const DEFAULT_TASK_TIMEOUT_MS = 600_000;

/**
 * Makes a task.
 * @throws BosunError `crew/invalid` or `crew/not-built`, with the field's name.
 */
export function task<
  const Name extends string,
  const Description extends string,
  const Expected extends string,
  const A extends Agent | string | undefined = undefined,
  S extends Schema | undefined = undefined,
  const E extends OnError | undefined = undefined,
>(
  options: TaskOptions<Name, Description, Expected, A, S, E>,
): Task<
  Name,
  Placeholders<Description | Expected> | InputNamesOf<A> | InputNamesOf<E>,
  OutputType<S, E>
> {
  const where = `task "${options?.name}"`;
  checkOptions(where, options, KNOWN);
  const { context, output, tools = [], timeoutMs = DEFAULT_TASK_TIMEOUT_MS, ...rest } = options;
  const { async = false, retries = 1, onError = "fail" } = rest;
  checkToolNames(where, tools);
  if (options.retries !== undefined && onError !== "retry") {
    throw new BosunError(
      "crew/invalid",
      `${where}: retries counts only with onError: "retry". Set that, or leave retries out`,
    );
  }
  return { type: "task", ...rest, context, output, tools, timeoutMs, async, onError, retries };
}

const isOnError: Check = (value) =>
  typeOf(value) === "task"
    ? undefined
    : isOneOf(["fail", "retry", "partial"])(value) && "fail, retry, partial, or a task";

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
    ...SETTING_CHECKS,
  },
  notBuilt: [
    "guardrail",
    "guardrails",
    "when",
    "outputFile",
    "humanInput",
    "hooks",
    "writes",
    "markdown",
    "planning",
  ],
};
