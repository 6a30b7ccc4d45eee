// The headline: how much more a GPU does at the same p95 of run latency, with everything that the pool has.

import { formatNumber, type Section } from "../overhead/report.ts";
import { bosun, type Contender, noPool, semaphore } from "./contender.ts";
import type { Field } from "./field.ts";
import type { Tally } from "./tally.ts";

/** p95 of run latency by unloaded latency, at which contenders are compared. */
const LEVELS = [1.5, 2, 3] as const;
/** Loads are tried in steps of this factor, up to MOST times the plain client's capacity. */
const STEP = 1.1;
const LEAST = 0.5;
const MOST = 6;

type Point = { readonly load: number; readonly tally: Tally };

/** @returns the section, and the ratio at each level. */
export async function measureHeadline(field: Field): Promise<Section> {
  const contenders = [noPool, semaphore, bosun()];
  const curves = new Map<Contender, readonly Point[]>();
  for (const contender of contenders) curves.set(contender, await sweep(field, contender));
  const goodputs = (contender: Contender): readonly number[] =>
    LEVELS.map((level) => goodputAt(curves.get(contender) ?? [], level) / field.replicas);
  const base = goodputs(noPool);
  return {
    title: `Headline: ${tell(goodputs(bosun1(contenders)), base)}`,
    note:
      `${field.profile.name}, ${field.replicas} GPUs; the highest load at which the p95 of run latency stays within the level (times unloaded), ` +
      "found in steps of 10 % and interpolated; goodput in runs per hour and GPU. The aim is 3.",
    rows: contenders.flatMap((contender) =>
      LEVELS.map((level, index) => {
        const own = goodputs(contender)[index] ?? NaN;
        return {
          contender: contender.name,
          "p95 within": `${level}`,
          "runs/h/GPU": formatNumber(own * 3_600),
          "x no pool": formatNumber(own / (base[index] ?? NaN)),
        };
      }),
    ),
    data: [...curves].map(([{ name }, points]) => ({ contender: name, points })),
  };
}

function bosun1(contenders: readonly Contender[]): Contender {
  return contenders.at(-1) ?? noPool;
}

function tell(own: readonly number[], base: readonly number[]): string {
  const ratios = LEVELS.map(
    (level, index) =>
      `${formatNumber((own[index] ?? NaN) / (base[index] ?? NaN))} times at a p95 of ${level}`,
  );
  return `goodput per GPU, ${ratios.join(", ")}`;
}

/** Rising loads until the p95 is above every level. */
async function sweep(field: Field, contender: Contender): Promise<readonly Point[]> {
  const points: Point[] = [];
  for (let load = LEAST; load <= MOST; load *= STEP) {
    const tally = await field.at(load, () => contender);
    points.push({ load, tally });
    if (tally.p95Slowdown > Math.max(...LEVELS)) break;
  }
  return points;
}

/** Runs per second in time at the load where the p95 reaches the level, between the two loads about it. */
function goodputAt(points: readonly Point[], level: number): number {
  const after = points.findIndex(({ tally }) => tally.p95Slowdown > level);
  const [low, high] = [points[after - 1], points[after]];
  if (!low || !high) return points.at(after)?.tally.goodput ?? NaN;
  const part = (level - low.tally.p95Slowdown) / (high.tally.p95Slowdown - low.tally.p95Slowdown);
  return low.tally.goodput + part * (high.tally.goodput - low.tally.goodput);
}
