// What the tests of flows share: a Bosun that keeps nothing or keeps all in a temporary folder, and ways to look at how a flow ended.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import { type Bosun, type BosunOptions, createBosun, type StartedRun } from "../../src/bosun.ts";
import { createVirtualClock } from "../../src/clock.ts";
import type { BosunError } from "../../src/error.ts";
import type { FlowResult } from "../../src/flow.ts";
import type { RunEvent } from "../../src/orchestration/run/event.ts";
import { type Script, scriptedModel } from "../../src/test/scripted-model.ts";
import { bosunOf, errorOf, QUICK, taskIn } from "../orchestration/run/scenario.ts";

/** Answers each task with its name. */
export const ofTask: Script = (request) => `of ${taskIn(request)}`;

/** A Bosun that keeps nothing. */
export function bosunFor(script: Script = ofTask, options: BosunOptions = {}): Bosun {
  return bosunOf(scriptedModel(script), options);
}

/** A Bosun in virtual time, which jumps when nothing else can happen. */
export function timelyBosun(script: Script = ofTask): Bosun {
  return bosunFor(script, { clock: createVirtualClock({ auto: true }) });
}

const folders: string[] = [];

/** A folder that goes with the test. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "bosun-flow-"));
  folders.push(path);
  return path;
}

afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

/** A Bosun on a folder, as one of several processes opens it. */
export function bosunOn(data: string, script: Script = ofTask, options: BosunOptions = {}): Bosun {
  return createBosun({ data, env: {}, model: scriptedModel(script), retry: QUICK, ...options });
}

/** What a kickoff fails with, and what the run had come to by then. */
export async function failureOf(
  kickoff: Promise<FlowResult<unknown>>,
): Promise<BosunError & { readonly partial: FlowResult }> {
  return (await errorOf(kickoff)) as BosunError & { readonly partial: FlowResult }; // `as`: kickoff says so
}

/** The first question of a run. */
export async function firstQuestion({
  log,
}: StartedRun): Promise<Extract<RunEvent, { readonly type: "ask-start" }>> {
  for await (const event of log.read(0, new AbortController().signal))
    if (event.type === "ask-start") return event;
  throw new Error("the run has asked nothing");
}

/** How often each step of a run was called; those that were not are left out. */
export function callsOf({ steps }: Pick<FlowResult, "steps">): Readonly<Record<string, number>> {
  const called = Object.values(steps).filter(({ calls }) => calls > 0);
  return Object.fromEntries(called.map(({ name, calls }) => [name, calls]));
}

/** Opens when all of these have come: what runs at once passes it, what runs one after the other never does. */
export function meeting<const Name extends string>(
  ...names: readonly Name[]
): (name: Name) => Promise<null> {
  const missing = new Set<Name>(names);
  const all = Promise.withResolvers<null>();
  return (name) => {
    missing.delete(name);
    if (missing.size === 0) all.resolve(null);
    return all.promise;
  };
}
