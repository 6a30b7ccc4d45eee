// A tool: a function that a model may call. This file has its type and its builder; run.ts has what happens at a call.

import { BosunError } from "../../error.ts";
import type { Json } from "../../json.ts";
import { isStandardSchema, type OutputOf, type Schema } from "../../schema.ts";
import { type Approval, isApproval } from "./approval.ts";

/** What a tool's function gets besides its arguments. */
export type ToolContext = {
  readonly runId: string;
  /** Unique for this call and the same when it is repeated after a crash: an idempotency key. */
  readonly key: string;
  /** Aborts when the run is cancelled or the tool's time is over. Pass it on to whatever waits. */
  readonly signal: AbortSignal;
};

/** Bounds of what a tool's result may bring into a prompt. */
export type OutputLimit = {
  /** UTF-8 bytes of the text that the model reads. Default 65,536; at least 64. */
  readonly maxBytes?: number | undefined;
  /** Estimated tokens of that text. Default 4,000; at least 16. */
  readonly maxTokens?: number | undefined;
};

/** What a user writes. */
export type ToolOptions<S extends Schema> = {
  /** Letters, digits, `_` and `-`; at most 64. */
  readonly name: string;
  /** What it does and when to use it: the model reads this. */
  readonly description: string;
  /** An object's schema. */
  readonly parameters: S;
  /** Must honour `context.signal`. May throw: the message goes back to the model. Its result, or what its promise brings, must be JSON. */
  readonly run: (args: OutputOf<S>, context: ToolContext) => unknown;
  /** Default 60,000. A tool that goes on after it is abandoned: its late result is thrown away. */
  readonly timeoutMs?: number | undefined;
  readonly output?: OutputLimit | undefined;
  /** Shortens a result that is over the limit; when it throws, or without it, the result is cut by its structure. */
  readonly summary?: ((result: Json, context: ToolContext) => Promise<Json> | Json) | undefined;
  /** Most calls in one run, with those answered from the cache; further ones are refused with an error that the model reads. Default: no bound of its own. */
  readonly maxUses?: number | undefined;
  /** true reuses a result of the same run for the same arguments; failures are never kept. Default: the crew's setting, which is false. */
  readonly cache?: boolean | undefined;
  /** true makes the result the task's answer, without another model call. Default false. */
  readonly resultAsAnswer?: boolean | undefined;
  /** Calls that wait for a person, who may change the arguments. Default: none. */
  readonly approval?: Approval<OutputOf<S>> | false | undefined;
};

/** A tool, ready to stand in an agent's or a task's `tools`. */
export type Tool = {
  readonly type: "tool";
  readonly name: string;
  readonly description: string;
  readonly parameters: Schema;
  readonly run: (args: never, context: ToolContext) => unknown;
  readonly timeoutMs: number;
  readonly output: { readonly maxBytes: number; readonly maxTokens: number };
  readonly summary: ((result: Json, context: ToolContext) => Promise<Json> | Json) | undefined;
  readonly maxUses: number | undefined;
  readonly cache: boolean | undefined;
  readonly resultAsAnswer: boolean;
  readonly approval: Approval | undefined;
};

/**
 * Makes a tool.
 * @throws BosunError `tool/invalid` with the field's name, what was expected and what it got.
 */
export function tool<const S extends Schema>(options: ToolOptions<S>): Tool {
  checkTool(options);
  const {
    name,
    description,
    parameters,
    run,
    timeoutMs = 60_000,
    summary,
    maxUses,
    cache,
  } = options;
  return {
    type: "tool",
    name,
    description,
    parameters,
    run,
    timeoutMs,
    output: {
      maxBytes: options.output?.maxBytes ?? 65_536,
      maxTokens: options.output?.maxTokens ?? 4_000,
    },
    summary,
    maxUses,
    cache,
    resultAsAnswer: options.resultAsAnswer ?? false,
    approval: options.approval || undefined,
  };
}

/** Below these not even "N of M characters left out" fits. */
const LEAST_BYTES = 64;
const LEAST_TOKENS = 16;

const KNOWN: ReadonlySet<string> = new Set([
  "name",
  "description",
  "parameters",
  "run",
  "timeoutMs",
  "output",
  "summary",
  "maxUses",
  "cache",
  "resultAsAnswer",
  "approval",
]);

function checkTool(options: ToolOptions<Schema>): void {
  const { name, description, parameters, run, timeoutMs, output, summary, maxUses } = options;
  const { approval } = options;
  const check = (isRight: boolean, field: string, expected: string, got: unknown): void => {
    if (isRight) return;
    const shown = JSON.stringify(got) ?? typeof got;
    throw new BosunError(
      "tool/invalid",
      `tool ${name}: ${field} must be ${expected}, got ${shown}`,
    );
  };
  check(
    typeof name === "string" && /^[\w-]{1,64}$/.test(name),
    "name",
    "1 to 64 letters, digits, _ or -",
    name,
  );
  for (const key of Object.keys(options)) {
    check(KNOWN.has(key), key, `one of the options ${[...KNOWN].join(", ")}`, key);
  }
  check(
    typeof description === "string" && description.trim() !== "",
    "description",
    "a text that tells the model when to use it",
    description,
  );
  check(isObjectSchema(parameters), "parameters", "the schema of an object", parameters);
  check(typeof run === "function", "run", "a function", run);
  check(
    timeoutMs === undefined || (Number.isFinite(timeoutMs) && timeoutMs > 0),
    "timeoutMs",
    "a positive number of milliseconds",
    timeoutMs,
  );
  check(
    isWholeFrom(LEAST_BYTES, output?.maxBytes),
    "output.maxBytes",
    `a whole number of at least ${LEAST_BYTES}`,
    output?.maxBytes,
  );
  check(
    isWholeFrom(LEAST_TOKENS, output?.maxTokens),
    "output.maxTokens",
    `a whole number of at least ${LEAST_TOKENS}`,
    output?.maxTokens,
  );
  check(summary === undefined || typeof summary === "function", "summary", "a function", summary);
  check(
    approval === undefined || isApproval(approval),
    "approval",
    "true, false, a function, or { when, timeoutMs, onTimeout }",
    approval,
  );
  check(isWholeFrom(1, maxUses), "maxUses", "a positive whole number", maxUses);
}

/** A model's arguments are always an object: a JSON Schema that says another type could never be met. */
function isObjectSchema(schema: unknown): boolean {
  if (isStandardSchema(schema)) return true;
  if (typeof schema !== "object" || schema === null || Array.isArray(schema)) return false;
  return !("type" in schema) || schema.type === "object";
}

function isWholeFrom(least: number, value: number | undefined): boolean {
  return value === undefined || (Number.isInteger(value) && value >= least);
}
