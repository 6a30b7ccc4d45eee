// A child process that answers questions: one message asks, one message answers, in order.

import { fork, type ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";

/** A question to a child. */
type Question = { readonly id: number; readonly op: string; readonly args: unknown };
type Answer = { readonly id: number; readonly value?: unknown; readonly error?: string };

export interface Child {
  /** The child's answer. @throws Error with what the child threw, or when it died. */
  ask<T>(op: string, args?: unknown): Promise<T>;
  stop(): void;
}

/** What a child can be asked. */
export type Handlers = Readonly<Record<string, (args: never) => unknown>>;

/** Starts `file` (relative to this folder) in a process of its own. Its stdout goes to stderr: stdout is for results. */
export function startChild(file: string, nodeOptions: readonly string[] = []): Child {
  const path = fileURLToPath(new URL(file, import.meta.url));
  const child: ChildProcess = fork(path, [], {
    execArgv: [...nodeOptions],
    stdio: ["ignore", 2, 2, "ipc"],
    // Nothing of the caller's environment steers a contender: proxies, keys, tracing switches.
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], OPENAI_API_KEY: "x" },
  });
  const open = new Map<number, PromiseWithResolvers<unknown>>();
  let count = 0;
  child.on("message", (message) => {
    const { id, value, error } = message as Answer; // `as`: only `answerParent` below sends
    const waiting = open.get(id);
    open.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(`${file}: ${error}`));
  });
  child.on("exit", (code) => {
    for (const waiting of open.values()) waiting.reject(new Error(`${file} ended with ${code}`));
    open.clear();
  });
  return {
    async ask<T>(op: string, args: unknown = {}): Promise<T> {
      const id = count++;
      const waiting = Promise.withResolvers<unknown>();
      open.set(id, waiting);
      child.send({ id, op, args } satisfies Question);
      return (await waiting.promise) as T; // `as`: the two ends are in one folder
    },
    stop: () => child.disconnect(),
  };
}

/** In the child: answers the parent's questions until the parent goes. */
export function answerParent(handlers: Handlers): void {
  process.on("disconnect", () => process.exit());
  process.on("message", (message) => {
    void answer(handlers, message as Question); // `as`: only `ask` above sends
  });
}

/** Never rejects: what a handler throws is the answer. */
async function answer(handlers: Handlers, { id, op, args }: Question): Promise<void> {
  const handler = handlers[op];
  try {
    if (!handler) throw new Error(`no question "${op}"`);
    process.send?.({ id, value: await handler(args as never) } satisfies Answer); // `as`: as its parent knows it
  } catch (error) {
    process.send?.({ id, error: errorText(error) } satisfies Answer);
  }
}

function errorText(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
