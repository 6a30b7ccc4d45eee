// Bosun's model client against the bare parser: processor time per streamed token, one call at a time and 64 at once.

import { startField } from "./burst.ts";
import { PACE_MS, TOKENS, type Writes } from "./canned.ts";
import type { Child } from "./child.ts";
import { CLIENT_NAMES } from "./contender.ts";
import { formatNumber, type Section } from "./report.ts";
import type { Scale } from "./scale.ts";

export async function measureClient(
  server: Child,
  scale: Scale,
  nodeOptionsOf: (name: string) => readonly string[],
): Promise<Section> {
  const origin = await server.ask<string>("origin");
  const field = await startField(CLIENT_NAMES, nodeOptionsOf);
  try {
    const rows: Record<string, string>[] = [];
    const data: unknown[] = [];
    for (const bursts of scale.client) {
      const { writes, concurrency } = bursts;
      const base = `${origin}/${writes}/v1`;
      const measured = await field.compare({ ...bursts, names: CLIENT_NAMES, base });
      for (const one of measured) {
        rows.push({
          client: one.name,
          writes: NAMES[writes],
          "at once": String(concurrency),
          N: String(one.runs),
          "us/token": formatNumber(perToken(one.cpuMs.median)),
          p90: formatNumber(perToken(one.cpuMs.p90)),
          spread: `${Math.round(one.cpuMs.spread * 100)} %`,
          "x bare": formatNumber(one.ratio),
          "tokens/cpu s": formatNumber((TOKENS * 1_000) / one.cpuMs.median),
          "cpu ms/call": formatNumber(one.cpuMs.median),
          "reads/call": one.reads === undefined ? "" : formatNumber(one.reads),
        });
        data.push({ ...one, writes, concurrency });
      }
    }
    return {
      title: "Bosun's model client against the bare parser, CPU per streamed token",
      note: "A call's fixed cost is in it, spread over its 200 tokens. Medians over rounds.",
      rows,
      data,
    };
  } finally {
    field.stop();
  }
}

/** Microseconds of a token, from the milliseconds of a call. */
function perToken(callMs: number): number {
  return (callMs * 1_000) / TOKENS;
}

const NAMES: Readonly<Record<Writes, string>> = {
  each: "one per token",
  ten: "ten",
  slow: "slow",
  paced: `one per token, ${PACE_MS} ms apart`,
};
