// A crew's flow that any process can execute: it makes the run's context from what the journal keeps.

import { createHash } from "node:crypto";
import { canonicalJson } from "./json.ts";
import { type FlowHome, letGoFlow, prepareFlow } from "./flow-world.ts";
import { checkUnchanged, type KeptFlow, type KeptRun, toRunOptions } from "./kept-run.ts";
import { allTasks } from "./orchestration/crew/cast.ts";
import type { Crew } from "./orchestration/crew/crew.ts";
import { type Fingerprint, fingerprintOf } from "./orchestration/crew/fingerprint.ts";
import type { Flow } from "./orchestration/durable/durable.ts";
import { flowFingerprint } from "./orchestration/flow/fingerprint.ts";
import type { Flow as EventFlow } from "./orchestration/flow/flow.ts";
import type { CrewInput } from "./orchestration/run/crew.ts";
import type { FlowInput, FlowOutcome } from "./orchestration/run/flow.ts";
import type { Outcome } from "./orchestration/run/progress.ts";
import { type Home, letGo, prepareRun } from "./run-context.ts";

/** What runs that are served are bound to: an execution that a server began anew is not what a program has bound. */
const served = new WeakSet<object>();

function isLocal(bound: object | undefined): boolean {
  return bound !== undefined && !served.has(bound);
}

/** What it needs of its Bosun. */
export type Served = Home & { readonly crewFlow: Flow<CrewInput, Outcome> };

/**
 * The flow of one crew. Its version is what the crew is made of: a process that has another crew of that name leaves its runs alone.
 */
export function createServedFlow(crew: Crew, home: Served): Flow<KeptRun, Outcome> {
  return {
    name: `crew/${crew.name}`,
    version: versionOf(fingerprintOf(crew)),
    maxStepMs: Math.max(...allTasks(crew.tasks).map(({ timeoutMs }) => timeoutMs)),
    async run(d, kept) {
      // A program that resumes the run itself has made its context.
      if (isLocal(home.contexts.get(d.rootId))) return home.crewFlow.run(d, kept);
      checkUnchanged(crew, kept, d.rootId);
      const store = await home.store();
      const resumed = { ...kept, runId: d.rootId, stored: store?.resume(d.rootId) ?? [] };
      const run = toRunOptions(kept, {}, d.rootId);
      const context = await prepareRun(
        crew,
        run,
        { ...home, noteFailure: () => undefined },
        resumed,
      );
      served.add(context);
      try {
        return await home.crewFlow.run(d, kept);
      } finally {
        await context.log.flushed();
        letGo(home, context);
      }
    },
  };
}

/** The same for a user's flow. */
export function createServedEventFlow(
  flow: EventFlow,
  home: FlowHome & { readonly flowBody: Flow<FlowInput, FlowOutcome> },
): Flow<KeptFlow, FlowOutcome> {
  return {
    name: `flow/${flow.name}`,
    version: versionOf(flowFingerprint(flow)),
    maxStepMs: longestOf(flow),
    async run(d, kept) {
      if (isLocal(home.flowRuns.get(d.rootId))) return home.flowBody.run(d, kept);
      const run = toRunOptions(kept, {}, d.rootId);
      const bound = await d.local(async () => {
        const stored = (await home.store())?.resume(d.rootId) ?? [];
        const resumed = { runId: d.rootId, stored };
        return prepareFlow(flow, run, { ...home, noteFailure: () => undefined }, resumed);
      });
      served.add(bound);
      try {
        return await home.flowBody.run(d, kept);
      } finally {
        await bound.log.flushed();
        letGoFlow(home, bound);
      }
    },
  };
}

/** The longest time that a task of its crews may take, as far as its steps name them. */
function longestOf({ steps }: EventFlow): number {
  const crews = Object.values(steps).flatMap(({ options }) => options.crews ?? []);
  return Math.max(
    0,
    ...crews.flatMap(({ tasks }) => allTasks(tasks).map(({ timeoutMs }) => timeoutMs)),
  );
}

/** Short, and another one for each change of a part. */
function versionOf(fingerprint: Fingerprint): string {
  const parts = canonicalJson(fingerprint);
  return createHash("sha256").update(parts).digest("hex").slice(0, 16);
}
