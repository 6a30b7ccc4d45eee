// Between a run's questions and people: brings each question to the caller's handler, and each answer to the engine.

import { BosunError, messageOf } from "./error.ts";
import type { DurableEngine } from "./orchestration/durable/durable.ts";
import type { RunEvent } from "./orchestration/run/event.ts";
import type { RunLog } from "./orchestration/run/log.ts";
import { type Decision, type Question, readDecision } from "./orchestration/tool/approval.ts";
import type { AskHandler } from "./run-option.ts";

/** Gives an answer to whoever waits for it. @throws BosunError `usage` for a decision that is none. */
export function answerQuestion(
  engine: DurableEngine,
  given: { readonly runId: string; readonly name: string; readonly decision: unknown },
): boolean {
  const { runId, name } = given;
  const decision = readDecision(given.decision);
  if (decision) return engine.signal(runId, name, decision);
  throw new BosunError(
    "usage",
    `the answer to "${name}" of run ${runId} must be { ok: true, edit? } or { ok: false, reason }`,
  );
}

type Answering = {
  readonly answer: (name: string, decision: Decision) => boolean;
  readonly signal: AbortSignal;
};

/** Follows the log, and calls the handler once for each question. Ends with the run. */
export function bringQuestions(log: RunLog, onAsk: AskHandler, answering: Answering): void {
  const open = new Map<string, AbortController>();
  const follow = async (): Promise<void> => {
    for await (const event of log.read(0, answering.signal)) {
      if (event.type === "ask-end") open.get(event.name)?.abort();
      if (event.type !== "ask-start" || event.replayed) continue;
      const controller = new AbortController();
      open.set(event.name, controller);
      void handle(onAsk, toQuestion(event), { ...answering, signal: controller.signal });
    }
  };
  const close = (): void => open.forEach((controller) => controller.abort());
  follow().then(close, close); // an aborted run, or a store that fails: the run itself tells
}

async function handle(
  onAsk: AskHandler,
  question: Question,
  { answer, signal }: Answering,
): Promise<void> {
  const decision = await callHandler(onAsk, question, signal);
  if (decision && !signal.aborted) answer(question.name, decision);
}

async function callHandler(
  onAsk: AskHandler,
  question: Question,
  signal: AbortSignal,
): Promise<Decision | undefined> {
  try {
    const returned = await onAsk(question, { signal });
    if (returned === undefined || returned === null) return undefined;
    const decision = readDecision(returned);
    return decision ?? { ok: false, reason: "the onAsk handler returned no decision" };
  } catch (error) {
    return { ok: false, reason: `the onAsk handler failed: ${messageOf(error)}` };
  }
}

function toQuestion(event: Extract<RunEvent, { readonly type: "ask-start" }>): Question {
  const { runId, name, agent, task, timeoutMs, onTimeout } = event;
  const base = { runId, name, agent, task, timeoutMs, onTimeout };
  return event.subject === "answer"
    ? { ...base, subject: event.subject, text: event.text }
    : { ...base, subject: event.subject, tool: event.tool, arguments: event.arguments };
}
