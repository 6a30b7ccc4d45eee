// Worker processes of these tests, and what their file tells.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RestateServer } from "./server.ts";

export type Workers = AsyncDisposable & {
  /** Starts one, and waits until the server knows it. */
  start(port: number, url: string): Promise<ChildProcess>;
  /** How many steps are known to be kept by now. */
  kept(): Promise<number>;
  tally(): Promise<Tally>;
};

export type Tally = {
  /** Steps that were begun, and how often in all. */
  readonly steps: number;
  readonly executions: number;
  /** Keys that were begun again though a worker knew that they were kept. */
  readonly repeated: readonly string[];
};

export async function createWorkers(
  { ingressUrl, adminUrl }: RestateServer,
  stepMs: number,
): Promise<Workers> {
  const folder = await mkdtemp(join(tmpdir(), "bosun-restate-workers-"));
  const file = join(folder, "notes");
  const children: ChildProcess[] = [];
  const lines = async (): Promise<readonly (readonly string[])[]> => {
    const text = await readFile(file, "utf8").catch(() => ""); // nothing yet
    return text.split("\n").map((line) => line.split(" "));
  };
  return {
    async start(port, url) {
      const args = [ingressUrl, adminUrl, String(port), url, file, String(stepMs)];
      const child = fork(join(import.meta.dirname, "worker.ts"), args);
      children.push(child);
      await once(child, "message");
      return child;
    },
    kept: async () => (await lines()).filter(([, what]) => what === "kept").length,
    async tally() {
      const begun = new Map<string, number>();
      const kept = new Set<string>();
      const repeated: string[] = [];
      for (const [, what, key = ""] of await lines())
        if (what === "kept") kept.add(key);
        else if (what === "begun") {
          begun.set(key, (begun.get(key) ?? 0) + 1);
          if (kept.has(key)) repeated.push(key);
        }
      const executions = [...begun.values()].reduce((sum, count) => sum + count, 0);
      return { steps: begun.size, executions, repeated };
    },
    async [Symbol.asyncDispose]() {
      for (const child of children) await kill(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** kill -9. Resolves when the process is gone. */
export async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}
