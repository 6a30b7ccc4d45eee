// A model that says what a test tells it to: the same events as a real one, from a list or a function.
//
// Takes no time of its own (a delay runs on the clock that it is given) and opens no connection.

import { type Clock, until } from "../clock.ts";
import { BosunError, toBosunError } from "../error.ts";
import type { Json } from "../json.ts";
import type { ToolCall } from "../inference/model/message.ts";
import type { Finish, Model, ModelEvent, ModelRequest, Reply } from "../inference/model/model.ts";
import { estimatePrompt, estimateTokens } from "../inference/model/tokens.ts";
import type { Usage } from "../inference/model/usage.ts";

/** A call that the model asks for. `arguments` is turned into JSON text; a string is sent as it is, broken or not. */
export type ScriptedCall = {
  readonly tool: string;
  readonly arguments: Json;
  readonly id?: string | undefined;
};

/** One answer. */
export type ScriptedAnswer = {
  /** Default "". */
  readonly text?: string | undefined;
  /** How the text is cut into events; its sum is the text when `text` is unset. Default: one piece. */
  readonly deltas?: readonly string[] | undefined;
  /** What the model thinks before it answers. Default "". */
  readonly reasoning?: string | undefined;
  readonly calls?: readonly ScriptedCall[] | undefined;
  /** Default: "tool-calls" with calls, else "stop". */
  readonly finish?: Finish["unified"] | undefined;
  /** Default: estimated from the request and the answer. */
  readonly usage?: Usage | undefined;
  /** Milliseconds before the first event after "start". Needs the option `clock`. */
  readonly delayMs?: number | undefined;
};

/** An answer, its text alone, or an error that the call throws. */
export type ScriptedReply = string | ScriptedAnswer | Error;

/** Replies in order, or made for each call; `index` counts from 0. */
export type Script =
  | readonly ScriptedReply[]
  | ((request: ModelRequest, index: number) => ScriptedReply | Promise<ScriptedReply>);

export type ScriptedModelOptions = {
  /** The clock that `delayMs` runs on; a virtual one, so that the test does not wait. */
  readonly clock?: Clock | undefined;
  /** What `contextTokens` answers. Default: unknown. */
  readonly contextTokens?: number | undefined;
  /** The model's name in events. Default "scripted". */
  readonly name?: string | undefined;
};

/** A scripted model and the requests that it got, in the order in which their calls began. */
export type ScriptedModel = Model & { readonly requests: readonly ModelRequest[] };

/**
 * A model that replies as `script` says.
 *
 * A call beyond the script's end throws `model/bad-request`, an aborted one `model/cancelled` with what had come, and an
 * error of the script is thrown as it is when it is a BosunError, else as the cause of a `model/server`.
 */
export function scriptedModel(script: Script, options: ScriptedModelOptions = {}): ScriptedModel {
  const { clock, contextTokens, name = "scripted" } = options;
  const requests: ModelRequest[] = [];
  const now = (): number => clock?.now() ?? 0;

  async function* call(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const startedAt = now();
    let heard = "";
    const stopIfAborted = (): void => {
      if (signal.aborted) throw cancelled(request, heard, signal);
    };
    stopIfAborted();
    const index = requests.push(request) - 1;
    yield { type: "start", endpoint: ENDPOINT, model: name, attempt: 1 };
    stopIfAborted();
    const answer = await nextAnswer({ script, request, index, clock }, signal).catch((error) => {
      stopIfAborted();
      throw toBosunError(error, "model/server", "scripted model");
    });
    stopIfAborted();
    const firstTokenMs = isSilent(answer) ? undefined : now() - startedAt;
    for (const delta of request.stream === false ? [] : deltasOf(answer)) {
      if (delta.type === "text-delta") heard += delta.text;
      yield delta;
      stopIfAborted();
    }
    const timings = { queueMs: 0, firstTokenMs, totalMs: now() - startedAt };
    const reply = toReply(answer, request, index);
    yield { type: "end", ...reply, timings, endpoint: ENDPOINT, model: name };
  }
  return { requests, call, contextTokens: async () => contextTokens };
}

const ENDPOINT = "scripted";

type Turn = {
  readonly script: Script;
  readonly request: ModelRequest;
  readonly index: number;
  readonly clock: Clock | undefined;
};

/** The answer of this turn, after its delay. Rejects with what the script throws, or with the signal's reason. */
async function nextAnswer(turn: Turn, signal: AbortSignal): Promise<ScriptedAnswer> {
  const { script, request, index, clock } = turn;
  const asked = typeof script === "function" ? script(request, index) : script[index];
  const reply = await until(Promise.resolve(asked), signal);
  if (reply === undefined) throw noReply(turn);
  if (reply instanceof Error) throw reply;
  const answer = typeof reply === "string" ? { text: reply } : reply;
  if (answer.delayMs !== undefined) {
    if (!clock) throw new BosunError("config/invalid", NO_CLOCK);
    await clock.sleep(answer.delayMs, signal);
  }
  return answer;
}

const NO_CLOCK =
  "scripted model: delayMs needs the option clock; give a virtual one, so that the test does not wait";

function noReply({ script, request, index }: Turn): BosunError {
  const why =
    typeof script === "function" ? "the function gave none" : `the script has ${script.length}`;
  const last = request.messages.at(-1)?.content.slice(0, 200) ?? "";
  return new BosunError(
    "model/bad-request",
    `scripted model: no reply for call ${index + 1}, ${why}. The call's last message: ${last}`,
  );
}

function isSilent(answer: ScriptedAnswer): boolean {
  return deltasOf(answer).length === 0 && (answer.calls ?? []).length === 0;
}

type Delta = Extract<ModelEvent, { readonly type: "text-delta" | "reasoning-delta" }>;

function deltasOf(answer: ScriptedAnswer): Delta[] {
  const text = answer.deltas ?? (answer.text ? [answer.text] : []);
  const reasoning = answer.reasoning ? [answer.reasoning] : [];
  return [
    ...reasoning.map((piece): Delta => ({ type: "reasoning-delta", text: piece })),
    ...text.map((piece): Delta => ({ type: "text-delta", text: piece })),
  ];
}

function toReply(
  answer: ScriptedAnswer,
  request: ModelRequest,
  index: number,
): Omit<Reply, "timings" | "endpoint" | "model"> {
  const text = answer.text ?? (answer.deltas ?? []).join("");
  const reasoning = answer.reasoning ?? "";
  const calls = (answer.calls ?? []).map((call, at): ToolCall => {
    const said =
      typeof call.arguments === "string" ? call.arguments : JSON.stringify(call.arguments);
    return { id: call.id ?? `call-${index + 1}-${at + 1}`, tool: call.tool, arguments: said };
  });
  const unified = answer.finish ?? (calls.length > 0 ? "tool-calls" : "stop");
  const usage =
    answer.usage ??
    estimateUsage(
      request,
      text + reasoning + calls.map((call) => call.tool + call.arguments).join(""),
    );
  return { text, reasoning, calls, finish: { unified, raw: unified.replace("-", "_") }, usage };
}

function estimateUsage(request: ModelRequest, said: string): Usage {
  return {
    input: { total: estimatePrompt(request.messages, request.tools), cached: undefined },
    output: { total: estimateTokens(said), reasoning: undefined },
    source: "estimated",
  };
}

function cancelled(request: ModelRequest, heard: string, signal: AbortSignal): BosunError {
  return new BosunError("model/cancelled", "scripted model: the call was aborted", {
    details: { text: heard, usage: estimateUsage(request, heard) },
    cause: signal.reason,
  });
}
