// Whether a text is the answer to a piece of work: not empty, fitting its schema, accepted by its guardrails and by a person.
//
// What is not is mended: the agent gets the reason and answers again, in the same conversation, as often as MOST_MENDED says.

import { BosunError } from "../../error.ts";
import type { Purpose, Reply } from "../../inference/model/model.ts";
import type { Json } from "../../json.ts";
import type { Durable } from "../durable/durable.ts";
import { askPerson, MAX_ROUNDS } from "./ask.ts";
import { passGuardrails } from "./guardrail.ts";
import type { AgentJob, Piece } from "./job.ts";
import { checkOutput, type OutputCheck } from "./output.ts";
import { EMPTY_ANSWER, refusedText, rejectedText, repairText } from "./prompt.ts";
import type { World } from "./world.ts";

/** What can be wrong with an answer: no text, not its schema, refused by a guardrail, rejected by a person. */
export type Fault = "empty" | "unfit" | "refused" | "rejected";

/** A judged text. */
export type Judgement =
  | { readonly type: "answer"; readonly raw: string }
  | {
      readonly type: "mend";
      readonly fault: Fault;
      readonly request: string;
      /** What is thrown when it was asked for often enough. */
      readonly error: BosunError;
    };

/** Most new answers for each fault. */
export function mostMended(fault: Fault, task: Piece): number {
  return fault === "refused" ? task.guardrailRetries : MOST_MENDED[fault];
}

const MOST_MENDED = { empty: 1, unfit: 2, rejected: 10 } as const;

export type Judged = {
  readonly turn: number;
  readonly phase: Purpose;
  readonly reply: Reply;
  readonly answer: string;
};

/** Judges a text. It comes from the model, or from a tool whose result is the answer. */
export async function judgeAnswer(
  d: Durable,
  world: World,
  job: AgentJob,
  judged: Judged,
): Promise<Judgement> {
  const { reply, answer, phase } = judged;
  if (reply.finish.unified === "other" && CUT_SHORT.test(reply.finish.raw))
    throw cutShort(job, reply);
  if (answer.trim() === "") {
    const error = emptyAnswer(job, reply, phase);
    return { type: "mend", fault: "empty", request: EMPTY_ANSWER, error };
  }
  const fitted = await fitSchema(d, job, judged);
  if (fitted.type === "mend") return fitted;
  const guarded = await guard(d, world, job, { ...judged, answer: fitted.raw });
  if (guarded.type === "mend" || job.task.humanInput === undefined) return guarded;
  return review(d, world, job, { ...judged, answer: guarded.raw });
}

async function fitSchema(
  d: Durable,
  job: AgentJob,
  { turn, reply, answer }: Judged,
): Promise<Judgement> {
  const { task, agent } = job;
  const { output } = task;
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

async function guard(
  d: Durable,
  world: World,
  job: AgentJob,
  { turn, answer }: Judged,
): Promise<Judgement> {
  const { task, agent, path } = job;
  if (task.guardrails.length === 0) return { type: "answer", raw: answer };
  const at = { path: [...path, `turn:${turn}`], raw: answer };
  const guarded = await passGuardrails(d, world, job, at);
  if (guarded.type === "passed" && guarded.raw.trim() !== "")
    return { type: "answer", raw: guarded.raw };
  const reason = guarded.type === "passed" ? "A guardrail left nothing of it." : guarded.reason;
  const error = new BosunError(
    "task/guardrail",
    `task "${task.name}": the answer of agent "${agent.name}" was refused after ${task.guardrailRetries} retries: ${reason}`,
    { details: { reason, text: answer } },
  );
  return { type: "mend", fault: "refused", request: refusedText(reason), error };
}

/** Lets a person decide. Who writes something instead that does not fit is asked again; what is approved is what was shown. */
async function review(
  d: Durable,
  world: World,
  job: AgentJob,
  { turn, answer }: Judged,
): Promise<Judgement> {
  const { task, agent } = job;
  const limits = task.humanInput ?? {};
  let issues: readonly string[] | undefined;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const path = [...job.path, `turn:${turn}`, `review:${round}`];
    const about = { agent: agent.name, task: task.name, issues } as const;
    const subject = { ...about, subject: "answer", text: answer } as const;
    const { decision, by } = await askPerson(d, world.runOf(d.runId), subject, { path, limits });
    if (!decision.ok && by !== "person") throw unanswered(job, decision.reason, answer);
    if (!decision.ok) return rejected(job, decision.reason, answer);
    if (decision.edit === undefined) return { type: "answer", raw: answer };
    const edited = await fitEdit(d, job, { key: path.join("/"), edit: decision.edit });
    if (edited.type === "valid") return { type: "answer", raw: edited.raw };
    ({ issues } = edited);
  }
  return rejected(job, `what was written instead never fitted: ${issues?.join("; ")}`, answer);
}

/** Checks what a person wrote as the model's answer is checked. */
async function fitEdit(
  d: Durable,
  { task }: AgentJob,
  { key, edit }: { readonly key: string; readonly edit: Json },
): Promise<OutputCheck> {
  const raw = typeof edit === "string" ? edit : JSON.stringify(edit);
  const { output } = task;
  if (raw.trim() === "") return { type: "invalid", issues: ["the text is empty"] };
  if (output === undefined) return { type: "valid", raw };
  return d.step(`${key}/check`, () => checkOutput(raw, output));
}

function rejected({ task }: AgentJob, reason: string, text: string): Judgement {
  const message = `task "${task.name}": a person rejected ${MOST_MENDED.rejected + 1} answers, the last because: ${reason}`;
  const error = new BosunError("task/rejected", message, { details: { reason, text } });
  return { type: "mend", fault: "rejected", request: rejectedText(reason), error };
}

function unanswered({ task }: AgentJob, reason: string, text: string): BosunError {
  const message = `task "${task.name}" waits for a person: ${reason}. Answer in time, raise humanInput.timeoutMs, or set humanInput.onTimeout: "approve"`;
  return new BosunError("task/unanswered", message, { details: { text } });
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
