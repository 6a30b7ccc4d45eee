// The agent loop: asks the model, runs the tools that it calls, asks again, until there is an answer.
//
// A body: deterministic given its steps' results. It keeps everything about one piece of work in its own variables, so an agent
// can do any number of them at once, and messages, iterations and budgets start clean with each (crew/agent.ts: stateless).
//
// Bounds: `maxIterations` turns with tools, then those without; MAX_CALLS_PER_TURN tools a turn (calls.ts); what mostMended (answer.ts) allows.

import type { Reply } from "../../inference/model/model.ts";
import type { Durable } from "../durable/durable.ts";
import { type Fault, judgeAnswer, mostMended } from "./answer.ts";
import { askModel } from "./call.ts";
import { type AgentBody, runCalls } from "./calls.ts";
import { createLedger, type DelegationFlow } from "./delegation.ts";
import { runHook } from "./hook.ts";
import type { AgentJob, Answer } from "./job.ts";
import { FINAL_ANSWER } from "./prompt.ts";
import type { World } from "./world.ts";

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
  const body: AgentBody = {
    d,
    world,
    job,
    flow,
    turns: [],
    ledger: createLedger(),
    summaries: new Map(),
  };
  const { turns } = body;
  const mended = new Map<Fault, number>();
  let fault: Fault | undefined;
  for (let turn = 1; ; turn++) {
    const phase = phaseOf(job, turn, fault);
    const isTold = turns.at(-1)?.role === "user"; // a request to mend asks for an answer by itself
    if (phase === "final" && !isTold) turns.push({ role: "user", content: FINAL_ANSWER });
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

function askTurn(
  { d, world, job, turns: said, summaries }: AgentBody,
  turn: number,
  phase: Phase,
): Promise<Reply> {
  const tools = phase === "work" ? job.toolSpecs : [];
  const turns = [...said];
  return askModel(d, world, {
    path: [...job.path, `turn:${turn}`],
    agent: job.agent.name,
    task: job.task.name,
    purpose: job.purpose === "manage" ? "manage" : phase,
    models: phase === "repair" ? job.repairModels : job.models,
    conversation: { ...job.conversation, turns },
    tools,
    // With tools on offer, servers that force a schema force it on every turn: the model could never call a tool.
    output:
      job.schema && tools.length === 0 ? { name: job.task.name, schema: job.schema } : undefined,
    settings: job.settings,
    timeouts: job.agent.timeouts,
    fit: job.fit,
    summaries,
    summaryModels: job.summaryModels,
    onFit: (cuts) => job.reading?.show(turns, cuts),
    remainingCalls: tools.length > 0 ? undefined : job.remainingCalls,
    cache: job.agent.responseCache,
  });
}

async function tellStep({ d, world, job }: AgentBody, turn: number, reply: Reply): Promise<void> {
  if (world.runOf(d.runId).crew.hooks.onStep === undefined) return;
  const { text, calls } = reply;
  const subject = { task: job.task.name, agent: job.agent.name, turn, text, calls };
  const path = [...job.path, `turn:${turn}`];
  await runHook(d, world, { hook: "onStep", path }, subject);
}
