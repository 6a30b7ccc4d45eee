// Runs a task's guardrails over an answer: all of them, in order, for every new answer, so that mending what one refuses cannot
// break in silence what an earlier one had passed.

import { BosunError, isBosunError, messageOf } from "../../error.ts";
import { isObject, type JsonObject, parseJson } from "../../json.ts";
import { VERDICT_OUTPUT } from "../../inference/model/message.ts";
import type { Path } from "../../inference/model/model.ts";
import { JUDGE_NAME } from "../crew/cast.ts";
import { criteriaOf, type Guardrail, type Verdict } from "../crew/guardrail.ts";
import type { Durable } from "../durable/durable.ts";
import { askForJson } from "./ask-json.ts";
import { isFatal } from "./failure.ts";
import type { RunFact } from "./event.ts";
import type { AgentJob } from "./job.ts";
import { checkOutput, readOutput } from "./output.ts";
import { judgeConversation } from "./prompt.ts";
import { callUser } from "./user-code.ts";
import type { World } from "./world.ts";

/** What guardrails make of an answer: the answer as it now is, or why it is refused. */
export type Guarded =
  | { readonly type: "passed"; readonly raw: string }
  | { readonly type: "refused"; readonly reason: string };

/**
 * Lets an answer through the task's guardrails; the first that refuses ends it.
 * @throws BosunError `task/guardrail-failed` for one that throws or a judge that gives no verdict, with the answer in details.text.
 */
export async function passGuardrails(
  d: Durable,
  world: World,
  job: AgentJob,
  answer: { readonly path: Path; readonly raw: string },
): Promise<Guarded> {
  let { raw } = answer;
  for (const [index, guardrail] of job.task.guardrails.entries()) {
    const path = [...answer.path, `guardrail:${index}`];
    const checking = { guardrail, path, raw };
    const verdict = await verdictOf(d, world, job, checking).catch((error: unknown) => {
      if (isFatal(d, error)) throw error;
      sayEnd(d, world, job, { path, index, status: "failed", reason: messageOf(error) });
      throw failed(job, error, { index, raw });
    });
    if (!verdict.ok) {
      sayEnd(d, world, job, { path, index, status: "refused", reason: verdict.reason });
      return { type: "refused", reason: verdict.reason };
    }
    const isChanged = verdict.raw !== undefined && verdict.raw !== raw;
    sayEnd(d, world, job, { path, index, status: isChanged ? "changed" : "passed" });
    raw = verdict.raw ?? raw;
  }
  return { type: "passed", raw };
}

type Checking = { readonly guardrail: Guardrail; readonly path: Path; readonly raw: string };

async function verdictOf(
  d: Durable,
  world: World,
  job: AgentJob,
  { guardrail, path, raw }: Checking,
): Promise<Verdict> {
  if (typeof guardrail !== "function") return judge(d, world, job, { guardrail, path, raw });
  const { task, agent } = job;
  const { inputs } = world.runOf(d.runId);
  const verdict = await d.step(path.join("/"), async ({ signal }) => {
    const output = task.output === undefined ? raw : await readOutput(raw, task.output);
    const given = structuredClone(inputs); // a guardrail that changes them changes nothing
    const subject = { task: task.name, agent: agent.name, raw, output, inputs: given };
    const calling = { clock: world.clock, signal };
    return readVerdict(await callUser(guardrail, [subject, { signal }], calling));
  });
  if (!verdict.ok || verdict.raw === undefined || task.output === undefined) return verdict;
  const check = await d.step(`${path.join("/")}/check`, () =>
    checkOutput(verdict.raw ?? "", task.output ?? {}),
  );
  if (check.type === "valid") return { ok: true, raw: check.raw };
  throw new Error(`what it returned does not fit the task's schema: ${check.issues.join("; ")}`);
}

/** Most characters of a reason: the model reads it. */
const MAX_REASON = 4_000;
const NO_REASON = "no reason was given";

/** @throws when it is no verdict: a guardrail that returns nothing must not let everything pass. */
function readVerdict(returned: unknown): Verdict {
  const { ok, raw, reason } = isObject(returned) ? returned : {};
  if (ok === true && (raw === undefined || typeof raw === "string"))
    return raw === undefined ? { ok } : { ok, raw };
  if (ok === false)
    return {
      ok,
      reason: typeof reason === "string" && reason.trim() ? reason.slice(0, MAX_REASON) : NO_REASON,
    };
  throw new Error("it must return { ok: true, raw? } or { ok: false, reason }");
}

const VERDICT_SCHEMA: JsonObject = {
  type: "object",
  properties: { ok: { type: "boolean" }, reason: { type: "string" } },
  required: ["ok"],
  additionalProperties: false,
};

type Judging = Checking & { readonly guardrail: Exclude<Guardrail, (...args: never) => unknown> };

async function judge(
  d: Durable,
  world: World,
  job: AgentJob,
  { guardrail, path, raw }: Judging,
): Promise<Verdict> {
  const run = world.runOf(d.runId);
  const criteria = criteriaOf(guardrail) ?? "";
  const model = typeof guardrail === "object" ? guardrail.model : undefined;
  const own = run.crew.models.guardrail === undefined ? job.models : run.modelsFor("guardrail");
  const models = model === undefined ? own : run.modelsOf({ models: [model] });
  const answer = await askForJson(d, world, {
    path,
    agent: JUDGE_NAME,
    task: job.task.name,
    purpose: "guardrail",
    models,
    conversation: judgeConversation(criteria, raw),
    output: { name: VERDICT_OUTPUT, schema: VERDICT_SCHEMA },
    settings: { temperature: 0 },
    timeouts: job.agent.timeouts,
    remainingCalls: undefined,
  });
  return readVerdict(parseJson(answer));
}

type End = Pick<Extract<RunFact, { readonly type: "guardrail-end" }>, "status" | "reason"> & {
  readonly path: Path;
  readonly index: number;
};

function sayEnd(
  d: Durable,
  world: World,
  { task, agent }: AgentJob,
  { path, index, status, reason }: End,
): void {
  const why = reason === undefined ? {} : { reason };
  const place = { task: task.name, agent: agent.name, guardrail: index + 1 };
  world.runOf(d.runId).log.emit(path, { type: "guardrail-end", ...place, status, ...why });
}

/** A model's own error keeps its code: nobody but the pool repeats a call for it (M5). */
function failed(
  { task }: AgentJob,
  cause: unknown,
  { index, raw }: { readonly index: number; readonly raw: string },
): BosunError {
  const isModels = isBosunError(cause) && cause.code.startsWith("model/");
  return new BosunError(
    isModels ? cause.code : "task/guardrail-failed",
    `task "${task.name}": guardrail ${index + 1} of ${task.guardrails.length} failed: ${messageOf(cause)}. The answer was not judged; it is kept as the task's raw text`,
    { cause, details: { text: raw } },
  );
}
