// Counts what is really executed: an HTTP server in the test's process, which steps in other processes tell that they begin and end.

import { createServer, type IncomingMessage } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

/** What a step tells. */
export type Told = { readonly run: string; readonly key: string; readonly what: "begun" | "ended" };

export type Counter = AsyncDisposable & {
  readonly url: string;
  /** How often each step of a run was begun, by its key. */
  begun(run: string): Readonly<Record<string, number>>;
  ended(run: string): Readonly<Record<string, number>>;
  /** How many runs had a step under way at once, at most. */
  mostRuns(): number;
  /** Whether somebody has told it. */
  has(told: Told): boolean;
};

export async function startCounter(): Promise<Counter> {
  const all: Told[] = [];
  const server = createServer((request, response) => {
    const answer = async (): Promise<void> => {
      const told = await toldBy(request);
      all.push(told);
      response.end(JSON.stringify({ count: all.filter((one) => isSame(one, told)).length }));
    };
    answer().catch(() => response.destroy()); // its process was killed meanwhile
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo; // `as`: it listens on a port
  const counts = (run: string, what: Told["what"]): Record<string, number> => {
    const sum: Record<string, number> = {};
    for (const one of all)
      if (one.run === run && one.what === what) sum[one.key] = (sum[one.key] ?? 0) + 1;
    return sum;
  };
  return {
    url: `http://127.0.0.1:${port}/`,
    begun: (run) => counts(run, "begun"),
    ended: (run) => counts(run, "ended"),
    mostRuns: () => mostRuns(all),
    has: (told) => all.some((one) => isSame(one, told)),
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function mostRuns(all: readonly Told[]): number {
  const open = new Map<string, number>();
  let most = 0;
  for (const { run, what } of all) {
    const steps = (open.get(run) ?? 0) + (what === "begun" ? 1 : -1);
    if (steps > 0) open.set(run, steps);
    else open.delete(run);
    most = Math.max(most, open.size);
  }
  return most;
}

async function toldBy(request: IncomingMessage): Promise<Told> {
  return JSON.parse(await text(request)) as Told; // `as`: tellCounter sends it
}

function isSame(one: Told, other: Told): boolean {
  return one.run === other.run && one.key === other.key && one.what === other.what;
}

/** Tells it, from any process. Returns how often it was told that by now. */
export async function tellCounter(url: string, told: Told): Promise<number> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(told) });
  const { count } = (await response.json()) as { readonly count: number }; // `as`: startCounter sends it
  return count;
}
