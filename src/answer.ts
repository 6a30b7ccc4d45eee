// Between a run's questions and people: brings each question to the caller's handler, and each answer to the engine.

import type { Clock } from "./clock.ts";
import { BosunError, messageOf } from "./error.ts";
import {
  type DurableEngine,
  isSuspension,
  type StepRecord,
} from "./orchestration/durable/engine.ts";
import type { RunEvent } from "./orchestration/run/event.ts";
import type { RunLog } from "./orchestration/run/log.ts";
import type { RunContext } from "./orchestration/run/world.ts";
import {
  type Decision,
  type Nobody,
  type Question,
  readDecision,
} from "./orchestration/tool/approval.ts";
import type { AskHandler } from "./run-option.ts";

/** Gives an answer to a question that was asked. @throws BosunError `usage` for a decision that is none. */
export function answerQuestion(
  engine: Pick<DurableEngine, "signal">,
  { log: { runId }, asked }: Pick<RunContext, "log" | "asked">,
  given: { readonly name: string; readonly decision: unknown },
): boolean {
  const { name } = given;
  const decision = readDecision(given.decision);
  if (decision) return asked.has(name) && engine.signal(runId, name, decision);
  throw new BosunError(
    "usage",
    `the answer to "${name}" of run ${runId} must be { ok: true, edit? } or { ok: false, reason }`,
  );
}

type Answering = {
  readonly answer: (name: string, decision: Decision | Nobody) => boolean;
  /** Stops the run: its questions can reach nobody any more. */
  readonly giveBack: (reason: string, cause: unknown) => void;
  /** Names of questions that an earlier process asked, and whose answer is kept. */
  readonly answered?: ReadonlySet<string> | undefined;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

/** A question as the log has it. */
export type Asking = Extract<RunEvent, { readonly type: "ask-start" }>;

/** The questions among a run's events that have no answer. */
export function openQuestions(events: readonly RunEvent[]): readonly Asking[] {
  const answered = new Set(
    events.flatMap((event) => (event.type === "ask-end" ? [event.name] : [])),
  );
  return events
    .filter((event) => event.type === "ask-start")
    .filter(({ name }) => !answered.has(name));
}

/** Names of the questions whose answer is kept, though the end of the process may have kept their events from saying so. */
export function answeredIn(steps: readonly StepRecord[]): ReadonlySet<string> {
  const waits = steps.filter(({ key, status }) => key.startsWith(WAIT) && status !== "begun");
  return new Set(waits.map(({ key }) => key.slice(WAIT.length)));
}

/** What the keys of waits begin with. */
export const WAIT = "wait:";

/** Follows the log, and calls the handler once for each question, also for those that an earlier process asked. Ends with the run. */
export function bringQuestions(log: RunLog, onAsk: AskHandler, answering: Answering): void {
  const open = new Map<string, AbortController>();
  const bring = (event: Asking): void => {
    if (answering.answered?.has(event.name)) return;
    const controller = new AbortController();
    open.set(event.name, controller);
    void handle(onAsk, toQuestion(event), { ...answering, signal: controller.signal });
  };
  const follow = async (): Promise<void> => {
    const replayed: RunEvent[] = [];
    for await (const event of log.read(0, answering.signal)) {
      if (event.replayed) {
        replayed.push(event);
        if (event.seq === log.replayed) openQuestions(replayed.splice(0)).forEach(bring);
      } else if (event.type === "ask-end") {
        open.get(event.name)?.abort();
        open.delete(event.name);
      } else if (event.type === "ask-start") bring(event);
    }
  };
  const close = (): void => open.forEach((controller) => controller.abort());
  follow().then(close, (error: unknown) => {
    close();
    // A store that fails takes the events with it: a question would wait for somebody who never hears of it.
    // A run that is given back stops by itself, once its calls have had their time to end.
    if (!answering.signal.aborted && !isSuspension(error))
      answering.giveBack(`its questions reach nobody: ${messageOf(error)}`, error);
  });
}

async function handle(
  onAsk: AskHandler,
  question: Question,
  { answer, clock, signal }: Answering,
): Promise<void> {
  const decision = await clock.external(callHandler(onAsk, question, signal));
  if (decision && !signal.aborted) answer(question.name, decision);
}

async function callHandler(
  onAsk: AskHandler,
  question: Question,
  signal: AbortSignal,
): Promise<Decision | Nobody | undefined> {
  try {
    const returned = await onAsk(question, { signal });
    if (returned === undefined || returned === null) return undefined;
    return readDecision(returned) ?? { nobody: "the onAsk handler returned no decision" };
  } catch (error) {
    return { nobody: `the onAsk handler failed: ${messageOf(error)}` };
  }
}

function toQuestion(event: Asking): Question {
  const { runId, name, agent, task, timeoutMs, onTimeout, issues } = event;
  const base = { runId, name, agent, task, timeoutMs, onTimeout, issues };
  return event.subject === "tool"
    ? { ...base, subject: event.subject, tool: event.tool, arguments: event.arguments }
    : { ...base, subject: event.subject, text: event.text };
}
