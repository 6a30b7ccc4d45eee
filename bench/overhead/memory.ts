// Memory: a thousand crews at once, and tens of thousands of crews one after the other.

import { bosunUrl, type Build } from "./bosun.ts";
import { SLOW_FIRST_MS, SLOW_NEXT_MS } from "./canned.ts";
import { startChild, type Child } from "./child.ts";
import type { Crowd, CrowdOptions, Loop, LoopOptions } from "./memory-worker.ts";
import { formatNumber, type Section } from "./report.ts";
import type { ServerStats } from "./server.ts";
import type { Scale } from "./scale.ts";
import { slope, summarize } from "./statistics.ts";

/** A heap that grows by less than this from the first stretch's end to the last is called flat: 58 bytes a run in the full scale. */
const FLAT_MB = 1;

type CrowdCase = Pick<CrowdOptions, "kind" | "build" | "maxConnections"> & {
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
};

/** A young generation of 12 MB instead of V8's own choice: most of the peak is garbage that V8 has not collected yet. */
const SMALL_YOUNG_GENERATION = ["--max-semi-space-size=4"];
type Seen = {
  readonly one: CrowdCase;
  readonly crowds: readonly Crowd[];
  readonly stats: readonly ServerStats[];
};

/** Resident memory of many runs at once, each case in fresh processes. */
export async function measureCrowds(server: Child, scale: Scale): Promise<Section> {
  const origin = await server.ask<string>("origin");
  const { count, repeats } = scale.crews;
  const found = new Map<CrowdCase, { crowds: Crowd[]; stats: ServerStats[] }>(
    casesOf(scale).map((one) => [one, { crowds: [], stats: [] }]),
  );
  for (let repeat = 0; repeat < repeats; repeat++)
    for (const [one, { crowds, stats }] of found) {
      if (repeat > 0 && one.maxConnections < count) continue; // takes four times as long
      await server.ask<ServerStats>("stats"); // forgets what came before
      const { nodeOptions = [], ...rest } = one;
      const args: CrowdOptions = { base: `${origin}/slow/v1`, count, ...rest };
      crowds.push(await askFresh<Crowd>("crowd", args, nodeOptions));
      stats.push(await server.ask<ServerStats>("stats"));
    }
  const seen = [...found].map(([one, { crowds, stats }]): Seen => ({ one, crowds, stats }));
  return {
    title: `${count} crews of three agents at once in one process`,
    note: `Replies of 200 tokens that take ${SLOW_FIRST_MS + 9 * SLOW_NEXT_MS} ms, so that the runs overlap; the server counted how many calls were open at once. Peak = the kernel's maximum resident size of the process, median and most of N fresh ones; default heap limits; "before" holds Node, this program and Bosun.`,
    rows: seen.map((entry) => toRow(entry, count)),
    data: seen,
  };
}

function casesOf({ crews: { count, all } }: Scale): readonly CrowdCase[] {
  const built: readonly Build[] = bosunUrl("dist") === undefined ? [] : ["dist"];
  if (!all) return [{ kind: "bosun+store", build: "src", maxConnections: count }];
  return [
    { kind: "bare", build: "src", maxConnections: count },
    ...(["src", ...built] as const).flatMap((build): readonly CrowdCase[] => [
      { kind: "bosun", build, maxConnections: count },
      { kind: "bosun+store", build, maxConnections: count },
    ]),
    { kind: "bosun", build: "src", maxConnections: 256 },
    ...(["bosun", "bosun+store"] as const).map((kind): CrowdCase => ({
      kind,
      build: built[0] ?? "src",
      maxConnections: count,
      nodeOptions: SMALL_YOUNG_GENERATION,
    })),
  ];
}

function toRow({ one, crowds, stats }: Seen, count: number): Readonly<Record<string, string>> {
  const of = (pick: (crowd: Crowd) => number): number => summarize(crowds.map(pick)).median;
  const most = (pick: (stats: ServerStats) => number): string =>
    String(Math.max(...stats.map(pick)));
  return {
    crews: one.kind === "bare" ? "bare" : `${one.kind}, ${one.build}`,
    "node options": one.nodeOptions?.join(" ") ?? "",
    sockets: String(one.maxConnections),
    N: String(crowds.length),
    "before MB": formatNumber(of(({ beforeMb }) => beforeMb)),
    "peak MB": formatNumber(of(({ peakMb }) => peakMb)),
    "most MB": formatNumber(Math.max(...crowds.map(({ peakMb }) => peakMb))),
    "kB/crew": formatNumber((of(({ peakMb, beforeMb }) => peakMb - beforeMb) * 1_024) / count),
    "cpu ms/run": formatNumber(of(({ cpuMsPerRun }) => cpuMsPerRun)),
    "wall s": formatNumber(of(({ wallMs }) => wallMs) / 1_000),
    "open at once": most(({ peakOpen }) => peakOpen),
    connections: most(({ connections }) => connections),
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
async function askFresh<T>(
  op: string,
  args: unknown,
  nodeOptions: readonly string[] = [],
): Promise<T> {
  const child = startChild("memory-worker.ts", ["--expose-gc", ...nodeOptions]);
  try {
    return await child.ask<T>(op, args);
  } finally {
    child.stop();
  }
}
