// A twin as a Model in this process: no socket, no JSON, all time on the twin's clock, so whole crews run in virtual time.
//
// It answers to any name, because an alias is the caller's; adapters answer to their own. Deltas come in the replica's chunks.
// Invariants: A1 to A3 of model/model.ts.

import { BosunError, detailOf, isBosunError } from "../../error.ts";
import type { ToolCall } from "../model/message.ts";
import type { Finish, Model, ModelEvent, ModelRequest, Reply } from "../model/model.ts";
import type { Usage } from "../model/usage.ts";
import type { Probe } from "../pool/probe.ts";
import { PLAIN_ASK, type TwinAsk } from "./ask.ts";
import { createTwinProbe } from "./probe.ts";
import { toServerMetrics } from "./server-metrics.ts";
import type { Delta } from "./text/answer.ts";
import { toPromptIds } from "./text/prompt.ts";
import type { Twin, TwinEvent } from "./twin.ts";

/** Where a twin in this process says that it runs. */
const ENDPOINT = "twin (simulated)";

/**
 * A Model whose calls take the time that the twin's engine takes, and that tells about itself. Throws what vLLM refuses, with
 * `details.status` as HTTP would have it.
 */
export function createTwinModel(twin: Twin): Model & Probe {
  const { clock, flags } = twin;
  let count = 0;

  async function* call(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const asked = toAsk(request, twin, `chatcmpl-twin-${++count}`);
    const startedAt = clock.now();
    const heard = createListener();
    try {
      for await (const event of twin.answer(asked, signal)) {
        if (signal.aborted) throw signal.reason;
        if (event.type === "start")
          yield { type: "start", endpoint: ENDPOINT, model: flags.servedModelName[0], attempt: 1 };
        else if (event.type === "tokens") {
          if (heard.tokens === 0) request.onFirstToken?.();
          yield* told(heard.add(event), request);
        } else if (event.type === "broken") throw broken(event.how);
        else yield { type: "end", ...toReply(event, heard, { twin, startedAt }) };
      }
    } catch (error) {
      throw withPartial(error, heard, { asked, signal });
    }
  }
  return {
    call,
    contextTokens: async () => flags.maxModelLen,
    countTokens: async (asked) => toPromptIds(asked).length,
    ...createTwinProbe(twin),
  };
}

/** The ask that a request stands for; what has no word in ModelSettings is read from `extraBody` by vLLM's names. */
function toAsk(request: ModelRequest, { flags, faults }: Twin, id: string): TwinAsk {
  const [name] = request.models;
  const isLora = typeof name === "string" && flags.loraModules.includes(name);
  const models = [isLora ? name : flags.servedModelName[0]] as const;
  const { settings, defaults = {} } = request;
  const extra = { ...defaults.extraBody, ...settings.extraBody };
  const number = (key: string): number => (typeof extra[key] === "number" ? extra[key] : 0);
  const salt = extra["cache_salt"];
  const { output } = request;
  return {
    ...PLAIN_ASK,
    id,
    request: { ...request, models },
    promptIds: toPromptIds(request),
    constraint: output ? { type: "json", schema: output.schema } : undefined,
    maxTokens: settings.maxTokens ?? defaults.maxTokens,
    minTokens: number("min_tokens"),
    ignoresEnd: extra["ignore_eos"] === true,
    stop: settings.stop ?? defaults.stop ?? [],
    priority: number("priority"),
    cacheSalt: typeof salt === "string" ? salt : undefined,
    fault: faults.next(),
  };
}

/** Puts together what has come. */
type Listener = {
  /** @returns what is new of text and reasoning. */
  add(event: Extract<TwinEvent, { type: "tokens" }>): readonly Delta[];
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly ToolCall[];
  readonly tokens: number;
  readonly firstAtMs: number | undefined;
};

function createListener(): Listener {
  const said = { text: "", reasoning: "", tokens: 0 };
  const calls: { id: string; tool: string; arguments: string }[] = [];
  let firstAtMs: number | undefined;
  return {
    add({ deltas, total, times }) {
      firstAtMs ??= times[0];
      said.tokens = total;
      for (const delta of deltas) {
        if (delta.type === "call-start")
          calls.push({ id: delta.id, tool: delta.tool, arguments: "" });
        else if (delta.type === "call-delta") {
          const last = calls.at(-1);
          if (last) last.arguments += delta.text;
        } else said[delta.type] += delta.text;
      }
      return deltas;
    },
    get text() {
      return said.text;
    },
    get reasoning() {
      return said.reasoning;
    },
    get calls() {
      return calls;
    },
    get tokens() {
      return said.tokens;
    },
    get firstAtMs() {
      return firstAtMs;
    },
  };
}

/** Deltas for whoever reads them now. */
function* told(deltas: readonly Delta[], request: ModelRequest): Generator<ModelEvent> {
  if (request.stream === false || request.hints.isWatched?.() === false) return;
  for (const delta of deltas) {
    if (delta.type === "text") yield { type: "text-delta", text: delta.text };
    if (delta.type === "reasoning") yield { type: "reasoning-delta", text: delta.text };
  }
}

function toReply(
  { finish, usage, timings }: Extract<TwinEvent, { type: "end" }>,
  { text, reasoning, calls, tokens, firstAtMs }: Listener,
  { twin, startedAt }: { readonly twin: Twin; readonly startedAt: number },
): Reply {
  const { clock, flags } = twin;
  const cached = flags.enablePromptTokensDetails ? usage.cachedTokens : undefined;
  const metrics = flags.enablePerRequestMetrics ? { server: toServerMetrics(timings, tokens) } : {};
  return {
    text,
    reasoning,
    calls,
    finish: toFinish(finish, calls.length > 0),
    usage: toUsage(usage.promptTokens, usage.completionTokens, cached),
    timings: {
      queueMs: 0,
      firstTokenMs: firstAtMs === undefined ? undefined : firstAtMs - startedAt,
      totalMs: clock.now() - startedAt,
      ...metrics,
    },
    endpoint: ENDPOINT,
    model: flags.servedModelName[0],
  };
}

function toFinish(raw: string, hasCalls: boolean): Finish {
  if (raw === "length") return { unified: "length", raw };
  if (raw === "tool_calls" || (raw === "stop" && hasCalls)) return { unified: "tool-calls", raw };
  return { unified: raw === "stop" ? "stop" : "other", raw };
}

function toUsage(input: number, output: number, cached: number | undefined): Usage {
  return {
    input: { total: input, cached },
    output: { total: output, reasoning: undefined },
    source: "server",
  };
}

function broken(how: "cut" | "malformed"): BosunError {
  return how === "cut"
    ? new BosunError("model/cut", `${ENDPOINT}: the stream ended without a finish`, {
        retryable: true,
      })
    : new BosunError("model/protocol", `${ENDPOINT} sent a chunk that is no chat completion`);
}

/** The error with what had come (A3); a caller that left gets `model/cancelled`. */
function withPartial(
  error: unknown,
  { text, tokens }: Listener,
  { asked, signal }: { readonly asked: TwinAsk; readonly signal: AbortSignal },
): BosunError {
  const usage = toUsage(asked.promptIds.length, tokens, undefined);
  const partial = {
    text,
    usage: { input: { total: usage.input.total }, output: { total: tokens }, source: usage.source },
  };
  if (signal.aborted)
    return new BosunError("model/cancelled", `${ENDPOINT}: the call was cancelled`, {
      details: partial,
      cause: signal.reason,
    });
  if (!isBosunError(error))
    return new BosunError("model/server", `${ENDPOINT} failed`, { details: partial, cause: error });
  const { code, message, retryable, details = {} } = error;
  const status = detailOf(error, "status");
  const where = typeof status === "number" ? `${ENDPOINT} answered ${status}: ` : "";
  const all = tokens > 0 ? { ...details, ...partial } : details;
  // What has begun to speak is not repeated, as with any endpoint (M5).
  const isRetryable = retryable && tokens === 0;
  return new BosunError(code, where + message, {
    retryable: isRetryable,
    details: all,
    cause: error,
  });
}
