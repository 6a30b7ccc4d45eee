// A tool: a function that a model may call. This file has its type and its builder; run.ts has what happens at a call.

import { BosunError } from "../../error.ts";
import type { Json } from "../../json.ts";
import type { OutputOf, Schema } from "../../schema.ts";

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
  /** Default 64 KiB. */
  readonly maxBytes?: number | undefined;
  /** Estimated tokens. Default 4,000. */
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
  /** Must honour `context.signal`. May throw: the message goes back to the model. Its result must be JSON. */
  readonly run: (args: OutputOf<S>, context: ToolContext) => Promise<unknown> | unknown;
  /** Default 60,000. */
  readonly timeoutMs?: number | undefined;
  readonly output?: OutputLimit | undefined;
  /** Shortens a result that is over the limit; must not throw. Without it the result is cut by its structure. */
  readonly summary?: ((result: Json, context: ToolContext) => Promise<Json> | Json) | undefined;
  /** Most calls in one run; further ones are refused with an error that the model reads. Default: no bound of its own. */
  readonly maxUses?: number | undefined;
  /** true reuses a result of the same run for the same arguments; failures are never kept. Default: the crew's setting, which is false. */
  readonly cache?: boolean | undefined;
  /** true makes the result the task's answer, without another model call. Default false. */
  readonly resultAsAnswer?: boolean | undefined;
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
};

/**
 * Makes a tool.
 * @throws BosunError `tool/invalid` with the field's name, what was expected and what it got.
 */
export function tool<const S extends Schema>(options: ToolOptions<S>): Tool {
  const { name, description, timeoutMs = 60_000, maxUses } = options;
  const check = (ok: boolean, field: string, expected: string, got: unknown): void => {
    if (!ok) throw new BosunError("tool/invalid", `tool ${name}: ${field} must be ${expected}, got ${String(got)}`);
  };
  check(/^[\w-]{1,64}$/.test(name), "name", "1 to 64 letters, digits, _ or -", name);
  check(description?.trim().length > 0, "description", "a text that tells the model when to use it", description);
  check(typeof options.parameters === "object" || typeof options.parameters === "function", "parameters", "a schema", options.parameters);
  check(typeof options.run === "function", "run", "a function", options.run);
  check(Number.isFinite(timeoutMs) && timeoutMs > 0, "timeoutMs", "a positive number of milliseconds", timeoutMs);
  check(maxUses === undefined || (Number.isInteger(maxUses) && maxUses > 0), "maxUses", "a positive whole number", maxUses);
  return {
    type: "tool",
    name,
    description,
    parameters: options.parameters,
    run: options.run,
    timeoutMs,
    output: { maxBytes: options.output?.maxBytes ?? 65_536, maxTokens: options.output?.maxTokens ?? 4_000 },
    summary: options.summary,
    maxUses,
    cache: options.cache,
    resultAsAnswer: options.resultAsAnswer ?? false,
  };
}
