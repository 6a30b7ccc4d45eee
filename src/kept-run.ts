// What the journal keeps of a crew's run besides its steps: everything that it was started with, so that another process can go on with
// it, or begin another run from it.

import { BosunError } from "./error.ts";
import type { ModelRef } from "./inference/model/endpoint.ts";
import { isObject, type Json, type JsonObject } from "./json.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import type { Inputs } from "./orchestration/crew/input.ts";
import { changedParts, type Fingerprint, fingerprintOf } from "./orchestration/crew/fingerprint.ts";
import type { RunLimits } from "./orchestration/crew/run-limit.ts";
import { flowFingerprint } from "./orchestration/flow/fingerprint.ts";
import type { Flow } from "./orchestration/flow/flow.ts";
import type { RunFact } from "./orchestration/run/event.ts";
import type { RunContext } from "./orchestration/run/world.ts";
import type { ResumeOptions, RunOptions } from "./run-option.ts";

/** A crew's run in the journal. Plain JSON. */
export type KeptRun = KeptOptions & {
  readonly crew: string;
  readonly session?: { readonly name: string; readonly history: string } | undefined;
  readonly hookFacts?: readonly RunFact[] | undefined;
};

/** A flow's run in the journal. Plain JSON. */
export type KeptFlow = KeptOptions & { readonly flow: string };

type KeptOptions = {
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
  /** The run that this one began from. */
  readonly forkedFrom?: string | undefined;
};

export function toKeptRun(
  run: RunOptions,
  { crew, inputs, session, hookFacts }: RunContext,
): KeptRun {
  const fingerprint = fingerprintOf(crew);
  const facts = hookFacts.length > 0 ? hookFacts : undefined;
  return known({ crew: crew.name, ...keptOf(run, inputs, fingerprint), session, hookFacts: facts });
}

export function toKeptFlow(run: RunOptions, flow: Flow, inputs: JsonObject): KeptFlow {
  return known({ flow: flow.name, ...keptOf(run, inputs, flowFingerprint(flow)) });
}

function keptOf(run: RunOptions, inputs: JsonObject, fingerprint: Fingerprint): KeptOptions {
  const { model, limits, tenant, priority, responseCache, showPrompts, origin } = run;
  const name = model === undefined || typeof model === "string" ? model : true;
  const said = { limits, tenant, priority, responseCache, showPrompts };
  return { inputs, fingerprint, origin, model: name, ...said };
}

/** The fields that have a value. */
function known<Fields extends object>(fields: Fields): Fields {
  const entries = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Fields; // `as`: the same fields, some left out
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

/** @throws BosunError `usage` for a run that is no flow's. */
export function readKeptFlow(input: Json, runId: string): KeptFlow {
  if (isObject(input) && typeof input["flow"] === "string" && isObject(input["fingerprint"]))
    return input as unknown as KeptFlow; // `as`: toKeptFlow made it
  throw new BosunError("usage", `run ${runId} is no run of a flow`);
}

/** Where the crew or the flow of a run was loaded from; undefined for what a program made. */
export function originOf(input: Json): string | undefined {
  const origin = isObject(input) ? input["origin"] : undefined;
  return typeof origin === "string" ? origin : undefined;
}

/** The model that a resumed run uses. @throws BosunError `usage` when it was written in place, and is not given again. */
function modelOf(
  { model }: KeptOptions,
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
export function checkUnchanged(crew: Crew, kept: KeptRun, runId: string): void {
  checkParts(`crew "${crew.name}"`, { before: kept.fingerprint, now: fingerprintOf(crew), runId });
}

/** The same for a flow. */
export function checkFlowUnchanged(flow: Flow, kept: KeptFlow, runId: string): void {
  const now = flowFingerprint(flow);
  checkParts(`flow "${flow.name}"`, { before: kept.fingerprint, now, runId });
}

function checkParts(
  what: string,
  parts: { readonly before: Fingerprint; readonly now: Fingerprint; readonly runId: string },
): void {
  const { before, now, runId } = parts;
  const changed = changedParts(before, now);
  if (changed.length === 0) return;
  throw new BosunError(
    "run/changed",
    `${what} is not what it was when run ${runId} began: ${changed.join(", ")} differ. ` +
      "Steps that are done would be taken as they are and the others done anew. Resume with it as it was, say acceptChanges (--accept-changes) to go on with this one, or begin another run with `runs rerun`",
    { details: { changed: [...changed] } },
  );
}

/** What a run that goes on was started with. */
export function toRunOptions(
  kept: KeptOptions,
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
