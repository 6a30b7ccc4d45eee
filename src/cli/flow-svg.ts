// A flow as SVG inside a page, whose style sheet has its colours (flow-style.ts). Pure.

import { ownValue } from "../json.ts";
import type { FlowSteps } from "../orchestration/run/step-state.ts";
import { type Card, COLUMN, emittedCount, POINT, stepCard } from "./flow-card.ts";
import type { FlowEdge, FlowGraph, FlowNode, StepNode } from "./flow-graph.ts";
import { type Box, layoutFlow, type Line, type Size } from "./flow-layout.ts";
import { count } from "./number.ts";
import { cutTo, displayWidth, oneLine, printable } from "./width.ts";

/** Text as HTML text, also inside of a quoted attribute. Without control characters, which HTML has no way to write. */
export function escapeHtml(text: string): string {
  return printable(text.toWellFormed()).replace(/[&<>"']/g, (one) => `&#${one.codePointAt(0)};`);
}

/** The `<svg>` of a graph. With the steps of a run it shows how they went. */
export function flowSvg(graph: FlowGraph, title: string, states?: FlowSteps): string {
  const looks = toLooks(graph, states);
  const layout = layoutFlow(graph, {
    node: (id) => looks.sizes.get(id) ?? NO_SIZE,
    label: (edge) => labelSize(looks.labels.get(edge)?.text ?? ""),
  });
  const width = Math.ceil(layout.width + 2 * MARGIN);
  const height = Math.ceil(layout.height + 2 * MARGIN);
  const lines = layout.lines.map((line) => lineSvg(line, looks.labels.get(line.edge)));
  const nodes = graph.nodes.map((node) => {
    const box = layout.boxes.get(node.id);
    return box === undefined ? "" : nodeSvg(node, box, looks);
  });
  return [
    `<svg role="img" aria-label="${escapeHtml(title)}" width="${width}" height="${height}" viewBox="${-MARGIN} ${-MARGIN} ${width} ${height}">`,
    `<defs>${arrow("arrow")}${arrow("arrow-back")}${arrow("arrow-taken")}</defs>`,
    ...lines.map(({ path }) => path),
    ...nodes,
    ...lines.map(({ text }) => text),
    "</svg>",
  ].join("\n");
}

/** The outline of a step of this kind. */
export function outline(
  kind: StepNode["kind"],
  { x, y, width, height }: Box,
  look: string,
): string {
  const [left, top] = [x - width / 2, y - height / 2];
  if (kind === "router") {
    const [right, bottom] = [left + width, top + height];
    const point = Math.min(POINT, width / 4);
    const corners = [
      [left, y],
      [left + point, top],
      [right - point, top],
      [right, y],
      [right - point, bottom],
      [left + point, bottom],
    ];
    const points = corners.map((corner) => corner.map(short).join(",")).join(" ");
    return `<polygon class="${look}" points="${points}"/>`;
  }
  const round = kind === "start" ? Math.min(22, height / 2) : 5;
  return `<rect class="${look}" x="${short(left)}" y="${short(top)}" width="${short(width)}" height="${short(height)}" rx="${short(round)}"/>`;
}

const MARGIN = 16;
const JOIN_SIZE = 36;
const END_SIZE = 12;
const LABEL_HEIGHT = 18;
const LABEL_COLUMNS = 40;
const NO_SIZE = { width: 0, height: 0, flat: 0 };

type Label = { readonly text: string; readonly isTaken: boolean };

type Looks = {
  readonly cards: ReadonlyMap<string, Card>;
  readonly sizes: ReadonlyMap<string, Size & { readonly flat: number }>;
  readonly labels: ReadonlyMap<FlowEdge, Label>;
  /** Class of a step's box: its status in the run. */
  readonly statuses: ReadonlyMap<string, string>;
};

function toLooks({ nodes, edges }: FlowGraph, states: FlowSteps | undefined): Looks {
  const steps = new Map(
    nodes.flatMap((node) => (node.type === "step" ? [[node.id, node] as const] : [])),
  );
  const stateOf = (id: string): FlowSteps[string] | undefined =>
    states && ownValue(states, steps.get(id)?.name ?? "");
  const cards = new Map([...steps].map(([id, step]) => [id, stepCard(step, stateOf(id))]));
  const labels = edges.flatMap((edge) => {
    if (edge.label === undefined) return [];
    const emitted = emittedCount(stateOf(edge.from), edge.label) ?? 0;
    const name = cutTo(oneLine(edge.label), LABEL_COLUMNS);
    const text = emitted === 0 ? name : `${name} ×${count(emitted)}`;
    return [[edge, { text, isTaken: emitted > 0 }] as const];
  });
  return {
    cards,
    sizes: new Map(nodes.map((node) => [node.id, cards.get(node.id) ?? dotSize(node)])),
    labels: new Map(labels),
    statuses: new Map([...steps.keys()].map((id) => [id, stateOf(id)?.status ?? "plain"])),
  };
}

function dotSize({ type }: FlowNode): Size & { readonly flat: number } {
  const size = type === "join" ? JOIN_SIZE : END_SIZE;
  return { width: size, height: size, flat: type === "join" ? 14 : 0 };
}

function labelSize(text: string): Size {
  return { width: displayWidth(text) * COLUMN + 10, height: LABEL_HEIGHT };
}

function nodeSvg(node: FlowNode, box: Box, { cards, statuses }: Looks): string {
  const at = `cx="${short(box.x)}" cy="${short(box.y)}"`;
  switch (node.type) {
    case "step": {
      const card = cards.get(node.id);
      return card === undefined ? "" : stepSvg(node, card, box, statuses.get(node.id) ?? "plain");
    }
    case "join":
      return `<circle class="join" ${at} r="${JOIN_SIZE / 2}"/><text class="note" text-anchor="middle" x="${short(box.x)}" y="${short(box.y + 4)}">${node.join}</text>`;
    case "end":
      return `<circle class="end" ${at} r="${END_SIZE / 2}"><title>no step listens to this label: its branch ends</title></circle>`;
    default:
      return node satisfies never;
  }
}

function stepSvg(node: StepNode, { texts, frames }: Card, box: Box, status: string): string {
  const [left, top] = [box.x - box.width / 2, box.y - box.height / 2];
  const boxes = frames.map(
    ({ x, y, width, height }) =>
      `<rect class="frame" x="${short(left + x)}" y="${short(top + y)}" width="${short(width)}" height="${short(height)}" rx="4"/>`,
  );
  const words = texts.map(
    ({ text, look, align, x, y }) =>
      `<text class="${look}" text-anchor="${align}" x="${short(left + x)}" y="${short(top + y)}">${escapeHtml(text)}</text>`,
  );
  const title = `<title>${escapeHtml([`${node.kind} ${node.name}`, node.description ?? ""].join("\n").trim())}</title>`;
  return `<g class="${escapeHtml(status)}">${title}${outline(node.kind, box, "box")}${boxes.join("")}${words.join("")}</g>`;
}

function lineSvg(
  line: Line,
  label: Label | undefined,
): { readonly path: string; readonly text: string } {
  const { edge, label: at } = line;
  const look = ["line", ...(edge.isBack ? ["back"] : []), ...(label?.isTaken ? ["taken"] : [])];
  const head = label?.isTaken ? "arrow-taken" : edge.isBack ? "arrow-back" : "arrow";
  const path = `<path class="${look.join(" ")}" marker-end="url(#${head})" d="${toPath(line)}"/>`;
  if (at === undefined || label === undefined) return { path, text: "" };
  const { width, height } = labelSize(label.text);
  return {
    path,
    text: `<g class="label"><rect x="${short(at.x - width / 2)}" y="${short(at.y - height / 2)}" width="${short(width)}" height="${short(height)}" rx="3"/><text text-anchor="middle" x="${short(at.x)}" y="${short(at.y + 4)}">${escapeHtml(label.text)}</text></g>`,
  };
}

/** Straight down, or a curve that leaves and arrives upright; a loop goes out to the right. */
function toPath({ edge, points }: Line): string {
  const [first, ...rest] = points;
  if (first === undefined) return "";
  const parts = [`M${short(first.x)} ${short(first.y)}`];
  let { x, y } = first;
  for (const next of rest) {
    // A piece of no length would leave the arrow without a direction.
    if (next.x === x && next.y === y) continue;
    const end = `${short(next.x)} ${short(next.y)}`;
    const half = short((y + next.y) / 2);
    if (edge.from === edge.to)
      parts.push(
        `C${short(x + 40)} ${short(y + 14)} ${short(x + 40)} ${short(next.y - 14)} ${end}`,
      );
    else if (Math.abs(x - next.x) < 0.5) parts.push(`L${end}`);
    else parts.push(`C${short(x)} ${half} ${short(next.x)} ${half} ${end}`);
    ({ x, y } = next);
  }
  return parts.join("");
}

function arrow(id: string): string {
  return `<marker id="${id}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0L8 4L0 8z"/></marker>`;
}

function short(value: number): string {
  return String(Math.round(value * 10) / 10);
}
