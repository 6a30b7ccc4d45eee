// What is known about the steps of a flow after its run's events so far.

import type { ErrorData } from "../../error.ts";
import { ownValue } from "../../json.ts";
import { withEntry } from "./entry.ts";
import type { RunEvent, StepFact } from "./event.ts";

/** What one step of a flow came to. Times are on the run's clock in ms. */
export type FlowStepState = StepFact & {
  /** Of its last call. `skipped`: the run has ended, and nothing had let the step run. */
  readonly status: "waiting" | "running" | "done" | "failed" | "cancelled" | "skipped";
  readonly calls: number;
  readonly retries: number;
  /** How many of its calls run now. */
  readonly running: number;
  readonly raw: string;
  /** How often it has emitted each label. */
  readonly emitted: Readonly<Record<string, number>>;
  readonly error: ErrorData | undefined;
  readonly startedAt: number | undefined;
  readonly endedAt: number | undefined;
};

type StepEvent = Extract<
  RunEvent,
  { readonly type: "flow-start" | "step-start" | "step-retry" | "step-end" }
>;

/** The steps of a flow, by name. */
export type FlowSteps = Readonly<Record<string, FlowStepState>>;

/** The steps after one more event of them. */
export function applyStep(steps: FlowSteps, event: StepEvent): FlowSteps {
  switch (event.type) {
    case "flow-start":
      return Object.fromEntries(event.steps.map((step) => [step.name, toWaiting(step)]));
    case "step-start":
      return withStep(steps, event.step, (step) => ({
        ...step,
        status: "running",
        calls: Math.max(step.calls, event.call),
        running: step.running + 1,
        startedAt: step.startedAt ?? event.at,
      }));
    case "step-retry":
      return withStep(steps, event.step, (step) => ({
        ...step,
        retries: step.retries + (event.by === "retry" ? 1 : 0),
      }));
    case "step-end":
      return withStep(steps, event.step, (step) => {
        const running = Math.max(0, step.running - 1);
        const { status, raw, error, at: endedAt } = event;
        const emitted = event.labels.reduce(
          (counts, label) => ({ ...counts, [label]: (counts[label] ?? 0) + 1 }),
          step.emitted,
        );
        return {
          ...step,
          status: running > 0 ? "running" : status,
          running,
          raw,
          emitted,
          error,
          endedAt,
        };
      });
    default:
      return event satisfies never;
  }
}

/** The steps when the run has ended. */
export function atEnd(steps: FlowSteps): FlowSteps {
  const ended = Object.entries(steps).map(([name, step]): [string, FlowStepState] => [
    name,
    step.status === "waiting" ? { ...step, status: "skipped" } : step,
  ]);
  return Object.fromEntries(ended);
}

function toWaiting(step: StepFact): FlowStepState {
  return {
    ...step,
    status: "waiting",
    calls: 0,
    retries: 0,
    running: 0,
    raw: "",
    emitted: {},
    error: undefined,
    startedAt: undefined,
    endedAt: undefined,
  };
}

function withStep(
  steps: FlowSteps,
  name: string,
  change: (step: FlowStepState) => FlowStepState,
): FlowSteps {
  const step = ownValue(steps, name) ?? toWaiting({ name, kind: "listen", on: "" });
  return withEntry(steps, name, change(step));
}
