// What the tests of runs that go on share: a run to its end, a run cut off at a place, and what must be equal.

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Bosun, createBosun, type StartedRun } from "../src/bosun.ts";
import { canonicalJson, type Json } from "../src/json.ts";
import type { RunEvent } from "../src/orchestration/run/event.ts";
import type { RunState } from "../src/orchestration/run/state.ts";
import { type Script, type ScriptedModel, scriptedModel } from "../src/test/scripted-model.ts";
import { QUICK } from "./orchestration/run/scenario.ts";
import type { RichCrew } from "./rich-crew.ts";

/** The id of every run here. */
export const ID = "r";

/** A folder that disposing removes. */
export function tempFolder(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "bosun-resume-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export type Opened = { readonly bosun: Bosun; readonly model: ScriptedModel };

/** A Bosun that keeps its runs in the folder, and executes each that is done once more from its journal. */
export function openKept(
  data: string,
  { script, contextTokens }: Pick<RichCrew, "script" | "contextTokens">,
): Opened {
  const model = scriptedModel(script, { contextTokens });
  const env = { BOSUN_CHECK_REPLAY: "1" };
  const bosun = createBosun({ data, env, model, retry: QUICK, outputFolder: data });
  return { bosun, model };
}

/** What a run came to. */
export type Came = {
  readonly state: RunState;
  readonly events: readonly RunEvent[];
  /** The places of the model calls that were made. */
  readonly calls: readonly string[];
};

/** Follows a run to its end and closes its Bosun. */
export async function toEnd(run: StartedRun, { bosun, model }: Opened): Promise<Came> {
  const state = await run.ended;
  const events: RunEvent[] = [];
  for await (const event of run.log.read(0, new AbortController().signal))
    if (event.type !== "model-delta") events.push(event);
  await bosun.close();
  return { state, events, calls: model.requests.map(({ hints }) => hints.path.join("/")) };
}

/** The run of a crew from its beginning to its end, kept in the folder. */
export async function wholeRun(rich: RichCrew, data: string): Promise<Came> {
  const opened = openKept(data, rich);
  const { crew, inputs, onAsk } = rich;
  return toEnd(await opened.bosun.start(crew, { inputs, onAsk, runId: ID }), opened);
}

/** The run that the folder keeps, from where it was cut off to its end. */
export async function resumedRun(rich: RichCrew, data: string): Promise<Came> {
  const opened = openKept(data, rich);
  return toEnd(await opened.bosun.resume(rich.crew, ID, { onAsk: rich.onAsk }), opened);
}

/** The beginning of a run, whose process gives it back while its n-th model call is under way. @returns the calls that had been answered. */
export async function suspendedRun(
  rich: RichCrew,
  data: string,
  n: number,
): Promise<readonly string[]> {
  let opened: Opened | undefined;
  let made = 0;
  const script: Script = (request, index) => {
    if (++made < n) return typeof rich.script === "function" ? rich.script(request, index) : "";
    void opened?.bosun.suspend();
    return new Promise<never>(() => undefined);
  };
  opened = openKept(data, { ...rich, script });
  const { bosun, model } = opened;
  const run = await bosun.start(rich.crew, {
    inputs: rich.inputs,
    onAsk: rich.onAsk,
    runId: ID,
  });
  await run.ended.catch(() => undefined); // suspended, or at its end before the n-th call
  await bosun.close();
  const answered = new Set(keptKeys(data));
  return model.requests
    .map(({ hints }) => hints.path.join("/"))
    .filter((place) => answered.has(place));
}

/** A copy of a folder as it would be if the process had been killed with so many steps and events kept. */
export function cutOff(
  from: string,
  to: string,
  kept: { readonly steps: number; readonly events: number },
): void {
  cpSync(from, to, { recursive: true });
  using journal = new DatabaseSync(join(to, "journal.db"));
  journal.exec(`DELETE FROM steps WHERE seq IS NULL OR seq > ${kept.steps};
    UPDATE runs SET phase = 'interrupted', ended_at = NULL, output = NULL, error = NULL, owner = NULL`);
  using store = new DatabaseSync(join(to, "runs.db"));
  store.exec(`DELETE FROM events WHERE seq > ${kept.events}`);
  store.exec(
    kept.events === 0
      ? "DELETE FROM runs"
      : "UPDATE runs SET status = 'running', ended_at = NULL, owner = 'gone'",
  );
}

/** The keys of the first steps that a run has kept, in the order in which they were. */
export function keptKeys(folder: string): readonly string[] {
  using journal = new DatabaseSync(join(folder, "journal.db"));
  const rows = journal.prepare("SELECT key FROM steps WHERE ok IS NOT NULL ORDER BY seq").all();
  return rows.map(({ key }) => String(key));
}

/** What must be the same: everything but times, and the numbers of events. */
export function timeless(value: unknown): unknown {
  return JSON.parse(
    JSON.stringify(value, (key, part: unknown) => (TIMES.has(key) ? undefined : part)),
  );
}

const TIMES: ReadonlySet<string> = new Set([
  "startedAt",
  "endedAt",
  "busyMs",
  "timings",
  "at",
  "seq",
  "replayed",
]);

/** Events without times, in an order of their own: those of tasks side by side come in any order. */
export function asSet(events: readonly RunEvent[]): readonly string[] {
  return events.map((event) => canonicalJson(timeless(event) as Json)).toSorted();
}
