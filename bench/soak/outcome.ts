// How one run ended, and what is wrong with it: a run ends in a result or in an error that says by its code what to do.

import { type ErrorCode, isBosunError } from "../../src/error.ts";
import type { Usage } from "../../src/inference/model/usage.ts";
import type { RunState } from "../../src/orchestration/run/state.ts";

/** What faults, time-outs, guardrails and users may end a run with. Any other code is a defect somewhere. */
const EXPECTED: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "run/cancelled",
  "run/timed-out",
  "task/timed-out",
  "task/cancelled",
  "task/guardrail",
  "task/output-invalid",
  "task/rejected",
  "task/unanswered",
  "agent/iterations",
  "agent/empty-answer",
  "model/cut",
  "model/overloaded",
  "model/protocol",
  "model/rate-limited",
  "model/server",
  "model/timed-out",
  "model/unreachable",
]);

/** Names of errors that only a defect throws. */
const DEFECTS: ReadonlySet<string> = new Set([
  "AssertionError",
  "RangeError",
  "ReferenceError",
  "TypeError",
]);

/** The outcome's name, `done` or a status with its code, and what is wrong with it. */
export type Outcome = { readonly name: string; readonly wrong: readonly string[] };

/** @param cause the first error of a task, with its own causes. */
export function judge(state: RunState, cause: unknown): Outcome {
  const { status, error, runId } = state;
  const name = error ? `${status} ${error.code}` : status;
  const wrong: string[] = [];
  const note = (what: string): void => void wrong.push(`${runId}: ${what}`);
  if (status === "running" || state.endedAt === undefined) note("ended without a run-end");
  if (status !== "done" && status !== "partial" && !error) note(`${status} without an error`);
  const errors = [error, ...Object.values(state.tasks).map((task) => task.error)];
  for (const one of errors)
    if (one && !EXPECTED.has(one.code)) note(`${one.code}: ${one.message.slice(0, 300)}`);
  for (const task of Object.values(state.tasks))
    if (task.status === "running") note(`task ${task.name} is still running`);
  const sum = Object.values(state.agents).reduce((tokens, one) => tokens + tokensOf(one.usage), 0);
  const total = tokensOf(state.usage);
  if (sum !== total) note(`its agents used ${sum} tokens, the run ${total}`);
  const defect = defectIn(cause);
  if (defect) note(defect);
  return { name, wrong };
}

function tokensOf({ input, output }: Usage): number {
  return input.total + output.total;
}

function defectIn(error: unknown): string | undefined {
  for (let one = error; one instanceof Error; one = one.cause)
    if (!isBosunError(one) && DEFECTS.has(one.name)) return one.stack ?? one.name;
  return undefined;
}
