// One model call inside a run: the fit before it, the step around it, the facts about it.

import { BosunError, detailOf, toBosunError } from "../../error.ts";
import { isObject, type Json } from "../../json.ts";
import type { Message } from "../../inference/model/message.ts";
import { nameOf } from "../../inference/model/endpoint.ts";
import type {
  FailedAttempt,
  ModelEvent,
  ModelRequest,
  Path,
  Reply,
} from "../../inference/model/model.ts";
import { estimatePrompt } from "../../inference/model/tokens.ts";
import { NO_USAGE, type Usage } from "../../inference/model/usage.ts";
import type { Durable, StepContext } from "../durable/durable.ts";
import { type Account, either, openAccount } from "./account.ts";
import {
  createTelling,
  NOTHING_TOLD,
  type Telling,
  type Told,
  toldIn,
  withoutTold,
  withTold,
} from "./call-told.ts";
import { fitConversation } from "./condense.ts";
import { isOverBudget, withoutText } from "./failure.ts";
import type { RunFact } from "./event.ts";
import { checkFit } from "./fit.ts";
import { hintsOf } from "./hint.ts";
import { runHook } from "./hook.ts";
import { toMessageParts, toMessages, toPromptParts } from "./prompt.ts";
import type { Ask } from "./model-ask.ts";
import type { Fit } from "./room.ts";
import type { RunContext, World } from "./world.ts";

/** The answer to one call, with what the crew's hooks make of it. */
export async function askModel(d: Durable, world: World, ask: Ask): Promise<Reply> {
  const reply = await askFitted(d, world, ask);
  if (world.runOf(d.runId).crew.hooks.afterModelCall === undefined) return reply;
  const { path, agent, task, purpose } = ask;
  const { text, calls, usage } = reply;
  const subject = { agent, task, purpose, text, calls, usage };
  const changed = await runHook(d, world, { hook: "afterModelCall", path }, subject);
  return typeof changed === "string" ? { ...reply, text: changed } : reply;
}

/** Two steps: the fit, then the call; what happens in them is in the log. */
async function askFitted(d: Durable, world: World, ask: Ask): Promise<Reply> {
  const run = world.runOf(d.runId);
  const { path, agent } = ask;
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
  const { defaultMaxTokens, scale } = fit;
  return sendFitted(d, world, ask, { messages, defaultMaxTokens, scale });
}

type Fitted = Pick<Fit, "defaultMaxTokens" | "scale"> & { readonly messages: readonly Message[] };

/** Reserves what the call can take, makes it in a step, and tells its end. */
async function sendFitted(d: Durable, world: World, ask: Ask, fitted: Fitted): Promise<Reply> {
  const run = world.runOf(d.runId);
  const { path, agent, purpose, signal } = ask;
  const key = path.join("/");
  const whose = `a call of agent "${agent}"${ask.task === "" ? "" : ` for task "${ask.task}"`}`;
  const request = toRequest(d, run, ask, fitted);
  const account = await openAccount(d, world, { key, whose, signal, call: { ...ask, ...fitted } });
  const telling = createTelling(run.log, path);
  const calling = { isOver: false };
  const end = { type: "model-end", agent, purpose } as const;
  try {
    const { reply, told, at } = await d.step(key, (step) =>
      callModel(world, run, { request, agent, path, telling, calling, account, signal }, step),
    );
    const { endpoint, model, finish, usage, timings, cached } = reply;
    const { cost } = told;
    account.close(usage, cost, told.failed);
    telling.again(told);
    if (!reply.cached) learn(world, request, { reply, told, at }, telling);
    // Said by the body from the step's result: a crash between the step's commit and this line loses no cost (C2).
    const answered = { status: "done", endpoint, model, finish, usage, timings } as const;
    run.log.emit(path, { ...end, ...answered, ...known({ cost, cached }) });
    return reply;
  } catch (error) {
    const usage = usageOf(error);
    const here = { failed: account.failed, cost: account.costOf(usage), ...telling.said };
    const { facts, cost, failed: before } = toldIn(error) ?? here;
    account.close(usage, cost, before);
    telling.again(toldIn(error) ?? NOTHING_TOLD);
    const own = withoutTold(error);
    if (isOverBudget(own)) account.refuseAll();
    if (!facts.some(({ type }) => type === "model-start")) throw own; // nothing was sent: the task's own end tells the error
    const failure = toBosunError(own, "model/server", `the model call of agent "${agent}"`);
    const status = failure.code === "model/cancelled" || d.signal.aborted ? "cancelled" : "failed";
    const failed = { status, error: withoutText(failure), usage } as const;
    run.log.emit(path, { ...end, ...failed, ...known({ cost }) });
    throw own;
  } finally {
    calling.isOver = true;
  }
}

/** The fields that have a value: events say nothing of the others. */
function known<Fields extends object>(fields: Fields): Partial<Fields> {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<Fields>; // `as`: the same fields, some left out
}

function toRequest(d: Durable, run: RunContext, ask: Ask, fitted: Fitted): ModelRequest {
  return {
    models: ask.models,
    messages: fitted.messages,
    ...(ask.tools.length > 0 ? { tools: ask.tools } : {}),
    output: ask.output,
    settings: ask.settings,
    timeouts: ask.timeouts,
    defaults: { maxTokens: fitted.defaultMaxTokens },
    hints: hintsOf(d, run, ask),
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
  if (world.runOf(d.runId).crew.hooks.beforeModelCall === undefined) return messages;
  const subject = { agent, task, purpose, messages };
  const changed = await runHook(d, world, { hook: "beforeModelCall", path }, subject);
  if (!Array.isArray(changed)) return messages;
  const changedMessages = changed as readonly Message[]; // `as`: runHook has checked their shape
  checkFit(changedMessages, tools, fit);
  return changedMessages;
}

type Call = {
  readonly request: ModelRequest;
  readonly agent: string;
  readonly path: Path;
  readonly telling: Telling;
  /** Whether its end was told. */
  readonly calling: { isOver: boolean };
  readonly account: Account;
  readonly signal: AbortSignal | undefined;
};

/** A step's result: the answer, and what was told and paid on the way to it. */
type Paid = {
  readonly reply: Reply;
  readonly told: Told;
  /** When it was answered, where answers are kept. */
  readonly at?: number | undefined;
};

/** What a call teaches the process. Said by the body: one that goes on with the run learns it too. */
function learn(
  { answers, tokens }: World,
  request: ModelRequest,
  { reply, told, at }: Paid,
  { said }: Telling,
): void {
  const { models, messages, tools } = request;
  const last = told.facts.findLast((fact) => fact.type === "model-fallback");
  tokens.note(last?.to ?? nameOf(models[0]), estimatePrompt(messages, tools), reply.usage);
  const isEarlier = said.facts.length === 0; // an earlier process has made the call
  if (isEarlier && last === undefined && at !== undefined) answers?.takeOver(request, reply, at);
}

/** The step's function. */
async function callModel(
  world: World,
  run: RunContext,
  call: Call,
  step: StepContext,
): Promise<Paid> {
  const { account, telling } = call;
  const toldWith = (usage: Usage): Told => {
    const { attempt, facts } = telling.said;
    return { attempt, facts: [...facts], failed: account.failed, cost: account.costOf(usage) };
  };
  try {
    const reply = await followCall(world, run, call, step);
    const at = world.answers && world.clock.now();
    return { reply, told: toldWith(reply.usage), at };
  } catch (error) {
    throw withTold(error, toldWith(usageOf(error)));
  }
}

/** Follows the call's events into the log until its end. */
async function followCall(
  world: World,
  { log }: RunContext,
  { request, agent, path, telling, calling, account, signal }: Call,
  step: StepContext,
): Promise<Reply> {
  const { purpose } = request.hints;
  for await (const event of world.model.call(request, either(step.signal, signal))) {
    if (calling.isOver) throw step.signal.reason; // a model that ignores its signal speaks to nobody
    switch (event.type) {
      case "text-delta":
        log.delta(path, { agent, channel: "text", text: event.text });
        break;
      case "reasoning-delta":
        log.delta(path, { agent, channel: "reasoning", text: event.text });
        break;
      case "queued":
        telling.say({ type: "model-queued", agent, reason: event.reason }, step.attempt);
        break;
      case "start": {
        const { endpoint, model, attempt: call } = event;
        telling.say({ type: "model-start", agent, purpose, endpoint, model, call }, step.attempt);
        break;
      }
      case "retry":
      case "fallback":
        telling.say(toFailedFact(event, agent, account), step.attempt);
        account.checkNext();
        break;
      case "end": {
        const { type: _, failed = [], ...reply } = event;
        for (const fact of behindFacts(failed, agent, account)) telling.say(fact, step.attempt);
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

/** The same of attempts that a gateway made, and has repeated already. */
function behindFacts(
  failed: readonly FailedAttempt[],
  agent: string,
  account: Account,
): readonly RunFact[] {
  const told = { type: "model-retry", agent, afterMs: 0, message: BEHIND } as const;
  return failed.map(({ code, usage }, index) => {
    const cost = account.costOf(usage);
    account.fail(usage, false);
    return { ...told, call: index + 1, code, usage, ...known({ cost }) };
  });
}

const BEHIND = "the gateway has repeated it";

/** Counts what an attempt that failed used, and tells it. */
function toFailedFact(
  event: Extract<ModelEvent, { readonly type: "retry" | "fallback" }>,
  agent: string,
  account: Account,
): RunFact {
  const { usage } = event;
  const told = known({ cost: usage && account.costOf(usage) });
  account.fail(usage ?? NO_USAGE, event.type === "fallback");
  if (event.type === "fallback") return { ...event, type: "model-fallback", agent, ...told };
  const { attempt: call, afterMs, code, message } = event;
  return { type: "model-retry", agent, call, afterMs, code, message, usage, ...told };
}

function isUsage(value: Json | undefined): value is Json & Usage {
  return isObject(value) && isObject(value["input"]) && isObject(value["output"]);
}
