// The durable engine of a Bosun: opened when its first run needs it.

import type { Clock } from "./clock.ts";
import { BosunError } from "./error.ts";
import type { DurableEngine } from "./orchestration/durable/engine.ts";
import { createInlineEngine, type InlineEngine } from "./orchestration/durable/inline.ts";

/** What a Bosun's runs are executed by. */
export type RunEngine = {
  /** The engine; `sqlite` keeps what runs come to, `inline` keeps nothing. */
  open(): Promise<InlineEngine>;
  /** Undefined where nothing is kept. */
  journal(): Promise<DurableEngine | undefined>;
  /** See DurableEngine.suspend; nothing where nothing is kept. */
  suspend(graceMs: number): Promise<void>;
  close(): Promise<void>;
};

export type RunEngineOptions = {
  /** The data folder; false keeps nothing. */
  readonly data: string | false;
  readonly engine: "inline" | "sqlite" | DurableEngine | undefined;
  readonly durability: "process" | "power" | undefined;
  readonly clock: Clock;
  /** See SqliteEngineOptions. */
  readonly checkReplay: boolean;
};

export function createRunEngine(options: RunEngineOptions): RunEngine {
  const { data, engine, durability, clock, checkReplay } = options;
  const inline = createInlineEngine({ clock });
  const folder = engine === "inline" ? false : data;
  let opened: Promise<DurableEngine> | undefined;
  const openIn = async (path: string): Promise<DurableEngine> => {
    const { openSqliteEngine } = await import("./orchestration/durable/sqlite/engine.ts");
    return openSqliteEngine(path, { clock, durability, checkReplay });
  };
  const journal = async (): Promise<DurableEngine | undefined> => {
    if (typeof engine === "object") return engine;
    if (folder === false) return undefined;
    opened ??= openIn(folder);
    try {
      return await opened;
    } catch (error) {
      opened = undefined; // the next run tries again: a lock may be gone, a folder mended
      throw error;
    }
  };
  /** One that could not be opened has nothing to give back. */
  const whenOpened = (): Promise<DurableEngine | undefined> =>
    Promise.resolve(opened).catch(() => undefined);
  const given = typeof engine === "object" ? engine : undefined;
  return {
    open: async () => (await journal()) ?? inline,
    journal,
    async suspend(graceMs) {
      await (given ?? (await whenOpened()))?.suspend(graceMs);
    },
    async close() {
      await (await whenOpened())?.[Symbol.asyncDispose]();
    },
  };
}

/** @throws BosunError `usage` where nothing is kept. */
export async function requireJournal(engine: RunEngine): Promise<DurableEngine> {
  const found = await engine.journal();
  if (found) return found;
  throw new BosunError(
    "usage",
    "this Bosun keeps no journal of its runs, so none can be resumed: give it a data folder, and no engine: inline",
  );
}
