// A place, a counter, and processes that open the engine there.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { systemClock } from "../../../../src/clock.ts";
import type { Json } from "../../../../src/json.ts";
import type { DurableEngine } from "../../../../src/orchestration/durable/engine.ts";
import { type Counter, startCounter } from "./counter.ts";
import type { EngineKind } from "./harness.ts";
import type { Order, Task, TaskEnd, Traced } from "./worker.ts";

const WORKER = join(import.meta.dirname, "worker.ts");
const LIVE = new AbortController().signal;
const LOOK_MS = 10;

export type Process = {
  readonly pid: number;
  /** What its first task came to. @throws what it failed with, as `code: message`; that the process ended before. */
  end(): Promise<Json>;
  /** "none", or the code of what its first task failed with. */
  code(): Promise<string>;
  /** The signal that ended it, or its exit code. */
  readonly exited: Promise<string>;
  go(): void;
  kill(signal: "SIGKILL" | "SIGTERM" | "SIGCONT"): void;
};

export type ProcessScene = AsyncDisposable & {
  readonly counter: Counter;
  /** A process with these tasks, once its engine is open. */
  spawn(
    tasks: Task | readonly Task[],
    options?: Pick<Order, "cut" | "isHeld" | "isClient">,
  ): Promise<Process>;
  /** An engine at the same place in this process, which executes nothing. */
  open(): Promise<DurableEngine>;
  trace(): Promise<readonly Traced[]>;
  /** Keys of outcomes that were kept, as processes told before they could be killed. */
  kept(): Promise<readonly string[]>;
  until(isTrue: () => boolean | Promise<boolean>): Promise<void>;
};

export async function createProcessScene(kind: EngineKind): Promise<ProcessScene> {
  const place = await (kind.ownPlace?.() ?? kind.place());
  const folder = await mkdtemp(join(tmpdir(), "bosun-conformance-trace-"));
  const counter = await startCounter();
  const children: ChildProcess[] = [];
  const engines: DurableEngine[] = [];
  const file = join(folder, "trace");
  const trace = async (): Promise<readonly Traced[]> => {
    const text = await readFile(file, "utf8").catch(() => ""); // nothing yet
    const lines = text.split("\n").filter((line) => line !== "");
    return lines.map((line) => JSON.parse(line) as Traced); // `as`: worker.ts wrote it
  };
  return {
    counter,
    trace,
    async spawn(tasks, options = {}) {
      const order: Order = {
        place,
        counter: counter.url,
        trace: file,
        tasks: Array.isArray(tasks) ? tasks : [tasks as Task], // `as`: no array
        ...options,
      };
      const child = spawn(process.execPath, [WORKER], {
        env: { ...process.env, ORDER: JSON.stringify(order) },
        stdio: ["pipe", "pipe", "inherit"],
      });
      children.push(child);
      return toProcess(child);
    },
    async open() {
      const engine = await kind.open(place, { clock: systemClock });
      engines.push(engine);
      return engine;
    },
    async kept() {
      const points = (await trace()).filter((line) => line.type === "point");
      return points.filter(({ point }) => point === "kept").map(({ key }) => key);
    },
    async until(isTrue) {
      while (!(await isTrue())) await systemClock.sleep(LOOK_MS, LIVE);
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        child.kill("SIGKILL");
        await once(child, "exit");
      }
      for (const engine of engines) await engine[Symbol.asyncDispose]();
      await counter[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function toProcess(child: ChildProcess): Promise<Process> {
  const { stdin, stdout, pid = 0 } = child;
  if (!stdin || !stdout) throw new Error("the process has no pipes");
  stdin.on("error", () => undefined); // it was killed
  const ready = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<TaskEnd>();
  ended.promise.catch(() => undefined); // its test may ask for how it exited only
  const exited = once(child, "close").then(([code, signal]) => String(signal ?? code));
  void exited.then((how) => {
    ready.reject(new Error(`the process ended (${how}) before it was ready`));
    ended.reject(new Error(`the process ended (${how}) before its task`));
    return undefined;
  });
  createInterface({ input: stdout }).on("line", (text) => {
    const line = JSON.parse(text) as "ready" | TaskEnd; // `as`: worker.ts wrote it
    if (line === "ready") ready.resolve();
    else if (line.task === 0) ended.resolve(line);
  });
  await ready.promise;
  return {
    pid,
    exited,
    async end() {
      const end = await ended.promise;
      if ("code" in end) throw new Error(`${end.code}: ${end.message}`);
      return end.value;
    },
    async code() {
      const end = await ended.promise;
      return "code" in end ? end.code : "none";
    },
    go: () => void stdin.write("go\n"),
    kill: (signal) => void child.kill(signal),
  };
}
