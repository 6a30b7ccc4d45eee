// A flow as Mermaid text: https://mermaid.js.org/syntax/flowchart.html. Pure.

import { type FlowNode, flowGraph, type PicturedFlow, type StepNode } from "./flow-graph.ts";
import { oneLine } from "./width.ts";

/**
 * A `flowchart TD`, with a line end: starts are stadiums, routers diamonds, `or` and `and` small circles, links that close a loop
 * dotted. Viewers have bounds of their own; Mermaid's defaults are 50,000 characters and 500 edges.
 */
export function flowMermaid(flow: Pick<PicturedFlow, "steps">): string {
  const { nodes, edges } = flowGraph(flow);
  const links = edges.map(({ from, to, label, isBack }) => {
    const text = label === undefined ? "" : `|"${mermaidText(label)}"|`;
    return `  ${from} ${isBack ? "-.->" : "-->"}${text} ${to}`;
  });
  return ["flowchart TD", ...nodes.map((node) => `  ${node.id}${shape(node)}`), ...links, ""].join(
    "\n",
  );
}

function shape(node: FlowNode): string {
  switch (node.type) {
    case "step":
      return stepShape(node);
    case "join":
      return `(("${node.join}"))`;
    case "end":
      return `((" "))`;
    default:
      return node satisfies never;
  }
}

function stepShape({ kind, name, crews }: StepNode): string {
  const text = [
    mermaidText(name),
    ...crews.map((crew) => `crew ${mermaidText(crew.name)}: ${crew.tasks.length}`),
  ].join("<br/>");
  switch (kind) {
    case "start":
      return `(["${text}"])`;
    case "router":
      return `{"${text}"}`;
    case "listen":
      return `["${text}"]`;
    default:
      return kind satisfies never;
  }
}

/**
 * The text on one line, as Mermaid's quoted text. Everything but letters, digits, spaces and a `_` or `-` inside a word is written as
 * `#NUMBER;`, Mermaid's own escape: no quote, bracket, HTML, Markdown, icon, directive or `style…:` that it would read is left.
 */
function mermaidText(text: string): string {
  const plain = oneLine(text.toWellFormed());
  return plain === "" ? " " : plain.replace(SPECIAL, (one) => `#${one.codePointAt(0)};`);
}

const SPECIAL = /(?<![\p{L}\p{N}])[_-]|[_-](?![\p{L}\p{N}])|[^\p{L}\p{N}\p{M} _-]/gu;
