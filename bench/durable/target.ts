// What was wanted, beside what was measured. Pure.

import { formatNumber, type Section } from "../overhead/report.ts";

/** A section, and those of its figures that something was wanted of. */
export type Told = Section & { readonly figures?: Readonly<Record<string, number>> };

type Target = {
  readonly figure: string;
  readonly what: string;
  readonly bound: { readonly type: "most" | "least"; readonly value: number };
};

/** Of the issue that the journals were built for. */
const TARGETS: readonly Target[] = [
  {
    figure: "step sqlite",
    what: "sqlite: ms added to a step of 5 ms, median",
    bound: { type: "most", value: 0.15 },
  },
  {
    figure: "runs sqlite",
    what: "sqlite: five-step runs per second, 64 in flight",
    bound: { type: "least", value: 1_500 },
  },
  {
    figure: "start sqlite",
    what: "sqlite: ms from start to first result, built package",
    bound: { type: "most", value: 100 },
  },
  {
    figure: "size sqlite",
    what: "sqlite: bytes of journal for each step of 1 KiB",
    bound: { type: "most", value: 1_500 },
  },
  {
    figure: "step restate",
    what: "restate: ms added to a step of 5 ms, median",
    bound: { type: "most", value: 2 },
  },
];

/** A row for each target; "not measured" where its part or its engine was left out. */
export function checkTargets(told: readonly Told[]): Section {
  const figures = new Map(told.flatMap((one) => Object.entries(one.figures ?? {})));
  const data = TARGETS.map((target) => ({ ...target, value: figures.get(target.figure) }));
  return {
    title: "What was wanted",
    note: "",
    rows: data.map(({ what, bound, value }) => ({
      figure: what,
      wanted: `at ${bound.type} ${formatNumber(bound.value)}`,
      measured: value === undefined ? "not measured" : formatNumber(value),
      met: value === undefined ? "" : isMet(bound, value) ? "yes" : "NO",
    })),
    data,
  };
}

function isMet({ type, value: bound }: Target["bound"], value: number): boolean {
  return type === "most" ? value <= bound : value >= bound;
}
