// Where a flow's nodes, lines and labels stand: layers from the top down, lines through gaps that are kept for them. Pure; knows sizes
// and no looks. Nothing overlaps: a node, a label and a line each have their own room in their row.

import type { FlowEdge, FlowGraph } from "./flow-graph.ts";
import { orderRows, type RowItem, spreadRows } from "./flow-row.ts";

export type Size = { readonly width: number; readonly height: number };
type Point = { readonly x: number; readonly y: number };

/** A node's box; x and y are its middle. */
export type Box = Size & Point;

/** An edge's line, from its source to its target: straight where two points have one x, curved elsewhere. */
export type Line = {
  readonly edge: FlowEdge;
  readonly points: readonly Point[];
  /** Middle of its label. */
  readonly label: Point | undefined;
};

type Layout = Size & {
  /** By a node's id. */
  readonly boxes: ReadonlyMap<string, Box>;
  readonly lines: readonly Line[];
};

/** What is to be placed, with its sizes. `flat` = how wide the part of a node's top and bottom is that lines may end at. */
export type Sizes = {
  readonly node: (id: string) => Size & { readonly flat: number };
  readonly label: (edge: FlowEdge) => Size;
};

type Item = RowItem & {
  readonly layer: number;
  readonly height: number;
  readonly flat: number;
  readonly up: Item[];
  readonly down: Item[];
};

/** An edge's items from the upper node to the lower one. */
type Chain = { readonly edge: FlowEdge; readonly items: readonly Item[]; readonly label?: Item };

/** Most points of lines on their way through rows. A line that comes later goes straight to its end, across what is there. */
const MAX_BENDS = 20_000;
const COLUMN_GAP = 28;
const MIN_ROW_GAP = 34;
const MAX_ROW_GAP = 110;
const PORT_GAP = 22;
const LOOP_WIDTH = 44;

/** The picture's places. Deterministic. */
export function layoutFlow(graph: FlowGraph, sizes: Sizes): Layout {
  const { nodes, chains } = toItems(graph, sizes);
  const rows = toRows([...nodes.values(), ...chains.flatMap(({ items }) => items)]);
  orderRows(rows);
  const width = spreadRows(rows, COLUMN_GAP);
  const bands = toBands(rows);
  const ports = toPorts(chains);
  const boxes = new Map(
    [...nodes].map(([id, item]) => {
      const { width: wide, height } = sizes.node(id);
      return [id, { x: item.x, y: bands[item.layer]?.middle ?? 0, width: wide, height }];
    }),
  );
  const loops = graph.edges
    .filter(({ from, to }) => from === to)
    .flatMap((edge) => {
      const box = boxes.get(edge.from);
      return box === undefined ? [] : [toLoop(edge, box, sizes.label(edge))];
    });
  const lines = [...chains.map((chain) => toLine(chain, bands, ports)), ...loops];
  return { boxes, lines, width, height: bands.at(-1)?.bottom ?? 0 };
}

function toItems(
  { nodes: all, edges, layers }: FlowGraph,
  sizes: Sizes,
): { readonly nodes: ReadonlyMap<string, Item>; readonly chains: readonly Chain[] } {
  const loopRoom = new Map<string, number>();
  for (const edge of edges) {
    const room = 2 * (LOOP_WIDTH + (edge.label === undefined ? 0 : sizes.label(edge).width));
    if (edge.from === edge.to)
      loopRoom.set(edge.from, Math.max(room, loopRoom.get(edge.from) ?? 0));
  }
  const nodes = new Map(
    all.map(({ id }) => {
      const size = sizes.node(id);
      // On both sides, so that the box stays in the middle of its room.
      const width = size.width + (loopRoom.get(id) ?? 0);
      return [id, toItem(layers.get(id) ?? 0, { ...size, width }, false)];
    }),
  );
  let left = MAX_BENDS;
  const chains = edges.flatMap((edge) => {
    const [upper, lower] = edge.isBack ? [edge.to, edge.from] : [edge.from, edge.to];
    const [first, last] = [nodes.get(upper), nodes.get(lower)];
    if (first === undefined || last === undefined || first === last) return [];
    const chain = toChain(edge, { first, last, bends: left }, sizes);
    left -= chain.items.length - 2;
    return [chain];
  });
  return { nodes, chains };
}

function toItem(layer: number, size: Size & { readonly flat: number }, isLine: boolean): Item {
  return { layer, ...size, isLine, up: [], down: [], index: 0, x: 0 };
}

/** The label stands next to its source: above all in the way down, below all in a way back. */
function toChain(
  edge: FlowEdge,
  { first, last, bends }: { readonly first: Item; readonly last: Item; readonly bends: number },
  sizes: Sizes,
): Chain {
  const labelLayer = edge.isBack ? last.layer - 1 : first.layer + 1;
  const label =
    edge.label === undefined
      ? undefined
      : toItem(labelLayer, { ...sizes.label(edge), flat: 0 }, true);
  const inner: Item[] = [];
  const span = last.layer - first.layer - 1;
  for (let layer = first.layer + 1; layer < last.layer; layer += 1) {
    if (label !== undefined && layer === labelLayer) inner.push(label);
    else if (span <= bends) inner.push(toItem(layer, { width: 2, height: 0, flat: 0 }, true));
  }
  const items = [first, ...inner, last];
  for (const [at, item] of items.entries()) {
    const next = items[at + 1];
    if (next?.layer !== item.layer + 1) continue;
    item.down.push(next);
    next.up.push(item);
  }
  return { edge, items, ...(label && { label }) };
}

function toRows(items: readonly Item[]): Item[][] {
  const rows: Item[][] = [];
  for (const item of new Set(items)) (rows[item.layer] ??= []).push(item);
  return Array.from(rows, (row) => row ?? []);
}

type Band = { readonly top: number; readonly middle: number; readonly bottom: number };

/** Rows' heights and the gaps between them: the further lines go sideways, the higher. */
function toBands(rows: readonly (readonly Item[])[]): readonly Band[] {
  const bands: Band[] = [];
  for (const [at, row] of rows.entries()) {
    const height = row.reduce((most, item) => Math.max(most, item.height), 0);
    const before = bands.at(-1);
    const top = before === undefined ? 0 : before.bottom + gapAbove(rows[at - 1], row);
    bands.push({ top, middle: top + height / 2, bottom: top + height });
  }
  return bands;
}

function gapAbove(above: readonly Item[] = [], below: readonly Item[]): number {
  const isLabels = (row: readonly Item[]): boolean => row.every(({ isLine }) => isLine);
  // Half of it over a label's row: what leads there is short.
  const least = isLabels(above) || isLabels(below) ? MIN_ROW_GAP * 0.7 : MIN_ROW_GAP;
  let sideways = 0;
  for (const item of below)
    for (const { x } of item.up) sideways = Math.max(sideways, Math.abs(x - item.x));
  return Math.min(MAX_ROW_GAP, Math.max(least, sideways / 5));
}

/** Where each chain leaves its upper node, and reaches its lower one: side by side, in the order of where they go. */
type Ports = ReadonlyMap<Chain, { readonly upper: number; readonly lower: number }>;

function toPorts(chains: readonly Chain[]): Ports {
  const upper = spreadPorts(chains, 0, 1);
  const lower = spreadPorts(chains, -1, -2);
  return new Map(
    chains.map((chain) => [chain, { upper: upper.get(chain) ?? 0, lower: lower.get(chain) ?? 0 }]),
  );
}

/** @param at Which of a chain's items is the node; `next` = which one follows on the way. */
function spreadPorts(
  chains: readonly Chain[],
  at: 0 | -1,
  next: 1 | -2,
): ReadonlyMap<Chain, number> {
  const places = new Map<Chain, number>();
  for (const [node, group] of Map.groupBy(chains, ({ items }) => items.at(at))) {
    if (node === undefined) continue;
    const sorted = group.toSorted(
      (a, b) => (a.items.at(next)?.x ?? 0) - (b.items.at(next)?.x ?? 0),
    );
    const gap = Math.min(PORT_GAP, node.flat / Math.max(1, sorted.length - 1));
    for (const [index, chain] of sorted.entries())
      places.set(chain, node.x + (index - (sorted.length - 1) / 2) * gap);
  }
  return places;
}

function toLine(chain: Chain, bands: readonly Band[], ports: Ports): Line {
  const { edge, items, label } = chain;
  const { upper = 0, lower = 0 } = ports.get(chain) ?? {};
  const points = items.flatMap((item, at) => {
    const band = bands[item.layer] ?? { top: 0, middle: 0, bottom: 0 };
    if (at === 0)
      return [
        { x: upper, y: band.middle + item.height / 2 },
        { x: upper, y: band.bottom },
      ];
    if (at === items.length - 1)
      return [
        { x: lower, y: band.top },
        { x: lower, y: band.middle - item.height / 2 },
      ];
    return [
      { x: item.x, y: band.top },
      { x: item.x, y: band.bottom },
    ];
  });
  return {
    edge,
    points: edge.isBack ? points.toReversed() : points,
    label: label && { x: label.x, y: bands[label.layer]?.middle ?? 0 },
  };
}

/** Out of the right side and in again. */
function toLoop(edge: FlowEdge, box: Box, label: Size): Line {
  const right = box.x + box.width / 2;
  const reach = Math.min(10, box.height / 4);
  return {
    edge,
    points: [
      { x: right, y: box.y + reach },
      { x: right, y: box.y - reach },
    ],
    label:
      edge.label === undefined
        ? undefined
        : { x: right + LOOP_WIDTH - 4 + label.width / 2, y: box.y },
  };
}
