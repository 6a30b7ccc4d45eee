// The agent loop: asks the model, runs the tools that it calls, asks again, until there is an answer.
//
// A body: deterministic given its steps' results. It keeps everything about one task execution in its own variables, so an agent
// can do any number of tasks at once, and messages, iterations and budgets start clean with each (crew/agent.ts: stateless).
//
// Bounds: `maxIterations` turns with tools, then one without; MAX_CALLS_PER_TURN tools a turn; MOST_MENDED requests to mend.

import { BosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import type { Message, ToolCall, ToolSpec } from "../../inference/model/message.ts";
import type { ModelRef, ModelSettings } from "../../inference/model/endpoint.ts";
import type { Finish, Path, Purpose, Reply } from "../../inference/model/model.ts";
import type { Agent } from "../crew/agent.ts";
import type { Task } from "../crew/task.ts";
import type { Durable } from "../durable/durable.ts";
import type { Tool } from "../tool/tool.ts";
import { askModel } from "./call.ts";
import { checkOutput } from "./output.ts";
import { type Conversation, EMPTY_ANSWER, FINAL_ANSWER, repairText } from "./prompt.ts";
import { callTool } from "./tool-call.ts";
import type { World } from "./world.ts";

/** One agent at one task. */
export type AgentJob = {
  readonly task: Task;
  readonly agent: Agent;
  readonly path: Path;
  readonly models: readonly [ModelRef, ...ModelRef[]];
  readonly settings: ModelSettings;
  readonly tools: readonly Tool[];
  readonly toolSpecs: readonly ToolSpec[];
  readonly schema: JsonObject | undefined;
  readonly conversation: Conversation;
  /** Calls that the run makes after this task, at least. */
  readonly remainingCalls: number;
};

/** Most tools of one turn that are run; the model is told about the others. */
const MAX_CALLS_PER_TURN = 16;
/** Most requests to mend an answer that is empty, and one that does not fit its schema. */
const MOST_MENDED = { empty: 1, unfit: 2 } as const;

/** An agent's answer, and why its last call ended: "length" means that the answer was cut at maxTokens. */
export type Answer = { readonly raw: string; readonly finish: Finish["unified"] };

/**
 * The agent's answer as text; checked JSON text when the task has a schema.
 * @throws BosunError `agent/iterations`, `agent/empty-answer`, `task/output-invalid`, or a model's error.
 */
export async function runAgent(d: Durable, world: World, job: AgentJob): Promise<Answer> {
  const turns: Message[] = [];
  const mended = { empty: 0, unfit: 0 };
  for (let turn = 1; ; turn++) {
    const phase = phaseOf(job, turn, mended.unfit);
    if (phase === "final") turns.push({ role: "user", content: FINAL_ANSWER });
    const reply = await askTurn(d, world, job, { turn, phase, turns });
    let answer: string | undefined = reply.text;
    if (reply.calls.length > 0 && phase === "work") {
      turns.push({ role: "assistant", content: reply.text, calls: reply.calls });
      answer = await runTools(d, world, job, { turn, calls: reply.calls, turns });
      if (answer === undefined) continue;
    } else turns.push({ role: "assistant", content: reply.text });
    const verdict = await judge(d, job, { turn, phase, reply, answer });
    if (verdict.type === "answer") return { raw: verdict.raw, finish: reply.finish.unified };
    if (mended[verdict.fault]++ >= MOST_MENDED[verdict.fault]) throw verdict.error;
    turns.push({ role: "user", content: verdict.request });
  }
}

type Turn = { readonly turn: number; readonly turns: Message[] };

/** work: tools are offered. final: the iterations are used up. repair: an answer that does not fit its schema is being mended. */
function phaseOf(job: AgentJob, iteration: number, unfit: number): Purpose {
  if (unfit > 0) return "repair";
  // Also without tools: a model may call tools that it was never offered, and would go on for ever.
  return iteration > job.agent.maxIterations ? "final" : "work";
}

function askTurn(
  d: Durable,
  world: World,
  job: AgentJob,
  { turn, phase, turns }: Turn & { readonly phase: Purpose },
): Promise<Reply> {
  const tools = phase === "work" ? job.toolSpecs : [];
  return askModel(d, world, {
    path: [...job.path, `turn:${turn}`],
    agent: job.agent.name,
    purpose: phase,
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
async function runTools(
  d: Durable,
  world: World,
  job: AgentJob,
  { turn, calls, turns }: Turn & { readonly calls: readonly ToolCall[] },
): Promise<string | undefined> {
  const at = (index: number): Path => [...job.path, `turn:${turn}`, `tool:${index}`];
  const run = calls.slice(0, MAX_CALLS_PER_TURN);
  const outcomes = await Promise.all(
    run.map((call, index) =>
      callTool(d, world, { call, path: at(index), agent: job.agent.name, tools: job.tools }),
    ),
  );
  for (const [index, call] of calls.entries()) {
    const content =
      outcomes[index]?.content ??
      `Not run: at most ${MAX_CALLS_PER_TURN} tools are run in one turn. Call it again if you still need it.`;
    turns.push({ role: "tool", callId: call.id, tool: call.tool, content });
  }
  const answered = run.findIndex(
    (call, index) =>
      outcomes[index]?.type === "done" &&
      job.tools.some((tool) => tool.name === call.tool && tool.resultAsAnswer),
  );
  const outcome = outcomes[answered];
  // The content was cut for the prompt; the answer is whole.
  return outcome?.type === "done" ? (outcome.answer ?? outcome.content) : undefined;
}

type Verdict =
  | { readonly type: "answer"; readonly raw: string }
  | {
      readonly type: "mend";
      readonly fault: keyof typeof MOST_MENDED;
      readonly request: string;
      /** What is thrown when it was asked for often enough. */
      readonly error: BosunError;
    };

type Judged = {
  readonly turn: number;
  readonly phase: Purpose;
  readonly reply: Reply;
  readonly answer: string;
};

/** Whether a text is the task's answer. It comes from the model, or from a tool whose result is the answer. */
async function judge(
  d: Durable,
  job: AgentJob,
  { turn, phase, reply, answer }: Judged,
): Promise<Verdict> {
  const { task, agent } = job;
  const { output } = task;
  if (reply.finish.unified === "other" && CUT_SHORT.test(reply.finish.raw))
    throw cutShort(job, reply);
  if (answer.trim() === "") {
    return {
      type: "mend",
      fault: "empty",
      request: EMPTY_ANSWER,
      error: emptyAnswer(job, reply, phase),
    };
  }
  if (output === undefined) return { type: "answer", raw: answer };
  const key = [...job.path, `turn:${turn}`, "check"].join("/");
  const check = await d.step(key, () => checkOutput(answer, output));
  if (check.type === "valid") return { type: "answer", raw: check.raw };
  const hint =
    reply.finish.unified === "length" ? " The answer was cut at maxTokens: raise it." : "";
  const error = new BosunError(
    "task/output-invalid",
    `task "${task.name}": the answer of agent "${agent.name}" does not fit its schema after ${MOST_MENDED.unfit} repairs: ${check.issues.join("; ")}.${hint}`,
    { details: { issues: check.issues, text: answer } },
  );
  return { type: "mend", fault: "unfit", request: repairText(check.issues), error };
}

/** Finish reasons of a server that gave up amid its answer (vLLM: abort, error). */
const CUT_SHORT = /^(abort|error)/i;

function cutShort({ agent, task }: AgentJob, { model, finish, text }: Reply): BosunError {
  const message = `agent "${agent.name}" at task "${task.name}": ${model} gave up amid its answer (finish: ${finish.raw})`;
  return new BosunError("model/cut", message, { details: { text } });
}

function emptyAnswer({ agent, task }: AgentJob, reply: Reply, phase: Purpose): BosunError {
  const who = `agent "${agent.name}" at task "${task.name}"`;
  if (reply.calls.length > 0) {
    const called = reply.calls.map((call) => call.tool).join(", ");
    const when =
      phase === "final"
        ? `after ${agent.maxIterations} iterations`
        : "where it was asked to mend its answer";
    const advice = phase === "final" ? "Raise maxIterations, or make" : "Make";
    const message = `${who} still calls tools (${called}) ${when} and gives no answer. ${advice} the task or its tools clearer`;
    return new BosunError("agent/iterations", message);
  }
  const hint = reply.reasoning
    ? " It spent its tokens on thinking: set thinking: false or raise maxTokens."
    : "";
  const message = `${who}: ${reply.model} ended without text (finish: ${reply.finish.raw || "none"}).${hint}`;
  return new BosunError("agent/empty-answer", message);
}
