// One form of a flow through Bosun with nothing kept and with all kept, beside the bare loop: interleaved rounds in this process.

import { createBosun } from "../../src/bosun.ts";
import { temporaryFolder } from "../overhead/bosun.ts";
import { formatNumber, type Section } from "../overhead/report.ts";
import { pairedRatio, rotate, summarize } from "../overhead/statistics.ts";
import { type Burst, burst } from "./burst.ts";
import type { Shape } from "./shape.ts";

/** Who calls the handlers. */
export type Keeping = "bare" | "nothing" | "journal";

export type Scale = { readonly rounds: number; readonly forMs: number };

export type Told = Section & {
  /** Median activations per second. */
  readonly perSecond: Readonly<Record<Keeping, number>>;
};

export async function measureShape(
  shape: Shape,
  { rounds, forMs }: Scale,
  { inFlight, keepings }: { readonly inFlight: number; readonly keepings: readonly Keeping[] },
): Promise<Told> {
  const { name, activations } = shape;
  const unkept = createBosun({ env: {}, data: false });
  const kept = createBosun({ env: {}, data: temporaryFolder() });
  const through = {
    bare: shape.bare,
    nothing: kickoffOf(shape.define(unkept)),
    journal: kickoffOf(shape.define(kept)),
  };
  const bursts = new Map<Keeping, Burst[]>(keepings.map((keeping) => [keeping, []]));
  try {
    for (let round = -1; round < rounds; round++)
      for (const keeping of rotate(keepings, round + 1)) {
        const one = await burst(through[keeping], { activations, inFlight, forMs });
        if (round >= 0) bursts.get(keeping)?.push(one);
      }
  } finally {
    await Promise.all([unkept.close(), kept.close()]);
  }
  const ratesOf = (keeping: Keeping): readonly number[] =>
    (bursts.get(keeping) ?? []).map(({ perSecond }) => perSecond);
  const data = [...bursts].map(([keeping, own]) => ({
    keeping,
    inFlight,
    n: own.reduce((sum, one) => sum + one.activations, 0),
    perSecond: summarize(ratesOf(keeping)),
    cpuUs: summarize(own.map(({ cpuUsPerActivation }) => cpuUsPerActivation)),
    // Of what keeps nothing: what slows a whole round falls out.
    ratio: pairedRatio(ratesOf(keeping), ratesOf("nothing")),
  }));
  const rateOf = (keeping: Keeping): number =>
    data.find((one) => one.keeping === keeping)?.perSecond.median ?? NaN;
  return {
    title: `${name}: ${activations} activations a run, ${inFlight} runs in flight`,
    note: "",
    rows: data.map(({ keeping, n, perSecond, cpuUs, ratio }) => ({
      kept: keeping,
      N: String(n),
      "activations/s": formatNumber(perSecond.median),
      p90: formatNumber(perSecond.p90),
      spread: `${Math.round(perSecond.spread * 100)} %`,
      "x nothing": formatNumber(ratio),
      "CPU us/activation": formatNumber(cpuUs.median),
    })),
    data,
    perSecond: { bare: rateOf("bare"), nothing: rateOf("nothing"), journal: rateOf("journal") },
  };
}

function kickoffOf(flow: ReturnType<Shape["define"]>): () => Promise<void> {
  return async () => {
    await flow.kickoff(); // rejects for every end but done
  };
}
