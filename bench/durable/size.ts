// How much a journal grows.

import { formatNumber } from "../overhead/report.ts";
import type { Field } from "./field.ts";
import type { Scale } from "./scale.ts";
import type { Told } from "./target.ts";

const STEPS = 5;

export async function measureSize(field: Field, scale: Scale): Promise<Told> {
  const runs = scale.longSteps / STEPS;
  const measured: { readonly name: string; readonly bytesPerStep: number }[] = [];
  for (const name of field.names) {
    const before = await field.bytes(name);
    if (before === undefined) continue;
    await field.burst(name, {
      shape: { order: "row", steps: STEPS },
      callMs: 0,
      concurrency: 1,
      forMs: 0,
      runs,
    });
    const after = (await field.bytes(name)) ?? before;
    measured.push({ name, bytesPerStep: (after - before) / (runs * STEPS) });
  }
  return {
    title: "Bytes of journal for each step with a result of 1 KiB",
    note: `${formatNumber(runs)} runs of five steps; the file, or the database, after a checkpoint, less what it was before them, divided by the steps: the runs' own rows are in it. Restate's is not told.`,
    rows: measured.map(({ name, bytesPerStep }) => ({
      engine: name,
      "bytes/step": formatNumber(bytesPerStep),
      "x 1 KiB": formatNumber(bytesPerStep / 1_024),
    })),
    data: measured,
    figures: Object.fromEntries(
      measured.map(({ name, bytesPerStep }) => [`size ${name}`, bytesPerStep]),
    ),
  };
}
