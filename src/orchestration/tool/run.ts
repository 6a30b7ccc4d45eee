// What happens at a tool call: arguments read and checked, uses counted, the cache asked, the tool run in its time, its result
// bounded. Knows nothing of agents, steps and events.
//
// Invariants
//   U1  `run` rejects only when the run is aborted, and then at once; everything else is an outcome that a model can read.
//   U2  A tool's code is never waited for longer than its time-out. One that ignores its signal is abandoned.
//   U3  No stack and no value of the tool's own reaches the model but the error's message.

import { type Clock, until } from "../../clock.ts";
import { BosunError, type ErrorCode, isBosunError, messageOf } from "../../error.ts";
import { canonicalJson, type Json, type JsonObject } from "../../json.ts";
import { readArguments, readGiven } from "./arguments.ts";
import { createResultCache } from "./cache.ts";
import { limitResult, type LimitedResult } from "./limit.ts";
import { toJsonResult } from "./result.ts";
import type { Tool, ToolContext } from "./tool.ts";

/** What a call came to. `content` is what the model reads: the result, or what was wrong and how to mend it. Plain JSON. */
export type ToolOutcome =
  | {
      readonly type: "done";
      readonly content: string;
      /** What `content` was made of: the result, or what the limits left of it. */
      readonly value: Json;
      /** Of `content`. */
      readonly bytes: number;
      /** Of `content`, estimated. */
      readonly tokens: number;
      readonly truncated: boolean;
      /** True when an earlier or simultaneous call did the work. */
      readonly cached: boolean;
      /** The whole result as a text, uncut, when the tool's result is the task's answer (`resultAsAnswer`). At most 1 MiB. */
      readonly answer?: string | undefined;
    }
  | {
      readonly type: "failed";
      readonly code: ErrorCode;
      readonly message: string;
      readonly content: string;
    };

/** Runs the tools of one root run: uses are counted and results are kept for as long as it lives. */
export interface ToolRunner {
  /**
   * Runs one call.
   * @param argumentsText As the model wrote it.
   * @throws the reason of `context.signal`, and nothing else.
   */
  run(tool: Tool, argumentsText: string, context: ToolContext): Promise<ToolOutcome>;
  /** Takes over what a call came to in an earlier process of the run: its use counts, and its result answers an equal call. */
  note(tool: Tool, argumentsText: string, outcome: ToolOutcome): void;
}

/** A runner without uses and results. @param options.cache For tools that do not say it themselves. */
export function createToolRunner(options: {
  readonly clock: Clock;
  readonly cache: boolean;
}): ToolRunner {
  const { clock } = options;
  const uses = new WeakMap<Tool, number>();
  const numbers = createNumbers();
  const results = createResultCache<ToolResult>();
  const isCached = (tool: Tool): boolean => tool.cache ?? options.cache;
  // By number, because two agents may have different tools of one name.
  const keyOf = (tool: Tool, given: JsonObject): string =>
    `${numbers.of(tool)} ${tool.name} ${canonicalJson(given)}`;
  /** Settles when the results of an earlier process are taken over. */
  let takenOver = Promise.resolve();
  const takeOver = async (tool: Tool, argumentsText: string, result: ToolResult): Promise<void> =>
    results.keep(keyOf(tool, await readGiven(tool, argumentsText)), result);

  const call = async (
    tool: Tool,
    argumentsText: string,
    context: ToolContext,
    runSignal: AbortSignal,
  ): Promise<ToolOutcome> => {
    const { given, validated } = await until(readArguments(tool, argumentsText), context.signal);
    takeUse(uses, tool);
    const execute = (): Promise<ToolResult> => executeTool(tool, validated, context);
    if (!isCached(tool)) return { type: "done", ...(await execute()), cached: false };
    await until(takenOver, context.signal);
    const key = keyOf(tool, given);
    // The run's signal, not the deadline's: whoever shares an execution that runs out of time shares that failure.
    const { value, isShared } = await results.get(key, execute, runSignal);
    return { type: "done", ...value, cached: isShared };
  };

  return {
    async run(tool, argumentsText, context) {
      const { signal } = context;
      signal.throwIfAborted();
      const { name, timeoutMs } = tool;
      using deadline = clock.deadline(
        timeoutMs,
        signal,
        () =>
          new BosunError("tool/timed-out", `tool ${name} gave no result within ${timeoutMs} ms`),
      );
      try {
        return await until(
          call(tool, argumentsText, { ...context, signal: deadline.signal }, signal),
          deadline.signal,
        );
      } catch (error) {
        signal.throwIfAborted(); // U1
        return toFailed(tool, error);
      }
    },
    note(tool, argumentsText, outcome) {
      const isUse = outcome.type === "done" || !UNUSED.has(outcome.code);
      if (isUse) uses.set(tool, (uses.get(tool) ?? 0) + 1);
      if (outcome.type === "failed" || !isCached(tool)) return;
      const { type: _type, cached: _cached, ...result } = outcome;
      const take = (): Promise<void> => takeOver(tool, argumentsText, result);
      takenOver = takenOver.then(take).catch(() => undefined); // without it the tool is run once more
    },
  };
}

/** A call that came to these was refused before it was a use. */
const UNUSED: ReadonlySet<ErrorCode> = new Set(["tool/arguments", "tool/limit"]);

/** Counts a use. @throws BosunError `tool/limit` when there is none left. */
function takeUse(uses: WeakMap<Tool, number>, tool: Tool): void {
  const used = uses.get(tool) ?? 0;
  if (tool.maxUses !== undefined && used >= tool.maxUses) {
    throw new BosunError(
      "tool/limit",
      `tool ${tool.name} may be called ${tool.maxUses} times in one run, and has been`,
    );
  }
  uses.set(tool, used + 1);
}

type ToolResult = LimitedResult & { readonly answer?: string | undefined };

async function executeTool(tool: Tool, args: unknown, context: ToolContext): Promise<ToolResult> {
  const { signal } = context;
  signal.throwIfAborted();
  const result = toJsonResult(await until(invoke(tool, args, context), signal));
  const answer = tool.resultAsAnswer ? { answer: toAnswer(tool, result) } : {};
  const { summary } = tool;
  const limited = await limitResult(
    result,
    tool.output,
    summary &&
      (async (value) =>
        toJsonResult(await until(Promise.resolve(summary(value, context)), signal))),
  );
  signal.throwIfAborted();
  return { ...limited, ...answer };
}

/** Largest result that is an answer: 1 MiB of UTF-8. It goes to the user and into the journal, not into a prompt. */
const MAX_ANSWER_BYTES = 1_048_576;

function toAnswer(tool: Tool, result: Json): string {
  const text = typeof result === "string" ? result : JSON.stringify(result);
  const bytes = Buffer.byteLength(text);
  if (bytes <= MAX_ANSWER_BYTES) return text;
  throw new BosunError(
    "tool/failed",
    `the result of tool ${tool.name} is the answer and has ${bytes} bytes, the limit is ${MAX_ANSWER_BYTES}`,
  );
}

/** Async, so that a tool that throws before its first await rejects too. Reflect: `args` has the type that the schema let through. */
async function invoke(tool: Tool, args: unknown, context: ToolContext): Promise<unknown> {
  return Reflect.apply(tool.run, undefined, [args, context]);
}

/** Longest message that goes to a model. */
const MAX_MESSAGE = 2_000;

const ADVICE: Readonly<Partial<Record<ErrorCode, string>>> = {
  "tool/arguments": "Call the tool again with arguments that fit",
  "tool/limit": "Go on with the results that you have",
  "tool/timed-out": "Ask it for less, or go on without it",
  "tool/refused": "Ask for something else, or go on without it",
};

function toFailed(tool: Tool, error: unknown): ToolOutcome {
  const [code, said]: [ErrorCode, string] = isBosunError(error)
    ? [error.code, error.message]
    : ["tool/failed", `tool ${tool.name} failed: ${messageOf(error)}`];
  const message = said.length > MAX_MESSAGE ? `${said.slice(0, MAX_MESSAGE)}…` : said;
  const advice = ADVICE[code] ?? "Try other arguments, or go on without this tool";
  const content = `Error: ${message.replace(/[.\s]+$/, "")}. ${advice}.`;
  return { type: "failed", code, message, content };
}

/** A number for each tool, as long as the tool lives. */
function createNumbers(): { of(tool: Tool): number } {
  const known = new WeakMap<Tool, number>();
  let last = 0;
  return {
    of(tool) {
      const number = known.get(tool) ?? ++last;
      known.set(tool, number);
      return number;
    },
  };
}
