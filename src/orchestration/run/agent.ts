// The agent loop: asks the model, runs the tools that it calls, asks again, until there is an answer.
//
// A body: deterministic given its steps' results. It keeps everything about one task execution in its own variables, so an agent
// can do any number of tasks at once, and messages, iterations and budgets start clean with each (crew/agent.ts: stateless).
//
// Bounds: `maxIterations` turns with tools, then one without; MAX_CALLS_PER_TURN tools a turn; MAX_REPAIRS requests to mend.

import { BosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import type { Message, ToolCall, ToolSpec } from "../../inference/model/message.ts";
import type { ModelRef, ModelSettings } from "../../inference/model/endpoint.ts";
import type { Path, Purpose, Reply } from "../../inference/model/model.ts";
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
/** Most requests to mend an answer that does not fit its schema. */
const MAX_REPAIRS = 2;
/** Most requests to mend an empty answer. */
const MAX_EMPTY = 1;

/**
 * The agent's answer as text; checked JSON text when the task has a schema.
 * @throws BosunError `agent/iterations`, `agent/empty-answer`, `task/output-invalid`, or a model's error.
 */
export async function runAgent(d: Durable, world: World, job: AgentJob): Promise<string> {
  const turns: Message[] = [];
  let repairs = 0;
  for (let turn = 1; ; turn++) {
    const phase = phaseOf(job, turn, repairs);
    if (phase === "final") turns.push({ role: "user", content: FINAL_ANSWER });
    const reply = await askTurn(d, world, job, { turn, phase, turns });
    let answer: string | undefined = reply.text;
    if (reply.calls.length > 0 && phase === "work") {
      turns.push({ role: "assistant", content: reply.text, calls: reply.calls });
      answer = await runTools(d, world, job, { turn, calls: reply.calls, turns });
      if (answer === undefined) continue;
    } else turns.push({ role: "assistant", content: reply.text });
    const verdict = await judge(d, job, { turn, reply, answer });
    if (verdict.type === "answer") return verdict.raw;
    if (repairs++ >= verdict.maxRepairs) throw verdict.error;
    turns.push({ role: "user", content: verdict.request });
  }
}

type Turn = { readonly turn: number; readonly turns: Message[] };

/** work: tools are offered. final: the iterations are used up. repair: an answer is being mended. */
function phaseOf(job: AgentJob, iteration: number, repairs: number): Purpose {
  if (repairs > 0) return "repair";
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
  return outcomes[answered]?.content;
}

type Verdict =
  | { readonly type: "answer"; readonly raw: string }
  | {
      readonly type: "mend";
      readonly request: string;
      /** Most requests to mend before `error` is thrown. */
      readonly maxRepairs: number;
      readonly error: BosunError;
    };

/** Whether a text is the task's answer. It comes from the model, or from a tool whose result is the answer. */
async function judge(
  d: Durable,
  job: AgentJob,
  {
    turn,
    reply,
    answer,
  }: { readonly turn: number; readonly reply: Reply; readonly answer: string },
): Promise<Verdict> {
  const { task, agent } = job;
  const { output } = task;
  if (answer.trim() === "") {
    const error = emptyAnswer(job, reply);
    return { type: "mend", request: EMPTY_ANSWER, maxRepairs: MAX_EMPTY, error };
  }
  if (output === undefined) return { type: "answer", raw: answer };
  const key = [...job.path, `turn:${turn}`, "check"].join("/");
  const check = await d.step(key, () => checkOutput(answer, output));
  if (check.type === "valid") return { type: "answer", raw: check.raw };
  const hint =
    reply.finish.unified === "length" ? " The answer was cut at maxTokens: raise it." : "";
  const error = new BosunError(
    "task/output-invalid",
    `task "${task.name}": the answer of agent "${agent.name}" does not fit its schema after ${MAX_REPAIRS} repairs: ${check.issues.join("; ")}.${hint}`,
    { details: { issues: check.issues, text: answer } },
  );
  return { type: "mend", request: repairText(check.issues), maxRepairs: MAX_REPAIRS, error };
}

function emptyAnswer(job: AgentJob, reply: Reply): BosunError {
  const who = `agent "${job.agent.name}" at task "${job.task.name}"`;
  if (reply.calls.length > 0) {
    const called = reply.calls.map((call) => call.tool).join(", ");
    return new BosunError(
      "agent/iterations",
      `${who} still calls tools (${called}) after ${job.agent.maxIterations} iterations and gives no answer. Raise maxIterations, or make the task or its tools clearer`,
    );
  }
  const hint = reply.reasoning
    ? " It spent its tokens on thinking: set thinking: false or raise maxTokens."
    : "";
  return new BosunError(
    "agent/empty-answer",
    `${who}: ${reply.model} ended without text (finish: ${reply.finish.raw || "none"}).${hint}`,
  );
}
