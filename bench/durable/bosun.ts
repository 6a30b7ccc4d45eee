// Bosun's engines as contenders: one flow, over each of them.

import { DatabaseSync } from "node:sqlite";
import { statSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../src/clock.ts";
import type { Flow } from "../../src/orchestration/durable/durable.ts";
import type { DurableEngine } from "../../src/orchestration/durable/engine.ts";
import { createInlineEngine, type InlineEngine } from "../../src/orchestration/durable/inline.ts";
import { openSqliteEngine } from "../../src/orchestration/durable/sqlite/engine.ts";
import { isBosunError } from "../../src/error.ts";
import type { Contender, Ready, Shape, Work } from "./contender.ts";
import type { Place } from "./place.ts";
import { openRestateEngine } from "./restate.ts";

const LIVE = new AbortController().signal;

const DOES: Readonly<Record<string, string>> = {
  none: "the inline engine: keeps nothing",
  sqlite: "the sqlite engine: a kept step survives its process",
  "sqlite-power": 'the sqlite engine, `durability: "power"`: a sync of the disk at each commit',
  restate: "the restate engine on a Restate server of its own",
};

/** The contender of an engine. */
export function createOwnContender(name: string): Contender {
  return {
    name,
    does: DOES[name] ?? "",
    async create(place, work) {
      if (name === "none") return readyOn(createInlineEngine({ clock: systemClock }), work);
      if (name === "restate") return readyOnEngine(await openRestateEngine(place), work);
      const durability = name === "sqlite" ? "process" : "power";
      const engine = openSqliteEngine(place.folder, { durability, keepRuns: 1_000_000 }); // retention is not measured
      return { ...readyOnEngine(engine, work), bytes: async () => sizeOf(place) };
    },
  };
}

function readyOnEngine(engine: DurableEngine, work: Work): Ready {
  const flow = flowOf(work);
  engine.register(flow);
  return {
    ...readyOn(engine, work),
    async resume(runId) {
      for (;;) {
        try {
          return void (await (await engine.resume(runId)).result());
        } catch (error) {
          if (!isBosunError(error) || error.code !== "run/owned") throw error;
          await systemClock.sleep(1, LIVE); // a server has given it to this process, or not yet noticed the kill
        }
      }
    },
    close: async () => engine[Symbol.asyncDispose](),
  };
}

function readyOn(engine: InlineEngine, work: Work): Ready {
  const flow = flowOf(work);
  return {
    async run(runId, shape) {
      await (await engine.start(flow, shape, { id: runId })).result();
    },
    resume: undefined,
    bytes: async () => undefined,
    close: async () => undefined,
  };
}

/** Each contender's process has one: the engine finds it by name when a run comes back. */
function flowOf(work: Work): Flow<Shape, string> {
  return {
    name: "bench",
    version: "1",
    async run(durable, { order, steps }) {
      const step = (index: number): Promise<string> =>
        durable.step(`step:${index}`, () => work(durable.rootId, index));
      if (order === "fan")
        return String(
          (await Promise.all(Array.from({ length: steps }, (_, at) => step(at)))).length,
        );
      let last = "";
      for (let index = 0; index < steps; index++) last = await step(index);
      return last.slice(0, 8);
    },
  };
}

/** The file, once the log beside it is folded into it. */
function sizeOf({ folder }: Place): number {
  const path = join(folder, "journal.db");
  using database = new DatabaseSync(path);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  return statSync(path).size;
}
