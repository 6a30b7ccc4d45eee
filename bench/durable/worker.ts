// One contender in its own process: does runs, and tells what they took beside the steps' own functions.

import { randomBytes } from "node:crypto";
import { answerParent } from "../overhead/child.ts";
import { loadContender, type Ready, type Shape } from "./contender.ts";
import type { Place } from "./place.ts";

export type Opening = { readonly name: string; readonly place: Place };

/** Runs of one shape, `concurrency` at once, for `forMs` milliseconds and at least `runs` of them. */
export type Burst = {
  readonly shape: Shape;
  /** Milliseconds that each step's function waits; 0 = it does not. */
  readonly callMs: number;
  readonly concurrency: number;
  readonly forMs: number;
  readonly runs: number;
};

export type BurstResult = {
  readonly runs: number;
  readonly wallMs: number;
  /** User + system of this process, all threads; a server's is not in it. */
  readonly cpuMs: number;
  /** Of each pair of steps in a row: from the end of one's function to the beginning of the next one's. */
  readonly gapsMs: readonly number[];
  /** Of each run: all of it, and what is left without its functions' time (in a fan, the slowest one's). */
  readonly runMs: readonly number[];
  readonly restMs: readonly number[];
};

/** Results are kept as they are: texts that no engine can shorten. */
const RESULTS = Array.from({ length: 64 }, () => randomBytes(768).toString("base64"));

/** What is known of a run while it goes. */
type Going = { endedAt: number | undefined; insideMs: number };

let ready: Ready | undefined;
let callMs = 0;
let isFan = false;
let gapsMs: number[] = [];
let count = 0;
const going = new Map<string, Going>();

answerParent({
  async open({ name, place }: Opening): Promise<{ readonly does: string }> {
    const contender = await loadContender(name);
    ready = await contender.create(place, work);
    return { does: contender.does };
  },
  burst,
  bytes: () => ready?.bytes(),
  close: () => ready?.close(),
});

/** The function of every step. */
async function work(runId: string, step: number): Promise<string> {
  const begunAt = performance.now();
  const run = going.get(runId);
  if (run?.endedAt !== undefined) gapsMs.push(begunAt - run.endedAt);
  if (callMs > 0) await new Promise((resolve) => setTimeout(resolve, callMs));
  if (run) {
    const endedAt = performance.now();
    const tookMs = endedAt - begunAt;
    run.insideMs = isFan ? Math.max(run.insideMs, tookMs) : run.insideMs + tookMs;
    if (!isFan) run.endedAt = endedAt;
  }
  return RESULTS[step % RESULTS.length] ?? "";
}

async function burst(wanted: Burst): Promise<BurstResult> {
  const { shape, concurrency, forMs, runs } = wanted;
  if (!ready) throw new Error("open a contender first");
  const { run } = ready;
  callMs = wanted.callMs;
  isFan = shape.order === "fan";
  gapsMs = [];
  const runMs: number[] = [];
  const restMs: number[] = [];
  const startedAt = performance.now();
  const before = process.cpuUsage();
  let started = 0;
  const lane = async (): Promise<void> => {
    while (started < runs || performance.now() - startedAt < forMs) {
      started++;
      const id = `run-${process.pid}-${count++}`;
      const state: Going = { endedAt: undefined, insideMs: 0 };
      going.set(id, state);
      const beganAt = performance.now();
      await run(id, shape);
      const tookMs = performance.now() - beganAt;
      going.delete(id);
      runMs.push(tookMs);
      restMs.push(tookMs - state.insideMs);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  const { user, system } = process.cpuUsage(before);
  const wallMs = performance.now() - startedAt;
  return { runs: started, wallMs, cpuMs: (user + system) / 1_000, gapsMs, runMs, restMs };
}
