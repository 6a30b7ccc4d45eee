// What the journal keeps of a crew's run besides its steps: everything that it was started with, so that another process can go on with
// it, or begin another run from it.

import { BosunError } from "./error.ts";
import type { ModelRef } from "./inference/model/endpoint.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import type { Inputs } from "./orchestration/crew/input.ts";
import { changedParts, type Fingerprint, fingerprintOf } from "./orchestration/crew/fingerprint.ts";
import type { RunLimits } from "./orchestration/crew/run-limit.ts";
import type { RunFact } from "./orchestration/run/event.ts";
import type { RunContext } from "./orchestration/run/world.ts";
import type { ResumeOptions, RunOptions } from "./run-option.ts";

/** A run's input in the journal. Plain JSON. */
export type KeptRun = {
  readonly crew: string;
  /** As the crew's hook made them. */
  readonly inputs: JsonObject;
  readonly fingerprint: Fingerprint;
  /** Where the crew was loaded from; undefined for one that a program made. */
  readonly origin?: string | undefined;
  /** A name, or true for a model that was written in place: whoever resumes gives it again. */
  readonly model?: string | true | undefined;
  readonly limits?: RunLimits | undefined;
  readonly tenant?: string | undefined;
  readonly priority?: number | undefined;
  readonly responseCache?: boolean | undefined;
  readonly showPrompts?: boolean | undefined;
  readonly session?: { readonly name: string; readonly history: string } | undefined;
  readonly hookFacts?: readonly RunFact[] | undefined;
  /** The run that this one began from. */
  readonly forkedFrom?: string | undefined;
};

export function toKeptRun(
  run: RunOptions,
  { crew, inputs, session, hookFacts }: RunContext,
): KeptRun {
  const { model, limits, tenant, priority, responseCache, showPrompts, origin } = run;
  const kept: KeptRun = {
    crew: crew.name,
    inputs,
    fingerprint: fingerprintOf(crew),
    origin,
    model: model === undefined || typeof model === "string" ? model : true,
    limits,
    tenant,
    priority,
    responseCache,
    showPrompts,
    session,
    hookFacts: hookFacts.length > 0 ? hookFacts : undefined,
  };
  return Object.fromEntries(
    Object.entries(kept).filter(([, value]) => value !== undefined),
  ) as KeptRun; // `as`: the same fields, some left out
}

/** @throws BosunError `usage` for a run that is no crew's. */
export function readKeptRun(input: Json, runId: string): KeptRun {
  if (isObject(input) && typeof input["crew"] === "string" && isObject(input["fingerprint"]))
    return input as unknown as KeptRun; // `as`: toKeptRun made it
  throw new BosunError(
    "usage",
    `run ${runId} is no run of a crew: resume it with the program that began it`,
  );
}

/** The model that a resumed run uses. @throws BosunError `usage` when it was written in place, and is not given again. */
function modelOf(
  { model }: KeptRun,
  given: ModelRef | undefined,
  runId: string,
): ModelRef | undefined {
  if (given !== undefined || model !== true) return given ?? (model === true ? undefined : model);
  throw new BosunError(
    "usage",
    `run ${runId} was started with a model that was written in place. Give the same again: model, or --model`,
  );
}

/** @throws BosunError `run/changed` with the parts of the crew that are not what they were. */
export function checkUnchanged(crew: Crew, { fingerprint }: KeptRun, runId: string): void {
  const changed = changedParts(fingerprint, fingerprintOf(crew));
  if (changed.length === 0) return;
  throw new BosunError(
    "run/changed",
    `crew "${crew.name}" is not what it was when run ${runId} began: ${changed.join(", ")} differ. ` +
      "Steps that are done would be taken as they are and the others done anew. Resume with the crew as it was, say acceptChanges (--accept-changes) to go on with this one, or begin another run with `runs rerun`",
    { details: { changed: [...changed] } },
  );
}

/** What a run that goes on was started with. */
export function toRunOptions(
  kept: KeptRun,
  { signal, onAsk, model }: ResumeOptions,
  runId: string,
): RunOptions {
  const { inputs, limits, tenant, priority, responseCache, showPrompts, origin } = kept;
  const said = { limits, tenant, priority, responseCache, showPrompts, origin };
  return {
    ...said,
    inputs: inputs as Inputs, // `as`: they were checked when the run began
    signal,
    onAsk,
    model: modelOf(kept, model, runId),
  };
}
