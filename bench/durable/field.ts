// All contenders, each in a process that stays; one works at a time, and each round begins with another one.

import { type Child, startChild } from "../overhead/child.ts";
import { rotate } from "../overhead/statistics.ts";
import { type OpenPlace, openPlace } from "./open-place.ts";
import type { Burst, BurstResult, Opening } from "./worker.ts";

export interface Field {
  readonly names: readonly string[];
  /** What each does, by name. */
  readonly does: ReadonlyMap<string, string>;
  burst(name: string, burst: Burst): Promise<BurstResult>;
  /** The bursts of each round, for each contender in turn; the first round is not counted. */
  rounds(count: number, burst: Burst): Promise<ReadonlyMap<string, readonly BurstResult[]>>;
  /** Bytes of a contender's journal. */
  bytes(name: string): Promise<number | undefined>;
  /** Ends a contender's process and starts another one on the same journal; resolves when it is open. */
  stop(): Promise<void>;
}

type Runner = { readonly child: Child; readonly opened: OpenPlace };

/** Starts a process, and a server where it takes one, for each name. */
export async function startField(
  names: readonly string[],
  nodeOptionsOf: (name: string) => readonly string[],
): Promise<Field> {
  const runners = new Map<string, Runner>();
  const does = new Map<string, string>();
  for (const name of names) {
    const opened = await openPlace(name);
    const options = [...nodeOptionsOf(name), "--no-deprecation"]; // of pg, at each connection of dbos
    const child = startChild("../durable/worker.ts", options);
    runners.set(name, { child, opened });
    const opening: Opening = { name, place: opened.place };
    does.set(name, (await child.ask<{ does: string }>("open", opening)).does);
  }
  const childOf = (name: string): Child => {
    const runner = runners.get(name);
    if (!runner) throw new Error(`no process for "${name}"`);
    return runner.child;
  };
  const burst = (name: string, args: Burst): Promise<BurstResult> =>
    childOf(name).ask<BurstResult>("burst", args);
  return {
    names,
    does,
    burst,
    async rounds(count, args) {
      const results = new Map<string, BurstResult[]>(names.map((name) => [name, []]));
      for (const name of names) await burst(name, args);
      for (let round = 0; round < count; round++)
        for (const name of rotate(names, round)) results.get(name)?.push(await burst(name, args));
      return results;
    },
    bytes: (name) => childOf(name).ask<number | undefined>("bytes"),
    async stop() {
      for (const { child, opened } of runners.values()) {
        await child.ask("close");
        child.stop();
        await opened.close();
      }
    },
  };
}
