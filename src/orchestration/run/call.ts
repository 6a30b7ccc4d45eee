// One model call inside a run: the fit before it, the step around it, the facts about it.

import { BosunError, detailOf, toBosunError } from "../../error.ts";
import { isObject, type Json } from "../../json.ts";
import type { Message } from "../../inference/model/message.ts";
import { nameOf } from "../../inference/model/endpoint.ts";
import type { ModelEvent, ModelRequest, Path, Reply } from "../../inference/model/model.ts";
import { estimatePrompt } from "../../inference/model/tokens.ts";
import { NO_USAGE, type Usage } from "../../inference/model/usage.ts";
import type { Durable, StepContext } from "../durable/durable.ts";
import type { RunFact } from "./event.ts";
import { withoutText } from "./failure.ts";
import { fitConversation } from "./condense.ts";
import { checkFit } from "./fit.ts";
import { runHook } from "./hook.ts";
import { toMessageParts, toMessages, toPromptParts } from "./prompt.ts";
import type { Ask } from "./model-ask.ts";
import type { Fit } from "./room.ts";
import type { RunContext, World } from "./world.ts";

/** The answer to one call, with what the crew's hooks make of it. */
export async function askModel(d: Durable, world: World, ask: Ask): Promise<Reply> {
  const reply = await askFitted(d, world, ask);
  if (world.runOf(d.rootId).crew.hooks.afterModelCall === undefined) return reply;
  const { path, agent, task, purpose } = ask;
  const { text, calls, usage } = reply;
  const subject = { agent, task, purpose, text, calls, usage };
  const changed = await runHook(d, world, { hook: "afterModelCall", path }, subject);
  return typeof changed === "string" ? { ...reply, text: changed } : reply;
}

/** Two steps: the fit, then the call; what happens in them is in the log. */
async function askFitted(d: Durable, world: World, ask: Ask): Promise<Reply> {
  const run = world.runOf(d.rootId);
  const { path, agent, purpose } = ask;
  const key = path.join("/");
  const { fit, conversation } = await fitConversation(d, world, ask, (one) =>
    askModel(d, world, one),
  );
  const fitted = toMessages(conversation);
  const messages = await hookMessages(d, world, ask, { fit, messages: fitted });
  ask.onFit?.(fit.cuts);
  if (run.showPrompts) {
    const isChanged = messages !== fitted;
    const parts = isChanged
      ? toMessageParts(messages, ask.tools)
      : toPromptParts(conversation, ask.tools);
    run.log.emit(path, { type: "model-prompt", agent, parts });
  }
  const { defaultMaxTokens } = fit;
  const isWatched = (): boolean => run.log.isRead();
  const request = toRequest(d, ask, { messages, defaultMaxTokens, isWatched });
  const told: Told = { isStarted: false, isOver: false };
  try {
    const reply = await d.step(key, (step) =>
      callModel(world, run, { request, agent, path, told }, step),
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
    if (!told.isStarted) throw error; // nothing was sent: the task's own end tells the error
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
  } finally {
    told.isOver = true;
  }
}

function toRequest(
  d: Durable,
  ask: Ask,
  fitted: {
    readonly messages: readonly Message[];
    readonly defaultMaxTokens: number;
    readonly isWatched: () => boolean;
  },
): ModelRequest {
  const { path, purpose, remainingCalls } = ask;
  return {
    models: ask.models,
    messages: fitted.messages,
    ...(ask.tools.length > 0 ? { tools: ask.tools } : {}),
    output: ask.output,
    settings: ask.settings,
    timeouts: ask.timeouts,
    defaults: { maxTokens: fitted.defaultMaxTokens },
    hints: {
      runId: d.rootId,
      path,
      purpose,
      remainingCalls,
      isWatched: fitted.isWatched,
    },
  };
}

/** The usage that an error carries; nothing when it carries none. */
export function usageOf(error: unknown): Usage {
  const usage = detailOf(error, "usage");
  return isUsage(usage) ? usage : NO_USAGE;
}

/** The messages as the crew's hook wants them. @throws BosunError `model/context-length` when they do not fit any more (M1). */
async function hookMessages(
  d: Durable,
  world: World,
  { path, agent, task, purpose, tools }: Ask,
  { fit, messages }: { readonly fit: Fit; readonly messages: readonly Message[] },
): Promise<readonly Message[]> {
  if (world.runOf(d.rootId).crew.hooks.beforeModelCall === undefined) return messages;
  const subject = { agent, task, purpose, messages };
  const changed = await runHook(d, world, { hook: "beforeModelCall", path }, subject);
  if (!Array.isArray(changed)) return messages;
  const changedMessages = changed as readonly Message[]; // `as`: runHook has checked their shape
  checkFit(changedMessages, tools, fit);
  return changedMessages;
}

/** What the log knows of a call: whether it was sent, and whether its end was told. */
type Told = { isStarted: boolean; isOver: boolean };

type Call = {
  readonly request: ModelRequest;
  readonly agent: string;
  readonly path: Path;
  readonly told: Told;
};

/** The step's function: follows the call's events into the log until its end. */
async function callModel(
  world: World,
  { log }: RunContext,
  { request, agent, path, told }: Call,
  step: StepContext,
): Promise<Reply> {
  const { purpose } = request.hints;
  let answering = nameOf(request.models[0]);
  for await (const event of world.model.call(request, step.signal)) {
    if (told.isOver) throw step.signal.reason; // a model that ignores its signal speaks to nobody
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
        told.isStarted = true;
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
      case "retry":
        log.emit(path, toRetryFact(event, agent), step.attempt);
        break;
      case "fallback":
        answering = event.to;
        log.emit(path, { ...event, type: "model-fallback", agent }, step.attempt);
        break;
      case "end": {
        const { type: _, ...reply } = event;
        world.tokens.note(answering, estimatePrompt(request.messages, request.tools), reply.usage);
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

function toRetryFact(event: Extract<ModelEvent, { type: "retry" }>, agent: string): RunFact {
  const { attempt: call, afterMs, code, message, usage } = event;
  return { type: "model-retry", agent, call, afterMs, code, message, usage };
}

function isUsage(value: Json | undefined): value is Json & Usage {
  return isObject(value) && isObject(value["input"]) && isObject(value["output"]);
}
