// A flow as a service of the server: `run` executes it, the others reach a run from outside.

import type { WorkflowContext, WorkflowSharedContext } from "@restatedev/restate-sdk";
import { BosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import type { Stored } from "../sqlite/value.ts";
import type { EngineParts } from "./engine-parts.ts";
import { CANCEL, Execution, GO, readKept, type RunInput } from "./execution.ts";
import { serviceOf } from "./name.ts";

export type Service = Parameters<
  EngineParts["sdk"]["createEndpointHandler"]
>[0]["services"][number];

/** What is sent to a run's `give`. */
export type Given = { readonly name: string; readonly value: Stored };

/** Longer than any step: the server must not take a run away whose step is under way, which would then be made again. */
const MARGIN_MS = 60_000;
/** How long it is known that a signal was given, for one that is sent twice because its answer was lost. */
const GIVEN_KEPT_MS = 600_000;

export function defineService(parts: EngineParts, flow: Flow<Json, Json>): Service {
  const { sdk, inactivityMs, keepMs } = parts;
  const maxStepMs = mostOf(parts, flow);
  const shared = <I, O>(
    handler: (ctx: WorkflowSharedContext, input: I) => Promise<O>,
  ): ((ctx: WorkflowSharedContext, input: I) => Promise<O>) =>
    sdk.handlers.workflow.shared(
      { journalRetention: 0, idempotencyRetention: GIVEN_KEPT_MS },
      handler,
    ) as typeof handler; // `as`: the SDK returns the function that it was given
  return sdk.workflow({
    name: serviceOf(flow),
    handlers: {
      run: (ctx: WorkflowContext, input: RunInput) => execute(parts, flow, { ctx, input }),
      give: shared((ctx, { name, value }: Given) =>
        resolve(() => ctx.promise(`wait:${name}`).resolve({ value }), parts),
      ),
      cancel: shared((ctx, { value }: Pick<Given, "value">) =>
        resolve(() => ctx.promise(CANCEL).resolve(value), parts),
      ),
      go: shared((ctx) => resolve(() => ctx.promise(GO).resolve(null), parts)),
    },
    options: {
      inactivityTimeout: inactivityMs ?? maxStepMs + MARGIN_MS,
      abortTimeout: maxStepMs + MARGIN_MS,
      workflowRetention: keepMs,
      journalRetention: keepMs,
      retryPolicy: { initialInterval: 50, exponentiationFactor: 2, maxInterval: 5_000 },
      onJournalMismatchErrors: "pause",
    },
  });
}

/** The longest try of a step: the server begins one anew that takes longer than it was told. */
function mostOf({ maxStepMs }: EngineParts, flow: Flow<Json, Json>): number {
  return Math.max(maxStepMs, flow.maxStepMs ?? 0);
}

/** False when it was resolved before. */
async function resolve(work: () => Promise<void>, { sdk }: EngineParts): Promise<boolean> {
  try {
    await work();
    return true;
  } catch (error) {
    if (error instanceof sdk.TerminalError && !(error instanceof sdk.CancelledError)) return false;
    throw error;
  }
}

async function execute(
  parts: EngineParts,
  flow: Flow<Json, Json>,
  { ctx, input }: { readonly ctx: WorkflowContext; readonly input: RunInput },
): Promise<{ readonly value: Stored }> {
  const refusal = parts.refusal(ctx.key);
  if (refusal) throw refusal; // the server calls again, and then whoever is there
  const again = new BosunError("run/suspended", `run ${ctx.key} is executed anew`);
  parts.executions.get(ctx.key)?.forget(again);
  const own = { ...parts, maxStepMs: mostOf(parts, flow) };
  const execution = new Execution(own, ctx, readKept(input, parts));
  parts.executions.set(ctx.key, execution);
  return execution.execute(flow, input);
}
