// A process that is measured for its memory: many crews at once, or one crew after the other for a long time.

import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { createBareClient } from "./bare.ts";
import { type Build, defineReport, loadBosun, temporaryFolder } from "./bosun.ts";
import { REPLY } from "./canned.ts";
import { answerParent } from "./child.ts";
import { briefOf } from "./contender.ts";
import { localModel } from "./local-model.ts";

/** Three-agent runs that are started together. */
export type CrowdOptions = {
  readonly base: string;
  readonly count: number;
  /** bare = the bare loop, for what the sockets themselves cost. */
  readonly kind: "bare" | "bosun" | "bosun+store";
  readonly build: Build;
  /** Sockets that Bosun may open. */
  readonly maxConnections: number;
};

/** Megabytes resident, before the first run and at the process's peak as the kernel knows it; CPU of one run. */
export type Crowd = {
  readonly beforeMb: number;
  readonly peakMb: number;
  readonly cpuMsPerRun: number;
  readonly wallMs: number;
};

/** `crew()` and a kickoff, again and again, on a model that needs no network. */
export type LoopOptions = {
  readonly runs: number;
  readonly every: number;
  readonly store: boolean;
};

/** Heap in MB after a collection, before the first run and every so many. */
export type Loop = {
  readonly heapMb: readonly (readonly [runs: number, mb: number])[];
  readonly rssMb: number;
  readonly cpuMsPerRun: number;
  readonly storeBytesPerRun: number | undefined;
};

const MB = 2 ** 20;

answerParent({ crowd: measureCrowd, loop: measureLoop });

async function measureCrowd(options: CrowdOptions): Promise<Crowd> {
  const { count } = options;
  const run = await runnerOf(options);
  globalThis.gc?.();
  const beforeMb = process.memoryUsage.rss() / MB;
  const startedAt = performance.now();
  const before = process.cpuUsage();
  const texts = await Promise.all(Array.from({ length: count }, run));
  const { user, system } = process.cpuUsage(before);
  if (texts.some((text) => text !== REPLY)) throw new Error("a run came to another text");
  return {
    beforeMb,
    peakMb: process.resourceUsage().maxRSS / 1_024,
    cpuMsPerRun: (user + system) / 1_000 / count,
    wallMs: performance.now() - startedAt,
  };
}

async function runnerOf(options: CrowdOptions): Promise<() => Promise<string>> {
  const { kind, build, base, maxConnections } = options;
  const brief = briefOf(base);
  if (kind === "bare") {
    const client = createBareClient(base, brief.model);
    return async () => {
      let text = "";
      for (const { system, ask } of brief.agents) text = await client.ask(system, ask(text));
      return text;
    };
  }
  const store = kind === "bosun+store";
  const report = defineReport(await loadBosun(build), brief, { store, maxConnections });
  return async () => (await report.kickoff()).raw;
}

async function measureLoop({ runs, every, store }: LoopOptions): Promise<Loop> {
  const { agent, crew, createBosun, task } = await loadBosun("src");
  const folder = store ? temporaryFolder() : undefined;
  const bosun = createBosun({ data: folder ?? false, env: {}, model: localModel() });
  const heapMb: [number, number][] = [[0, collectedMb()]];
  let cpuMs = 0;
  for (let done = 0; done < runs; done += every) {
    const before = process.cpuUsage();
    for (let index = 0; index < every; index++) {
      const analyst = agent({ role: "Analyst {topic}", goal: "Find facts", backstory: "Reads." });
      const research = task({
        name: "research",
        description: "Research {topic}",
        expectedOutput: "Facts",
        agent: analyst,
      });
      const write = task({
        name: "write",
        description: "Write about {topic}",
        expectedOutput: "A text",
        agent: analyst,
      });
      const pair = crew({ name: "pair", tasks: [research, write], process: "sequential", bosun });
      const result = await pair.kickoff({ inputs: { topic: `number ${done + index}` } });
      if (result.raw !== REPLY) throw new Error("a run came to another text");
    }
    const { user, system } = process.cpuUsage(before);
    cpuMs += (user + system) / 1_000;
    heapMb.push([done + every, collectedMb()]);
  }
  const rssMb = process.memoryUsage.rss() / MB;
  await bosun.close();
  const storeBytesPerRun = folder === undefined ? undefined : bytesOf(folder) / runs;
  return { heapMb, rssMb, cpuMsPerRun: cpuMs / runs, storeBytesPerRun };
}

function collectedMb(): number {
  // Twice: what the first collection finalises, the second one frees.
  globalThis.gc?.();
  globalThis.gc?.();
  return process.memoryUsage().heapUsed / MB;
}

function bytesOf(folder: string): number {
  return readdirSync(folder).reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
}
