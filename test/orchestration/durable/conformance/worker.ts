// A process of the conformance suite: opens the engine of a place, does what its order says, and kills itself where it is told to.
//
// Its order is JSON in the variable ORDER. It says "ready" when its engine is open, and a line of JSON for what each of its tasks came
// to. SIGTERM makes it give its runs back.

import { appendFileSync } from "node:fs";
import { systemClock } from "../../../../src/clock.ts";
import { isBosunError, messageOf } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type {
  DurableEngine,
  JournalPoint,
  QueueLimits,
  StartOptions,
} from "../../../../src/orchestration/durable/engine.ts";
import { tellCounter } from "./counter.ts";
import { flowsOf, type World } from "./flows.ts";
import { kindOf, type Place } from "./harness.ts";

/** What a process does. */
export type Task =
  | {
      readonly do: "start";
      readonly flow: string;
      readonly input?: Json;
      readonly options: Pick<StartOptions, "id" | "queue" | "priority" | "delayMs" | "timeoutMs">;
    }
  | { readonly do: "resume"; readonly id: string; readonly isPatient: boolean }
  | { readonly do: "result"; readonly id: string }
  | { readonly do: "send"; readonly id: string; readonly name: string; readonly value: Json }
  | { readonly do: "cancel"; readonly id: string; readonly reason: string }
  | { readonly do: "limit"; readonly queue: string; readonly limits: QueueLimits }
  | { readonly do: "serve"; readonly concurrency: number };

/** Where a process kills itself ("kept:3" = when the third outcome is kept), or stands still until it is told to go on. */
export type Cut = { readonly signal: "SIGKILL" | "SIGSTOP"; readonly at: string };

export type Order = {
  readonly place: Place;
  readonly counter: string;
  /** A file that gets a line for each point and for what bodies see: it survives the process. */
  readonly trace: string;
  readonly tasks: readonly Task[];
  readonly cut?: Cut | undefined;
  /** It begins its tasks only when it gets a line. */
  readonly isHeld?: boolean | undefined;
  /** It only starts runs. */
  readonly isClient?: boolean | undefined;
};

/** A line of the trace. */
export type Traced =
  | {
      readonly type: "point";
      readonly pid: number;
      readonly point: JournalPoint;
      readonly key: string;
    }
  | {
      readonly type: "seen";
      readonly pid: number;
      readonly run: string;
      readonly name: string;
      readonly value: Json;
    };

/** What a task came to. */
export type TaskEnd = { readonly task: number } & (
  | { readonly value: Json }
  | { readonly code: string; readonly message: string }
);

const GRACE_MS = 5_000;
const PATIENCE_MS = 30;
const LIVE = new AbortController().signal;

const { place, counter, trace, tasks, cut, isHeld, isClient } = JSON.parse(
  process.env["ORDER"] ?? "",
) as Order; // `as`: startWorker wrote it
const stop = new AbortController();

const note = (line: Traced): void => appendFileSync(trace, `${JSON.stringify(line)}\n`);
const tell = (line: unknown): void => void process.stdout.write(`${JSON.stringify(line)}\n`);

const world: World = {
  async work(run, { key }, ms = 0) {
    const count = await tellCounter(counter, { run, key, what: "begun" });
    if (ms > 0) await systemClock.sleep(ms, LIVE);
    await tellCounter(counter, { run, key, what: "ended" });
    return count;
  },
  see: (run, name, value) => note({ type: "seen", pid: process.pid, run, name, value }),
};
const flows = flowsOf(world);

const passed = new Map<JournalPoint, number>();

function probe(point: JournalPoint, key: string): void {
  const count = (passed.get(point) ?? 0) + 1;
  passed.set(point, count);
  note({ type: "point", pid: process.pid, point, key });
  if (cut && cut.at === `${point}:${count}`) process.kill(process.pid, cut.signal);
}

async function doTask(engine: DurableEngine, task: Task): Promise<Json> {
  switch (task.do) {
    case "start": {
      const flow = flows.get(task.flow);
      if (!flow) throw new Error(`no flow ${task.flow}`);
      const begin = async (): Promise<Json> =>
        (await engine.start(flow, task.input ?? null, task.options)).result();
      return isClient ? patiently("config/invalid", begin) : begin(); // until a worker has the flow
    }
    case "resume": {
      const resume = async (): Promise<Json> => (await engine.resume<Json>(task.id)).result();
      return task.isPatient ? patiently("run/owned", resume) : resume();
    }
    case "result":
      return (await engine.get<Json>(task.id)).result();
    case "send":
      return engine.send(task.id, task.name, task.value);
    case "cancel":
      return engine.cancel(task.id, task.reason);
    case "limit":
      await engine.queue(task.queue, task.limits);
      return null;
    case "serve":
      await engine.serve({ concurrency: task.concurrency }, stop.signal);
      return null;
    default:
      return task satisfies never;
  }
}

/** Tries again while it fails with this code. */
async function patiently(code: string, work: () => Promise<Json>): Promise<Json> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isBosunError(error) || error.code !== code) throw error;
      await systemClock.sleep(PATIENCE_MS, LIVE);
    }
  }
}

const engine = await kindOf(place).open(place, { clock: systemClock, probe, isClient });
for (const flow of flows.values()) engine.register(flow);
process.once("SIGTERM", () => {
  stop.abort();
  void engine.suspend(GRACE_MS);
});
tell("ready");
if (isHeld) await new Promise((resolve) => process.stdin.once("data", resolve));
process.stdin.destroy();
await Promise.all(
  tasks.map(async (task, n) => {
    try {
      tell({ task: n, value: await doTask(engine, task) } satisfies TaskEnd);
    } catch (error) {
      const code = isBosunError(error) ? error.code : "none";
      tell({ task: n, code, message: messageOf(error) } satisfies TaskEnd);
    }
  }),
);
await engine[Symbol.asyncDispose]();
