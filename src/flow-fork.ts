// Which steps of a flow's run another one takes over: all that was kept before a point in time. What is later may have seen what is
// done anew, in the state or as its input.

import { BosunError } from "./error.ts";
import { similarTo } from "./orchestration/crew/similar.ts";
import type { StepRecord } from "./orchestration/durable/engine.ts";
import type { Flow } from "./orchestration/flow/flow.ts";

/** @param from A step of the flow, whose first call is done anew, one call of it (`write~3`), or a key. Undefined: what the run has not done, or what failed. */
export function keepBeforeStep(
  flow: Flow,
  steps: readonly StepRecord[],
  { from, isOther }: { readonly from: string | undefined; readonly isOther: boolean },
): (step: StepRecord) => boolean {
  if (isOther && from === undefined) return () => false; // other inputs: another state from the beginning
  if (isOther)
    throw new BosunError(
      "usage",
      `a fork of a flow from "${from}" has the state as it was there, which other inputs do not change. Leave one of the two out`,
    );
  if (from === undefined) return keepSurvived(steps);
  // A step goes before what waitFor calls the same.
  const isStep = Object.hasOwn(flow.steps, from.replace(/~\d+(?:\.\d+)?$/, ""));
  const first = isStep ? `step:${from}` : from;
  const place = steps.findIndex(({ key }) => isIn(key, first) || isIn(keyIn(key), first));
  if (place < 0) throw unknownStep(flow, from);
  const kept = new Set(steps.slice(0, place).map(({ key }) => key));
  return (step) => isEnded(step) && kept.has(step.key);
}

/**
 * All that has ended, failures too: what came after them has seen them. Of the call that ended the run what it did before its first failure,
 * and nothing that came after it.
 */
function keepSurvived(steps: readonly StepRecord[]): (step: StepRecord) => boolean {
  const last = steps.findLastIndex(({ key, status }) => status === "failed" && CALL_END.test(key));
  const call = steps[last]?.key.replace(CALL_END, "$1/");
  if (call === undefined || isSurvived(steps, call)) return isEnded;
  const first = steps.findIndex(({ key, status }) => status === "failed" && key.startsWith(call));
  const kept = new Set(
    steps
      .slice(0, last)
      .flatMap(({ key }, place) => (place >= first && key.startsWith(call) ? [] : [key])),
  );
  return (step) => isEnded(step) && kept.has(step.key);
}

/** The end of one call, or of one try of it. */
const CALL_END = /^(step:[^/]+)\/end$/;

/** Whether another try followed. @param call `step:write~2.1/`. */
function isSurvived(steps: readonly StepRecord[], call: string): boolean {
  const [, name = "", number = "1", attempt = "1"] =
    /^(step:[^~/]+)(?:~(\d+))?(?:\.(\d+))?\/$/.exec(call) ?? [];
  const next = `${name}~${number}.${Number(attempt) + 1}/`;
  return steps.some(({ key }) => key.startsWith(next));
}

function isEnded({ status, key }: StepRecord): boolean {
  return status !== "begun" && !key.startsWith("limit:");
}

function isIn(key: string, from: string): boolean {
  return key === from || key.startsWith(`${from}/`);
}

/** Without what the journal says of its kind. */
function keyIn(key: string): string {
  return key.replace(/^(sleep|wait|limit):/, "");
}

function unknownStep({ steps }: Flow, from: string): BosunError {
  const names = Object.keys(steps);
  const meant = similarTo(from, names);
  return new BosunError(
    "usage",
    `the run has done no step "${from}"${meant === undefined ? "." : `: did you mean ${meant}?`} The flow's steps: ${names.join(", ")}; the second call of one is NAME~2. \`bosun runs show ID --steps\` lists what is kept`,
  );
}
