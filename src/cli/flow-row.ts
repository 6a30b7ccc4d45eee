// Rows of a layered picture: in which order their items stand, so that few lines cross, and where, so that lines are short. Pure but
// for the items, which are told their place. The method is Sugiyama's: barycentres, then places; O(sweeps · (items + lines) log).

/** Something that takes room in a row: a node, a label, or a line on its way through. */
export type RowItem = {
  readonly width: number;
  /** A line on its way, with or without its label: kept straight before anything else is. */
  readonly isLine: boolean;
  /** What it is tied to in the row above, and below. */
  readonly up: RowItem[];
  readonly down: RowItem[];
  /** Its place in the row, from 0. */
  index: number;
  /** Its middle. */
  x: number;
};

/** Sets each item's index. Orders are compared by crossings; the first of the best is kept. */
export function orderRows(rows: readonly RowItem[][]): void {
  number(rows);
  let best = rows.map((row) => [...row]);
  let fewest = crossings(rows);
  for (let sweep = 0; sweep < ORDER_SWEEPS && fewest > 0; sweep += 1) {
    const isDown = sweep % 2 === 0;
    for (const row of isDown ? rows : rows.toReversed()) sortRow(row, isDown ? "up" : "down");
    const now = crossings(rows);
    if (now >= fewest) continue;
    fewest = now;
    best = rows.map((row) => [...row]);
  }
  for (const [at, row] of rows.entries()) row.splice(0, row.length, ...(best[at] ?? []));
  number(rows);
}

/** Sets each item's middle, at least `gap` between neighbours; the leftmost edge is at 0. Returns the width of all. */
export function spreadRows(rows: readonly (readonly RowItem[])[], gap: number): number {
  for (const row of rows)
    settle(
      row,
      row.map(() => 0),
      gap,
    );
  for (let sweep = 0; sweep < SPREAD_SWEEPS; sweep += 1) {
    const isDown = sweep % 2 === 0;
    for (const row of isDown ? rows : rows.toReversed()) {
      const wanted = row.map((item) => middle(item, isDown ? item.up : item.down));
      settle(row, wanted, gap);
    }
  }
  let left = Infinity;
  let right = -Infinity;
  for (const { x, width } of rows.flat()) {
    left = Math.min(left, x - width / 2);
    right = Math.max(right, x + width / 2);
  }
  for (const item of rows.flat()) item.x -= left;
  return right - left;
}

const ORDER_SWEEPS = 12;
/** Even, so that the last sweep is upwards: starts stand over what they lead to. */
const SPREAD_SWEEPS = 12;

function number(rows: readonly (readonly RowItem[])[]): void {
  for (const row of rows) for (const [index, item] of row.entries()) item.index = index;
}

/** An item without ties on that side keeps its place among the others. */
function sortRow(row: RowItem[], side: "up" | "down"): void {
  const weights = new Map(
    row.map((item) => {
      const ties = item[side];
      const sum = ties.reduce((total, { index }) => total + index, 0);
      return [item, ties.length === 0 ? item.index : sum / ties.length];
    }),
  );
  row.sort((a, b) => (weights.get(a) ?? 0) - (weights.get(b) ?? 0));
  for (const [index, item] of row.entries()) item.index = index;
}

/** How many pairs of lines cross: inversions, by insertion into a sorted list. */
function crossings(rows: readonly (readonly RowItem[])[]): number {
  let count = 0;
  for (const row of rows) {
    const passed: number[] = [];
    for (const item of row) {
      const ends = item.down.map(({ index }) => index).toSorted((a, b) => a - b);
      for (const end of ends) count += passed.length - placeAfter(passed, end);
      for (const end of ends) passed.splice(placeAfter(passed, end), 0, end);
    }
  }
  return count;
}

/** Where `value` goes in a sorted list: after its equals. */
function placeAfter(sorted: readonly number[], value: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const half = Math.floor((low + high) / 2);
    if ((sorted[half] ?? 0) <= value) low = half + 1;
    else high = half;
  }
  return low;
}

function middle(item: RowItem, ties: readonly RowItem[]): number {
  let sum = 0;
  let weight = 0;
  for (const tie of ties) {
    const one = item.isLine && tie.isLine ? 4 : 1;
    sum += tie.x * one;
    weight += one;
  }
  return weight === 0 ? item.x : sum / weight;
}

/**
 * Each item as near to where it wants to be as its neighbours let it: least squares under "at least so far from the one before",
 * which is isotonic regression once these distances are taken off; pool adjacent violators, O(items).
 */
function settle(row: readonly RowItem[], wanted: readonly number[], gap: number): void {
  const offsets: number[] = [];
  for (const [index, item] of row.entries()) {
    const before = row[index - 1];
    const least = before === undefined ? 0 : (before.width + item.width) / 2 + gap;
    offsets.push((offsets.at(-1) ?? 0) + least);
  }
  const blocks: { sum: number; size: number }[] = [];
  for (const [index, offset] of offsets.entries()) {
    let block = { sum: (wanted[index] ?? 0) - offset, size: 1 };
    for (
      let last = blocks.at(-1);
      last !== undefined && last.sum / last.size >= block.sum / block.size;
      last = blocks.at(-1)
    ) {
      block = { sum: last.sum + block.sum, size: last.size + block.size };
      blocks.pop();
    }
    blocks.push(block);
  }
  const places = blocks.flatMap(({ sum, size }) => Array.from({ length: size }, () => sum / size));
  for (const [index, item] of row.entries()) item.x = (places[index] ?? 0) + (offsets[index] ?? 0);
}
