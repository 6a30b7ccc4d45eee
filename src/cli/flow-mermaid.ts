// A flow as Mermaid text: https://mermaid.js.org/syntax/flowchart.html. Pure.

import { ownValue } from "../json.ts";
import type { RunState } from "../orchestration/run/state.ts";
import type { FlowStepState } from "../orchestration/run/step-state.ts";
import { emittedCount, statusText } from "./flow-card.ts";
import { flowGraph, type PicturedFlow, type StepNode } from "./flow-graph.ts";
import { oneLine } from "./width.ts";

/**
 * A `flowchart TD`, with a line end: starts are stadiums, routers diamonds, `or` and `and` small circles, links that close a loop
 * dotted. With a run, steps say what they came to, and labels how often they were emitted. Viewers have bounds of their own; Mermaid's
 * defaults are 50,000 characters and 500 edges.
 */
export function flowMermaid(
  flow: Pick<PicturedFlow, "steps">,
  run?: Pick<RunState, "steps">,
): string {
  const { nodes, edges } = flowGraph(flow);
  const stateOf = (name: string): FlowStepState | undefined => run && ownValue(run.steps, name);
  const stateById = new Map(
    nodes.flatMap((node) => (node.type === "step" ? [[node.id, stateOf(node.name)]] : [])),
  );
  const links = edges.map(({ from, to, label, isBack }) => {
    const arrow = isBack ? "-.->" : "-->";
    if (label === undefined) return `  ${from} ${arrow} ${to}`;
    const times = emittedCount(stateById.get(from), label) ?? 0;
    const text = mermaidText(times > 0 ? `${label} ×${times}` : label);
    return `  ${from} ${times > 0 && !isBack ? "==>" : arrow}|"${text}"| ${to}`;
  });
  const shapes = nodes.map((node) =>
    node.type === "step"
      ? stepShape(node, stateOf(node.name))
      : `  ${node.id}((${node.type === "join" ? `"${node.join}"` : '" "'}))`,
  );
  return ["flowchart TD", ...shapes, ...links, ...(run ? LOOKS : []), ""].join("\n");
}

/** The light colours of the page, for steps that have run. */
const LOOKS = [
  "  classDef done fill:#dafbe1,stroke:#1a7f37,color:#1b1f24",
  "  classDef running fill:#ddf4ff,stroke:#0969da,color:#1b1f24",
  "  classDef failed fill:#ffebe9,stroke:#cf222e,color:#1b1f24",
  "  classDef cancelled fill:#fff8c5,stroke:#9a6700,color:#1b1f24",
];

function stepShape({ id, kind, name, crews }: StepNode, state: FlowStepState | undefined): string {
  const error = state?.error === undefined ? [] : [mermaidText(state.error.code)];
  const text = [
    mermaidText(name),
    ...(state ? [mermaidText(statusText(state)), ...error] : []),
    ...crews.map((crew) => `crew ${mermaidText(crew.name)}: ${crew.tasks.length}`),
  ].join("<br/>");
  const look = state && state.calls > 0 ? `:::${state.status}` : "";
  return `  ${id}${SHAPES[kind].replace("TEXT", () => text)}${look}`;
}

const SHAPES: Readonly<Record<StepNode["kind"], string>> = {
  start: '(["TEXT"])',
  router: '{"TEXT"}',
  listen: '["TEXT"]',
};

/**
 * The text on one line, as Mermaid's quoted text. Everything but letters, digits, spaces and a `_` or `-` inside a word is written as
 * `#NUMBER;`, Mermaid's own escape: no quote, bracket, HTML, Markdown, icon, directive or `style…:` that it would read is left.
 */
function mermaidText(text: string): string {
  const plain = oneLine(text.toWellFormed());
  return plain === "" ? " " : plain.replace(SPECIAL, (one) => `#${one.codePointAt(0)};`);
}

const SPECIAL = /(?<![\p{L}\p{N}])[_-]|[_-](?![\p{L}\p{N}])|[^\p{L}\p{N}\p{M} _-]/gu;
