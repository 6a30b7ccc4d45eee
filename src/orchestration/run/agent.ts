// The agent loop: asks the model, runs the tools that it calls, asks again, until there is an answer.
//
// A body: deterministic given its steps' results. It keeps everything about one piece of work in its own variables, so an agent
// can do any number of them at once, and messages, iterations and budgets start clean with each (crew/agent.ts: stateless).
//
// Bounds: `maxIterations` turns with tools, then those without; MAX_CALLS_PER_TURN tools a turn; what mostMended (answer.ts) allows.

import type { Message, ToolCall } from "../../inference/model/message.ts";
import type { Path, Reply } from "../../inference/model/model.ts";
import type { Durable } from "../durable/durable.ts";
import { type Fault, judgeAnswer, mostMended } from "./answer.ts";
import { askModel } from "./call.ts";
import { createLedger, delegateAll, type DelegationFlow, type Ledger } from "./delegation.ts";
import { runHook } from "./hook.ts";
import type { AgentJob, Answer } from "./job.ts";
import { FINAL_ANSWER } from "./prompt.ts";
import { kindOf } from "./team.ts";
import {
  afterCall,
  type AskedCall,
  beforeCall,
  type CallOutcome,
  callTool,
  type Hooked,
} from "./tool-call.ts";
import type { World } from "./world.ts";

/** Most tools of one turn that are run; the model is told about the others. */
const MAX_CALLS_PER_TURN = 16;

/** What the functions of this body share. */
type Body = {
  readonly d: Durable;
  readonly world: World;
  readonly job: AgentJob;
  readonly flow: DelegationFlow;
  readonly turns: Message[];
  readonly ledger: Ledger;
};

/**
 * The agent's answer as text; checked JSON text when the task has a schema.
 * @param flow Does what the agent gives away.
 * @throws BosunError `agent/iterations`, `agent/empty-answer`, `task/…`, or a model's error.
 */
export async function runAgent(
  d: Durable,
  world: World,
  job: AgentJob,
  flow: DelegationFlow,
): Promise<Answer> {
  const body: Body = { d, world, job, flow, turns: [], ledger: createLedger() };
  const { turns } = body;
  const mended = new Map<Fault, number>();
  let fault: Fault | undefined;
  for (let turn = 1; ; turn++) {
    const phase = phaseOf(job, turn, fault);
    if (phase === "final") turns.push({ role: "user", content: FINAL_ANSWER });
    const reply = await askTurn(body, turn, phase);
    let answer: string | undefined = reply.text;
    if (reply.calls.length > 0 && phase === "work") {
      turns.push({ role: "assistant", content: reply.text, calls: reply.calls });
      answer = await runCalls(body, turn, reply.calls);
    } else turns.push({ role: "assistant", content: reply.text });
    await tellStep(body, turn, reply);
    if (answer === undefined) continue;
    const judgement = await judgeAnswer(d, world, job, { turn, phase, reply, answer });
    if (judgement.type === "answer") return { raw: judgement.raw, finish: reply.finish.unified };
    ({ fault } = judgement);
    const count = mended.get(fault) ?? 0;
    if (count >= mostMended(fault, job.task)) throw judgement.error;
    mended.set(fault, count + 1);
    turns.push({ role: "user", content: judgement.request });
  }
}

/** work: tools are offered. final: the iterations are used up. repair: an answer that does not fit its schema is being mended. */
type Phase = "work" | "final" | "repair";

function phaseOf(job: AgentJob, iteration: number, fault: Fault | undefined): Phase {
  if (fault === "unfit") return "repair";
  // Also without tools: a model may call tools that it was never offered, and would go on for ever.
  return iteration > job.agent.maxIterations ? "final" : "work";
}

function askTurn({ d, world, job, turns }: Body, turn: number, phase: Phase): Promise<Reply> {
  const tools = phase === "work" ? job.toolSpecs : [];
  return askModel(d, world, {
    path: [...job.path, `turn:${turn}`],
    agent: job.agent.name,
    task: job.task.name,
    purpose: job.purpose === "manage" ? "manage" : phase,
    models: job.models,
    conversation: { ...job.conversation, turns: [...turns] },
    tools,
    // With tools on offer, servers that force a schema force it on every turn: the model could never call a tool.
    output:
      job.schema && tools.length === 0 ? { name: job.task.name, schema: job.schema } : undefined,
    settings: job.settings,
    timeouts: job.agent.timeouts,
    remainingCalls: tools.length > 0 ? undefined : job.remainingCalls,
  });
}

/** Runs a turn's calls at once; results stay in call order. Returns the answer when a tool's result is it. */
async function runCalls(
  body: Body,
  turn: number,
  calls: readonly ToolCall[],
): Promise<string | undefined> {
  const { d, world, job, turns } = body;
  const asked = calls.slice(0, MAX_CALLS_PER_TURN).map((call, index): AskedCall => ({
    call,
    path: [...job.path, `turn:${turn}`, `tool:${index}`],
    agent: job.agent.name,
    task: job.task.name,
  }));
  const hooked = await Promise.all(asked.map((one) => beforeCall(d, world, one)));
  const came = await runHooked(body, turn, { asked, hooked });
  const outcomes = await Promise.all(
    came.map(async (outcome, index) => {
      const [one, made] = [asked[index], hooked[index]];
      if (!one || made?.type !== "call") return outcome;
      return afterCall(d, world, { ...one, call: made.call }, outcome);
    }),
  );
  for (const [index, call] of calls.entries()) {
    const content =
      outcomes[index]?.content ??
      `Not run: at most ${MAX_CALLS_PER_TURN} tools are run in one turn. Call it again if you still need it.`;
    turns.push({ role: "tool", callId: call.id, tool: call.tool, content });
  }
  return answerIn(job, calls, outcomes);
}

type HookedCalls = { readonly asked: readonly AskedCall[]; readonly hooked: readonly Hooked[] };

/** Tools all at once, and beside them what goes to coworkers, as many at once as may be. */
async function runHooked(
  { d, world, job, flow, ledger }: Body,
  turn: number,
  { asked, hooked }: HookedCalls,
): Promise<readonly CallOutcome[]> {
  const { team, tools } = job;
  const at: Path = [...job.path, `turn:${turn}`];
  const toTeam: { readonly index: number; readonly asked: AskedCall }[] = [];
  const own = hooked.map(async (one, index): Promise<CallOutcome | undefined> => {
    const place = asked[index];
    if (one.type === "blocked" || !place) return { type: "failed", content: contentOf(one) };
    const call = { ...place, call: one.call };
    if (kindOf(one.call.tool, team) === undefined) return callTool(d, world, { ...call, tools });
    toTeam.push({ index, asked: call });
    return undefined;
  });
  const given = toTeam.map(({ asked: { call, path } }) => ({
    tool: call.tool,
    arguments: call.arguments,
    path,
  }));
  const delegating = { d, world, job, ledger, flow, key: at.join("/") };
  const brought = team && given.length > 0 ? delegateAll(delegating, team, given) : NOTHING;
  const [leaves, results] = await Promise.all([Promise.all(own), brought]);
  const byIndex = new Map(toTeam.map(({ index }, place) => [index, results[place]]));
  return leaves.map(
    (outcome, index) => outcome ?? byIndex.get(index) ?? { type: "failed", content: "" },
  );
}

const NOTHING: Promise<readonly CallOutcome[]> = Promise.resolve([]);

function contentOf(hooked: Hooked): string {
  return hooked.type === "blocked" ? hooked.content : "";
}

/** The result that is the answer. Its content was cut for the prompt; the answer is whole. */
function answerIn(
  { tools }: AgentJob,
  calls: readonly ToolCall[],
  outcomes: readonly CallOutcome[],
): string | undefined {
  const answered = outcomes.findIndex(
    ({ type }, index) =>
      type === "done" &&
      tools.some((tool) => tool.name === calls[index]?.tool && tool.resultAsAnswer),
  );
  const outcome = outcomes[answered];
  return outcome && (outcome.answer ?? outcome.content);
}

async function tellStep({ d, world, job }: Body, turn: number, reply: Reply): Promise<void> {
  if (world.runOf(d.rootId).crew.hooks.onStep === undefined) return;
  const { text, calls } = reply;
  const subject = { task: job.task.name, agent: job.agent.name, turn, text, calls };
  const path = [...job.path, `turn:${turn}`];
  await runHook(d, world, { hook: "onStep", path }, subject);
}
