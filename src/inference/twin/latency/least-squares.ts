// Non-negative least squares, for some ten unknowns: the weights that make the rows come out nearest, none of them below 0.
//
// Coordinate descent on the normal equations: each weight in turn takes its best value while the others stand still. The problem is
// convex, so it ends at the one best point; what is not determined by the rows ends at some best point.

/** One equation: the sum of weight × feature should be `target`. */
export type Row = {
  readonly features: readonly number[];
  readonly target: number;
  /** How much its error counts; 1 / target makes relative errors count alike. */
  readonly importance: number;
};

/** Rounds are cheap (ten unknowns: a microsecond); features that run side by side need many. */
const MAX_ROUNDS = 100_000;
const PRECISION = 1e-12;

/** The weights, one for each feature. O(rows × features²), then O(features²) a round. */
export function solveNonNegative(rows: readonly Row[]): readonly number[] {
  const count = rows[0]?.features.length ?? 0;
  const scales = scalesOf(rows, count);
  const { products, targets } = normalEquations(rows, scales);
  const weights = new Float64Array(count);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    let change = 0;
    for (const [index, row] of products.entries()) {
      const own = row[index] ?? 0;
      if (own === 0) continue; // a feature that is 0 in all rows
      let rest = targets[index] ?? 0;
      for (let other = 0; other < count; other++)
        if (other !== index) rest -= (row[other] ?? 0) * (weights[other] ?? 0);
      const next = Math.max(0, rest / own);
      change = Math.max(change, Math.abs(next - (weights[index] ?? 0)));
      weights[index] = next;
    }
    if (change < PRECISION) break;
  }
  return [...weights].map((weight, index) => weight / (scales[index] ?? 1));
}

/** Features differ by ten orders of magnitude (1 step, 10^7 pairs of tokens): each is brought to a length of 1. */
function scalesOf(rows: readonly Row[], count: number): readonly number[] {
  return Array.from({ length: count }, (_, index) => {
    const length = Math.hypot(...rows.map((row) => (row.features[index] ?? 0) * row.importance));
    return length > 0 ? length : 1;
  });
}

function normalEquations(
  rows: readonly Row[],
  scales: readonly number[],
): { readonly products: readonly Float64Array[]; readonly targets: Float64Array } {
  const products = scales.map(() => new Float64Array(scales.length));
  const targets = new Float64Array(scales.length);
  for (const { features, target, importance } of rows) {
    const scaled = features.map((feature, index) => (feature * importance) / (scales[index] ?? 1));
    for (const [index, a] of scaled.entries()) {
      targets[index] = (targets[index] ?? 0) + a * target * importance;
      const row = products[index];
      for (const [other, b] of scaled.entries()) if (row) row[other] = (row[other] ?? 0) + a * b;
    }
  }
  return { products, targets };
}
