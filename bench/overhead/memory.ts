// Memory: a thousand crews at once, and tens of thousands of crews one after the other.

import { SLOW_FIRST_MS, SLOW_NEXT_MS } from "./canned.ts";
import { startChild, type Child } from "./child.ts";
import type { Crowd, CrowdOptions, Loop, LoopOptions } from "./memory-worker.ts";
import { formatNumber, type Section } from "./report.ts";
import type { ServerStats } from "./server.ts";
import type { Scale } from "./scale.ts";
import { slope, summarize } from "./statistics.ts";

/** A heap that grows by less than this from the second sample to the last is called flat. */
const FLAT_MB = 1;

type CrowdCase = Pick<CrowdOptions, "kind" | "maxConnections">;

/** Resident memory of many runs at once, each case in fresh processes. */
export async function measureCrowds(server: Child, scale: Scale): Promise<Section> {
  const origin = await server.ask<string>("origin");
  const { count, repeats, all } = scale.crews;
  const cases: readonly CrowdCase[] = [
    { kind: "bare", maxConnections: count },
    { kind: "bosun", maxConnections: count },
    { kind: "bosun+store", maxConnections: count },
    ...(all ? [{ kind: "bosun", maxConnections: 256 } as const] : []),
  ];
  const seen = cases.map((one) => ({
    case: one,
    crowds: [] as Crowd[],
    peakOpen: 0,
    connections: 0,
  }));
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const entry of seen) {
      if (repeat > 0 && entry.case.maxConnections < count) continue; // takes four times as long and differs little
      await server.ask<ServerStats>("stats");
      const args = { base: `${origin}/slow/v1`, count, ...entry.case } satisfies CrowdOptions;
      entry.crowds.push(await askFresh<Crowd>("crowd", args));
      const { peakOpen, connections } = await server.ask<ServerStats>("stats");
      entry.peakOpen = Math.max(entry.peakOpen, peakOpen);
      entry.connections = Math.max(entry.connections, connections);
    }
  const rows = seen.map(({ case: { kind, maxConnections }, crowds, peakOpen, connections }) => {
    const of = (pick: (crowd: Crowd) => number): number => summarize(crowds.map(pick)).median;
    return {
      crews: `${kind}${kind === "bare" ? "" : `, ${maxConnections} sockets`}`,
      N: String(crowds.length),
      "before MB": formatNumber(of((crowd) => crowd.beforeMb)),
      "peak MB": formatNumber(of((crowd) => crowd.kernelPeakMb)),
      "most MB": formatNumber(Math.max(...crowds.map((crowd) => crowd.kernelPeakMb))),
      "kB/crew": formatNumber(
        (of((crowd) => crowd.kernelPeakMb - crowd.beforeMb) * 1_024) / count,
      ),
      "cpu ms/run": formatNumber(of((crowd) => crowd.cpuMsPerRun)),
      "wall s": formatNumber(of((crowd) => crowd.wallMs) / 1_000),
      "calls open at once": String(peakOpen),
      connections: String(connections),
    };
  });
  return {
    title: `${count} crews of three agents at once in one process`,
    note: `Replies of 200 tokens that take ${SLOW_FIRST_MS + 10 * SLOW_NEXT_MS} ms, so that the runs overlap; the server counted how many calls were open at once. Peak = the kernel's maximum resident size of the process; a fresh process each time, no profiler, default heap limits.`,
    rows,
    data: seen,
  };
}

/** The heap over a long loop of definitions and kickoffs. */
export async function measureLoops(scale: Scale): Promise<Section> {
  const { runs, every } = scale.loop;
  const rows: Record<string, string>[] = [];
  const data: unknown[] = [];
  for (const store of [false, true]) {
    const args: LoopOptions = { runs, every, store };
    const loop = await askFresh<Loop>("loop", args);
    const settled = loop.heapMb.slice(1); // the first stretch compiles and fills caches
    const growth = (settled.at(-1)?.[1] ?? NaN) - (settled[0]?.[1] ?? NaN);
    rows.push({
      loop: store ? "store on" : "store off",
      runs: String(runs),
      "heap MB, first": formatNumber(settled[0]?.[1] ?? NaN),
      last: formatNumber(settled.at(-1)?.[1] ?? NaN),
      "bytes/run": formatNumber(slope(settled) * 2 ** 20),
      verdict: growth < FLAT_MB ? "flat" : `grows by ${formatNumber(growth)} MB`,
      "RSS MB": formatNumber(loop.rssMb),
      "cpu ms/run": formatNumber(loop.cpuMsPerRun),
      "file kB/run":
        loop.storeBytesPerRun === undefined ? "" : formatNumber(loop.storeBytesPerRun / 1_024),
    });
    data.push({ store, ...loop });
  }
  return {
    title: `${runs} times crew() and kickoff in one loop, no network`,
    note: `Two agents, a model in process that answers at once. Heap in use after two forced collections, every ${every} runs; bytes/run = its slope from the first stretch on.`,
    rows,
    data,
  };
}

/** The collector is exposed for the samples only; nobody calls it between them. */
async function askFresh<T>(op: string, args: unknown): Promise<T> {
  const child = startChild("memory-worker.ts", ["--expose-gc"]);
  try {
    return await child.ask<T>(op, args);
  } finally {
    child.stop();
  }
}
