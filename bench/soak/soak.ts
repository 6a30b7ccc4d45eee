// The soak: crews against a twin with faults, in blocks; after each block nothing of it may be left.
//
// One Bosun lives through all blocks, as in a service: what it keeps of a run that has ended would add up.

import { getEventListeners } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Bosun, StartedRun } from "../../src/bosun.ts";
import { messageOf } from "../../src/error.ts";
import { createRandom, type Random } from "../../src/inference/twin/random.ts";
import { type Child, startChild } from "../overhead/child.ts";
import { CREW_TIMEOUT_MS, type Draft, drawCrew, SPEED } from "./crew.ts";
import { type Leftover, readLeftover } from "./leftover.ts";
import { createService, wrongAtRest } from "./service.ts";
import { judge, type Outcome } from "./outcome.ts";
import type { Held, Started } from "./twin.ts";

export type SoakOptions = {
  readonly runs: number;
  /** Runs of one block. */
  readonly blockRuns: number;
  readonly inFlight: number;
  readonly seed: number;
  /** Keeps every event in a store, as a service does. */
  readonly hasStore: boolean;
};

/** What came of one block, or of what is left when all is closed. */
export type Block = {
  readonly runs: number;
  readonly seconds: number;
  /** How many ended how. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly left: Leftover;
  readonly twin: Held;
  /** Runs that have ended and are still in memory. */
  readonly alive: number;
  /** What must not be; empty = fine. */
  readonly wrong: readonly string[];
};

/** In real time, above its crew's own bound: by then every call, tool and time-out inside is over. */
const HANG_MS = CREW_TIMEOUT_MS / SPEED + 20_000;
/** How long a twin may take to see that its clients have left, and sockets to close. */
const PATIENCE_MS = 10_000;

/** The blocks, and at last what is left behind the end. */
export async function* runSoak(options: SoakOptions): AsyncGenerator<Block> {
  const { runs, blockRuns, seed, hasStore } = options;
  const data = hasStore ? mkdtempSync(join(tmpdir(), "bosun-soak-")) : false;
  const stray = watchProcess();
  const twin = startChild("../soak/twin.ts");
  const started = await twin.ask<Started>("start", { seed });
  const before = await readLeftover();
  const bosun = createService(started, data);
  const random = createRandom(seed);
  const service = new AbortController();
  const soak = { bosun, twin, random, service: service.signal, ...options };
  for (let done = 0; done < runs; done += blockRuns)
    yield await runBlock(Math.min(blockRuns, runs - done), soak, stray);
  await bosun.close();
  yield await readEnd(twin, before, stray);
  twin.stop();
  if (data !== false) rmSync(data, { recursive: true });
}

type Soak = SoakOptions & {
  readonly bosun: Bosun;
  readonly twin: Child;
  readonly random: Random;
  /** Every run's signal hangs on it, as on that of a service that may be stopped. */
  readonly service: AbortSignal;
};

async function runBlock(runs: number, soak: Soak, stray: () => string[]): Promise<Block> {
  const startedAt = performance.now();
  const outcomes = new Map<string, number>();
  const wrong: string[] = [];
  const ended: WeakRef<object>[] = [];
  let left = runs;
  const lane = async (): Promise<void> => {
    while (left-- > 0) {
      const outcome = await runOne(soak, ended);
      outcomes.set(outcome.name, (outcomes.get(outcome.name) ?? 0) + 1);
      wrong.push(...outcome.wrong);
    }
  };
  const lanes = Array.from({ length: Math.min(soak.inFlight, runs) }, lane);
  await Promise.all([...lanes, outage(soak)]);
  const seconds = (performance.now() - startedAt) / 1_000;
  const twin = await calm(soak.twin, ({ running, waiting }) => running + waiting === 0);
  const leftover = await readLeftover();
  const alive = ended.filter((run) => run.deref() !== undefined).length;
  const listeners = getEventListeners(soak.service, "abort").length;
  if (listeners > 0) wrong.push(`${listeners} listeners on the signal of runs that have ended`);
  wrong.push(...stray(), ...wrongAtRest(soak.bosun, twin));
  return { runs, seconds, outcomes, left: leftover, twin, alive, wrong };
}

/** One of the servers goes for a while, while the block's runs go on. */
async function outage({ twin, random }: Soak): Promise<void> {
  await sleep(random() * 1_000);
  await twin.ask("outage", { at: random() < 0.5 ? 0 : 1, ms: 100 + random() * 400 });
}

/** One run with its user and its reader. */
async function runOne(
  { bosun, random, service }: Soak,
  ended: WeakRef<object>[],
): Promise<Outcome> {
  const draft = drawCrew(random, "soak", "spare");
  const { onAsk, session } = draft;
  const user = new AbortController();
  const over = new AbortController();
  const signal = draft.leave?.by === "signal" ? AbortSignal.any([service, user.signal]) : service;
  try {
    const run = await bosun.start(draft.crew, { inputs: {}, signal, onAsk, session });
    ended.push(new WeakRef(run.log));
    const others = Promise.all([readSome(run, draft), leaveLater(run, draft, { user, over })]);
    const state = await Promise.race([run.ended, hang(over.signal)]);
    over.abort();
    if (state === undefined) {
      const { tasks } = run.log.state;
      return { name: "HUNG", wrong: [`${run.runId} hangs: ${JSON.stringify(tasks)}`] };
    }
    await others;
    return judge(state, run.cause());
  } catch (error) {
    const text = error instanceof Error ? (error.stack ?? error.message) : messageOf(error);
    return { name: "THREW", wrong: [text] };
  } finally {
    over.abort();
  }
}

/** A reader of the live events that goes when it has seen enough. */
async function readSome({ log }: StartedRun, { readEvents }: Draft): Promise<void> {
  if (readEvents === 0) return;
  let seen = 0;
  for await (const _ of log.read(0, NEVER)) if (++seen >= readEvents) return;
}

const NEVER = new AbortController().signal;

type Users = { readonly user: AbortController; readonly over: AbortController };

async function leaveLater(run: StartedRun, { leave }: Draft, { user, over }: Users): Promise<void> {
  if (!leave || !(await waited(leave.afterMs, over.signal))) return;
  if (leave.by === "cancel") run.cancel("the soak's user has left");
  else user.abort(new Error("the soak's user has left"));
}

/** @returns undefined when the run takes longer than anything in it may. */
async function hang(over: AbortSignal): Promise<undefined> {
  await waited(HANG_MS, over);
}

/** @returns false when it was aborted before. */
async function waited(ms: number, signal: AbortSignal): Promise<boolean> {
  try {
    await sleep(ms, undefined, { signal });
    return true;
  } catch {
    return false; // aborted: it has no other failure
  }
}

/** What the twin holds as soon as `isCalm`, or when patience is over. */
async function calm(twin: Child, isCalm: (held: Held) => boolean): Promise<Held> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const held = await twin.ask<Held>("held");
    if (isCalm(held) || performance.now() > until) return held;
    await sleep(20);
  }
}

/** Everything is closed: what this process and the twin still hold must be what they held before. */
async function readEnd(twin: Child, before: Leftover, stray: () => string[]): Promise<Block> {
  const startedAt = performance.now();
  const held = await calm(twin, ({ sockets }) => sockets === 0);
  const left = await readLeftover();
  const wrong = stray();
  for (const name of ["sockets", "timers", "listeners"] as const)
    if (left[name] > before[name])
      wrong.push(`${left[name]} ${name} at the end, ${before[name]} at the start`);
  if (held.sockets > 0) wrong.push(`the twin still has ${held.sockets} sockets`);
  const seconds = (performance.now() - startedAt) / 1_000;
  return { runs: 0, seconds, outcomes: new Map(), left, twin: held, alive: 0, wrong };
}

/** Errors that nobody caught and warnings, of leaking listeners among others, since it was last asked. */
function watchProcess(): () => string[] {
  const strays: string[] = [];
  const note = (what: unknown): void => {
    if (strays.length < MAX_STRAYS)
      strays.push(what instanceof Error ? `${what.stack}` : messageOf(what));
  };
  process.on("unhandledRejection", note);
  process.on("uncaughtException", note);
  process.on("warning", note);
  return () => strays.splice(0);
}

const MAX_STRAYS = 100;
