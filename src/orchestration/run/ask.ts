// Asks a person: says the question in the log, waits for the answer, says what it was. Whoever reads the log brings the question
// to somebody (src/answer.ts), and the engine brings the answer back.

import type { Path } from "../../inference/model/model.ts";
import type { Durable } from "../durable/durable.ts";
import {
  type Asked,
  type AskLimits,
  type Decision,
  DEFAULT_ASK_MS,
  readDecision,
} from "../tool/approval.ts";
import type { RunContext } from "./world.ts";

/** Most times that one question is asked, again each time that what was written instead does not fit. */
export const MAX_ROUNDS = 10;

/** What was decided, and whether by a person, or because nobody answered in time or could be asked. */
export type Answered = {
  readonly decision: Decision;
  readonly by: "person" | "timeout" | "nobody";
};

/** What is asked, without what the limits and the path say. */
export type AskSubject = Pick<Asked, "agent" | "task" | "issues"> &
  (
    | { readonly subject: "answer" | "question"; readonly text: string }
    | { readonly subject: "tool"; readonly tool: string; readonly arguments: AskedArguments }
  );

type AskedArguments = Extract<Asked, { readonly subject: "tool" }>["arguments"];

/** Waits for a person, or for the question's time to be over. Rejects only when the run is aborted. */
export async function askPerson(
  d: Durable,
  { log, asked }: Pick<RunContext, "log" | "asked">,
  subject: AskSubject,
  at: { readonly path: Path; readonly limits: AskLimits },
): Promise<Answered> {
  const { path, limits } = at;
  const { timeoutMs = DEFAULT_ASK_MS, onTimeout = "reject" } = limits;
  const name = [...log.place, ...path, "ask"].join("/");
  const end = { type: "ask-end", name, agent: subject.agent } as const;
  asked.add(name);
  log.emit(path, { type: "ask-start", name, timeoutMs, onTimeout, ...subject });
  const given = await d.wait(name, { timeoutMs }).catch((error: unknown) => {
    log.emit(path, { ...end, answer: "cancelled", by: "nobody" });
    throw error;
  });
  const answered = toAnswered(given, { timeoutMs, onTimeout });
  const { decision, by } = answered;
  if (!decision.ok) log.emit(path, { ...end, answer: "rejected", by, reason: decision.reason });
  else if (decision.edit === undefined) log.emit(path, { ...end, answer: "approved", by });
  else log.emit(path, { ...end, answer: "edited", by, edit: decision.edit });
  return answered;
}

function toAnswered(given: unknown, { timeoutMs, onTimeout }: Required<AskLimits>): Answered {
  const read = readDecision(given);
  if (read && "ok" in read) return { decision: read, by: "person" };
  const by = read ? "nobody" : "timeout";
  const reason = read
    ? `nobody can answer: ${read.nobody}`
    : `nobody answered within ${timeoutMs} ms`;
  return { decision: onTimeout === "approve" ? { ok: true } : { ok: false, reason }, by };
}
