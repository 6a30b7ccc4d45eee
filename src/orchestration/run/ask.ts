// Asks a person: says the question in the log, waits for the answer, says what it was. Whoever reads the log brings the question
// to somebody (bosun.ts), and the engine brings the answer back.

import type { Path } from "../../inference/model/model.ts";
import type { Durable } from "../durable/durable.ts";
import {
  type Asked,
  type AskLimits,
  type Decision,
  DEFAULT_ASK_MS,
  readDecision,
} from "../tool/approval.ts";
import type { World } from "./world.ts";

/** What was decided, and whether by a person or because nobody answered. */
export type Answered = { readonly decision: Decision; readonly by: "person" | "timeout" };

/** What is asked, without what the limits and the path say. */
export type AskSubject = { readonly agent: string; readonly task: string } & (
  | { readonly subject: "answer"; readonly text: string }
  | { readonly subject: "tool"; readonly tool: string; readonly arguments: AskedArguments }
);

type AskedArguments = Extract<Asked, { readonly subject: "tool" }>["arguments"];

/** Waits for a person, or for the question's time to be over. Rejects only when the run is aborted. */
export async function askPerson(
  d: Durable,
  world: World,
  subject: AskSubject,
  at: { readonly path: Path; readonly limits: AskLimits },
): Promise<Answered> {
  const { log } = world.runOf(d.rootId);
  const { path, limits } = at;
  const { timeoutMs = DEFAULT_ASK_MS, onTimeout = "reject" } = limits;
  const name = [...path, "ask"].join("/");
  log.emit(path, { type: "ask-start", name, timeoutMs, onTimeout, ...subject });
  const given = readDecision(await d.wait(name, { timeoutMs }));
  const by = given ? "person" : "timeout";
  const decision = given ?? defaultOf(onTimeout, timeoutMs);
  const answer = !decision.ok ? "rejected" : decision.edit === undefined ? "approved" : "edited";
  const reason = decision.ok ? {} : { reason: decision.reason };
  log.emit(path, { type: "ask-end", name, agent: subject.agent, answer, by, ...reason });
  return { decision, by };
}

function defaultOf(onTimeout: "approve" | "reject", timeoutMs: number): Decision {
  return onTimeout === "approve"
    ? { ok: true }
    : { ok: false, reason: `nobody answered within ${timeoutMs} ms` };
}
