// One model call inside a run: the fit before it, the step around it, the facts about it.

import { BosunError, detailOf, type ErrorData, toBosunError } from "../../error.ts";
import { isObject, type Json } from "../../json.ts";
import type { OutputSpec, ToolSpec } from "../../inference/model/message.ts";
import type { ModelRef, ModelSettings } from "../../inference/model/endpoint.ts";
import type { ModelRequest, Path, Purpose, Reply } from "../../inference/model/model.ts";
import { NO_USAGE, type Usage } from "../../inference/model/usage.ts";
import type { Durable, StepContext } from "../durable/durable.ts";
import { applyFit, type Cut, planFit } from "./fit.ts";
import { type Conversation, toMessages, toPromptParts } from "./prompt.ts";
import type { RunContext, World } from "./world.ts";

/** A call as the agent loop asks for it. */
export type Ask = {
  readonly path: Path;
  readonly agent: string;
  readonly purpose: Purpose;
  readonly models: readonly [ModelRef, ...ModelRef[]];
  readonly conversation: Conversation;
  readonly tools: readonly ToolSpec[];
  readonly output: OutputSpec | undefined;
  readonly settings: ModelSettings;
  readonly remainingCalls: number | undefined;
};

/** Default of `maxTokens`, when the context is known to be at least four times as long. */
export const DEFAULT_MAX_TOKENS = 2_048;
/** Reserved on top of maxTokens when thinking is on without a budget. */
const DEFAULT_THINKING_TOKENS = 4_096;

/** The answer to one call. Two steps: the fit, then the call; what happens in them is in the log. */
export async function askModel(d: Durable, world: World, ask: Ask): Promise<Reply> {
  const run = world.runOf(d.rootId);
  const { path, agent, purpose } = ask;
  const key = path.join("/");
  const fit = await d.step(`${key}/fit`, (step) => fitAsk(world, ask, step.signal));
  for (const cut of fit.cuts) run.log.emit(path, { type: "context-trim", ...cut });
  const conversation = applyFit(ask.conversation, fit.cuts);
  if (run.showPrompts)
    run.log.emit(path, {
      type: "model-prompt",
      agent,
      parts: toPromptParts(conversation, ask.tools),
    });
  const request = toRequest(d, ask, { conversation, maxTokens: fit.maxTokens });
  let isStarted = false;
  const onStart = (): void => void (isStarted = true);
  try {
    const reply = await d.step(key, (step) =>
      callModel(world, run, { request, agent, path, onStart }, step),
    );
    const { endpoint, model, finish, usage, timings } = reply;
    // Said by the body from the step's result: a crash between the step's commit and this line loses no cost (C2).
    run.log.emit(path, {
      type: "model-end",
      agent,
      purpose,
      status: "done",
      endpoint,
      model,
      finish,
      usage,
      timings,
    });
    return reply;
  } catch (error) {
    if (!isStarted) throw error; // nothing was sent: the task's own end tells the error
    const failure = toBosunError(error, "model/server", `the model call of agent "${agent}"`);
    const status = failure.code === "model/cancelled" || d.signal.aborted ? "cancelled" : "failed";
    run.log.emit(path, {
      type: "model-end",
      agent,
      purpose,
      status,
      error: withoutText(failure),
      usage: usageOf(error),
    });
    throw error;
  }
}

function toRequest(
  d: Durable,
  ask: Ask,
  fitted: { readonly conversation: Conversation; readonly maxTokens: number },
): ModelRequest {
  const { path, purpose, remainingCalls } = ask;
  return {
    models: ask.models,
    messages: toMessages(fitted.conversation),
    ...(ask.tools.length > 0 ? { tools: ask.tools } : {}),
    output: ask.output,
    settings: { ...ask.settings, maxTokens: fitted.maxTokens },
    hints: {
      runId: d.rootId,
      path,
      purpose,
      remainingCalls,
    },
  };
}

/** The usage that an error carries; nothing when it carries none. */
export function usageOf(error: unknown): Usage {
  const usage = detailOf(error, "usage");
  return isUsage(usage) ? usage : NO_USAGE;
}

type Fit = { readonly cuts: readonly Cut[]; readonly maxTokens: number };

async function fitAsk(world: World, ask: Ask, signal: AbortSignal): Promise<Fit> {
  const contextTokens = await world.model.contextTokens(ask.models, signal);
  const [first] = ask.models;
  const own: ModelSettings = typeof first === "string" ? {} : first;
  const maxTokens =
    ask.settings.maxTokens ??
    own.maxTokens ??
    Math.min(DEFAULT_MAX_TOKENS, Math.floor((contextTokens ?? Infinity) / 4));
  const thinking = ask.settings.thinking ?? own.thinking;
  const thinkingTokens =
    typeof thinking === "object" ? thinking.budgetTokens : thinking ? DEFAULT_THINKING_TOKENS : 0;
  const cuts = planFit(ask.conversation, ask.tools, {
    contextTokens,
    reservedTokens: maxTokens + thinkingTokens,
  });
  return { cuts, maxTokens };
}

type Call = {
  readonly request: ModelRequest;
  readonly agent: string;
  readonly path: Path;
  readonly onStart: () => void;
};

/** The step's function: follows the call's events into the log until its end. */
async function callModel(
  world: World,
  { log }: RunContext,
  { request, agent, path, onStart }: Call,
  step: StepContext,
): Promise<Reply> {
  const { purpose } = request.hints;
  for await (const event of world.model.call(request, step.signal)) {
    switch (event.type) {
      case "text-delta":
        log.delta(path, { agent, channel: "text", text: event.text });
        break;
      case "reasoning-delta":
        log.delta(path, { agent, channel: "reasoning", text: event.text });
        break;
      case "queued":
        log.emit(path, { type: "model-queued", agent, reason: event.reason }, step.attempt);
        break;
      case "start":
        onStart();
        log.emit(
          path,
          {
            type: "model-start",
            agent,
            purpose,
            endpoint: event.endpoint,
            model: event.model,
            call: event.attempt,
          },
          step.attempt,
        );
        break;
      case "retry": {
        const { attempt: call, afterMs, code, message, usage } = event;
        log.emit(
          path,
          { type: "model-retry", agent, call, afterMs, code, message, usage },
          step.attempt,
        );
        break;
      }
      case "fallback":
        log.emit(path, { ...event, type: "model-fallback", agent }, step.attempt);
        break;
      case "end": {
        const { type: _, ...reply } = event;
        return reply;
      }
      default:
        return event satisfies never;
    }
  }
  throw new BosunError(
    "model/cut",
    `the model of agent "${agent}" ended its events without an end`,
  );
}

/** The error without the partial text: events stay small, the text is in the task's result. */
function withoutText(error: BosunError): ErrorData {
  const { details, ...data } = error.toJSON();
  if (!isObject(details)) return data;
  const { text: _, ...rest } = details;
  return { ...data, details: rest };
}

function isUsage(value: Json | undefined): value is Json & Usage {
  return isObject(value) && isObject(value["input"]) && isObject(value["output"]);
}
