// A process that begins runs and is killed, or that comes after it and goes on with them. Its step log tells what really happened.

import { appendFileSync } from "node:fs";
import { loadContender, type Shape } from "./contender.ts";
import type { Place } from "./place.ts";

export type KillOrder = {
  readonly name: string;
  readonly place: Place;
  /** A line for each beginning and end of a step's function: who, what, run, step, time. */
  readonly log: string;
  readonly who: "killed" | "next";
  readonly ids: readonly string[];
  readonly shape: Shape;
  /** How long step n's function takes: callMs + n * moreMs. */
  readonly callMs: number;
  readonly moreMs: number;
  /** The killed process stays in this step. */
  readonly hangsAt: number | undefined;
};

/** What the killed one says when it may be killed, and the next one at its end. */
export type KillMessage =
  | { readonly type: "going" }
  /** Times as performance.timeOrigin + performance.now(). */
  | { readonly type: "done"; readonly openedAt: number; readonly doneAt: number };

const now = (): number => performance.timeOrigin + performance.now();
const order = JSON.parse(process.argv[2] ?? "") as KillOrder; // `as`: kill.ts wrote it
const { name, place, log, who, ids, shape, callMs, moreMs, hangsAt } = order;
const say = (message: KillMessage): void => void process.send?.(message);
const firsts = new Set<string>();

const contender = await loadContender(name);
const openedAt = now();
const { run, resume, close } = await contender.create(place, work);
if (who === "killed") await Promise.all(ids.map((id) => run(id, shape)));
else {
  await Promise.all(ids.map(async (id) => resume?.(id, shape)));
  say({ type: "done", openedAt, doneAt: now() });
  await close();
  process.exit();
}

async function work(runId: string, step: number): Promise<string> {
  appendFileSync(log, `${who} begin ${runId} ${step} ${now()}\n`);
  const isKilled = who === "killed";
  const isStuck = isKilled && step === hangsAt;
  firsts.add(runId);
  const isGoing = isStuck || (hangsAt === undefined && firsts.size === ids.length);
  if (isKilled && isGoing) say({ type: "going" });
  const ms = isStuck ? 600_000 : callMs + step * moreMs;
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
  appendFileSync(log, `${who} end ${runId} ${step} ${now()}\n`);
  return "x".repeat(1_024);
}
