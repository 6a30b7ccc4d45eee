// The three-agent run: processor time of each contender for the same three streamed calls.

import { type Measured, startField } from "./burst.ts";
import { CALLS, TOKENS, type Writes } from "./canned.ts";
import type { Child } from "./child.ts";
import { arePeersInstalled, OWN_NAMES, PEERS } from "./contender.ts";
import { formatNumber, type Section } from "./report.ts";
import type { ServerStats } from "./server.ts";
import type { Bursts, Scale } from "./scale.ts";

/** Measures every contender that is installed, with one socket write per token and with ten writes per reply. */
export async function measurePipeline(
  server: Child,
  scale: Scale,
  nodeOptionsOf: (name: string) => readonly string[],
): Promise<readonly Section[]> {
  const origin = await server.ask<string>("origin");
  const names = [...OWN_NAMES, ...(arePeersInstalled() ? PEERS : [])];
  const field = await startField(names, nodeOptionsOf);
  try {
    const sections: Section[] = [];
    for (const bursts of scale.pipeline) {
      const base = `${origin}/${bursts.writes}/v1`;
      const sent = await checkWork(names, async (name) => {
        await server.ask<ServerStats>("stats"); // forgets what came before
        await field.once(name, base);
        return server.ask<ServerStats>("stats");
      });
      sections.push(toSection(bursts, await field.compare({ ...bursts, names, base }), sent));
    }
    return sections;
  } finally {
    field.stop();
  }
}

function toSection(
  { writes, concurrency, rounds, runs, ms, warmupMs }: Bursts,
  measured: readonly Measured[],
  sent: ReadonlyMap<string, number>,
): Section {
  const reads = measured.find((one) => one.reads !== undefined)?.reads;
  const crowd = concurrency === 1 ? "one run at a time" : `${concurrency} runs at once`;
  return {
    title: `Three agents, one after the other; ${NAMES[writes]}; ${crowd}`,
    note:
      `${rounds} rounds; in each, every contender ran for ${ms} ms and at least ${runs} times, after ${warmupMs} ms to warm up; medians over rounds, N = runs in all; "x bare" = median of each round's ratio to "bare".` +
      (reads === undefined ? "" : ` Bare read its sockets ${formatNumber(reads)} times a run.`),
    rows: measured.map((one) => ({
      contender: one.name,
      N: String(one.runs),
      "cpu ms/run": formatNumber(one.cpuMs.median),
      p90: formatNumber(one.cpuMs.p90),
      spread: `${Math.round(one.cpuMs.spread * 100)} %`,
      "x bare": formatNumber(one.ratio),
      "us/token": formatNumber((one.cpuMs.median * 1_000) / (CALLS * TOKENS)),
      "tokens/cpu s": formatNumber((CALLS * TOKENS * 1_000) / one.cpuMs.median),
      "wall ms": formatNumber(one.wallMs.median),
      "prompt bytes": String(sent.get(one.name) ?? ""),
    })),
    data: measured.map((one) => ({ ...one, writes, concurrency })),
  };
}

const NAMES: Readonly<Record<Writes, string>> = {
  each: "one socket write per token",
  ten: "each reply in ten writes",
  slow: "slow",
  paced: "paced",
};

/** Whoever asks too little, or not for a stream, or forgets the earlier output, is no contender. Returns the bytes that each sent. */
async function checkWork(
  names: readonly string[],
  runOnce: (name: string) => Promise<ServerStats>,
): Promise<ReadonlyMap<string, number>> {
  const sent = new Map<string, number>();
  for (const name of names) {
    const { requests, streamed, carrying, promptBytes } = await runOnce(name);
    if (requests !== CALLS || streamed !== CALLS || carrying !== CALLS - 1)
      throw new Error(
        `${name} made ${requests} calls, ${streamed} streamed, ${carrying} with an earlier reply; wanted ${CALLS}, ${CALLS}, ${CALLS - 1}`,
      );
    sent.set(name, promptBytes);
  }
  return sent;
}
