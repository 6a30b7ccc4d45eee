// What tests of definitions share: a start, and what a definition is refused with.

import type { BosunError } from "../../../src/error.ts";
import { defineFlow, type Flow, type FlowSteps } from "../../../src/orchestration/flow/flow.ts";
import { type FlowStep, start } from "../../../src/orchestration/flow/step.ts";
import { thrownBy } from "../run/scenario.ts";

export const work = (): string => "done";

export const begin: FlowStep<never, never, never, string> = start(work);

/** What is said to somebody who writes JavaScript: with whatever steps and options. */
export function refusal(steps: object, options: object = {}, name = "report"): BosunError {
  return thrownBy(() => defineFlow(name, options, steps as FlowSteps)); // `as`: wrong on purpose
}

export function defined(steps: FlowSteps, options: object = {}): Flow {
  return defineFlow("report", options, steps);
}
