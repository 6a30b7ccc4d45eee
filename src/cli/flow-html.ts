// A flow, and a run of it, as one HTML page that needs nothing besides itself: no script, no font, no network. Pure.

import { ownValue } from "../json.ts";
import type { RunState } from "../orchestration/run/state.ts";
import type { FlowStepState } from "../orchestration/run/step-state.ts";
import { flowGraph, type PicturedFlow } from "./flow-graph.ts";
import { flowMermaid } from "./flow-mermaid.ts";
import { FLOW_STYLE } from "./flow-style.ts";
import { escapeHtml, flowSvg, outline } from "./flow-svg.ts";
import { count, duration } from "./number.ts";

/** The page. With a run's state it shows how the steps went, in the picture and in a table. */
export function flowHtml(flow: PicturedFlow, state?: RunState): string {
  const { name, options } = flow;
  const title = `Flow ${name}`;
  const graph = flowGraph(flow);
  const about =
    options.description === undefined ? "" : `<p>${escapeHtml(options.description)}</p>`;
  return [
    "<!doctype html>",
    '<html lang="en">',
    "<head>",
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>${escapeHtml(title)}</title>`,
    `<style>${FLOW_STYLE}</style>`,
    "</head>",
    "<body>",
    `<h1>${escapeHtml(title)}</h1>`,
    about,
    ...(state === undefined ? [] : [runHtml(state)]),
    `<div class="picture">${flowSvg(graph, title, state?.steps)}</div>`,
    legendHtml(state !== undefined),
    ...(state === undefined ? [] : [stepsHtml(flow, state)]),
    `<details><summary>Mermaid</summary><pre>${escapeHtml(flowMermaid(flow, state))}</pre></details>`,
    "</body>",
    "</html>",
    "",
  ].join("\n");
}

function runHtml({ runId, status, error, startedAt, endedAt }: RunState): string {
  const took = endedAt === undefined ? "" : `, ${duration(timeBetween(startedAt, endedAt))}`;
  const why = error === undefined ? "" : `<p class="wrong">${escapeHtml(reason(error))}</p>`;
  return `<p class="dim">Run ${escapeHtml(`${runId}: ${status}`)}${took}</p>${why}`;
}

const LEGEND_BOX = { x: 18, y: 9, width: 34, height: 16 };

function icon(content: string, look = "plain"): string {
  return `<svg class="${look}" width="36" height="18" aria-hidden="true">${content}</svg>`;
}

function circle(look: string, radius: number): string {
  return `<circle class="${look}" cx="18" cy="9" r="${radius}"/>`;
}

function legendHtml(hasRun: boolean): string {
  const kinds = [
    [icon(outline("start", LEGEND_BOX, "box")), "start"],
    [icon(outline("listen", LEGEND_BOX, "box")), "listens"],
    [icon(outline("router", LEGEND_BOX, "box")), "router, with its labels"],
    [icon(circle("join", 8)), "or: the first one; and: all of them"],
    [icon(circle("end", 6)), "a label that no step listens to"],
    [icon('<path class="line back" d="M2 9L34 9"/>'), "back to an earlier step"],
  ];
  const statuses = ["waiting", "running", "done", "failed", "cancelled", "skipped"].map(
    (status) => [icon(outline("listen", LEGEND_BOX, "box"), status), status],
  );
  const taken = [icon('<path class="line taken" d="M2 9L34 9"/>'), "emitted, × how often"];
  const entries = hasRun ? [...kinds, ...statuses, taken] : kinds;
  const items = entries.map(([picture, text]) => `<li>${picture}${text}</li>`);
  return `<ul class="legend">${items.join("")}</ul>`;
}

/** The flow's steps in their order, then those that only the run has: its flow may have been another version. */
function stepsHtml({ steps }: PicturedFlow, state: RunState): string {
  const names = [...new Set([...Object.keys(steps), ...Object.keys(state.steps)])];
  const rows = names.map((name) => stepRow(name, ownValue(state.steps, name)));
  return [
    '<h2>Steps</h2><div class="scroll"><table>',
    '<thead><tr><th>step</th><th>status</th><th class="number">calls</th><th class="number">retries</th><th class="number">from first to last</th><th>emitted</th><th>error</th></tr></thead>',
    `<tbody>${rows.join("\n")}</tbody>`,
    "</table></div>",
  ].join("\n");
}

function stepRow(name: string, step: FlowStepState | undefined): string {
  const head = `<td class="mono">${escapeHtml(name)}</td>`;
  if (step === undefined) return `<tr>${head}<td colspan="6" class="dim">not in this run</td></tr>`;
  const { status, calls, retries, running, emitted, error, startedAt, endedAt } = step;
  const labels = Object.entries(emitted).map(([label, times]) => `${label} ×${count(times)}`);
  const took = running > 0 ? undefined : timeBetween(startedAt, endedAt);
  return [
    `<tr>${head}<td>${escapeHtml(status)}</td>`,
    ...[count(calls), count(retries), duration(took)].map(
      (text) => `<td class="number">${text}</td>`,
    ),
    `<td class="mono">${escapeHtml(labels.join(", "))}</td>`,
    `<td class="wrong">${error === undefined ? "" : escapeHtml(reason(error))}</td></tr>`,
  ].join("");
}

function reason({ code, message }: { readonly code: string; readonly message: string }): string {
  return `[${code}] ${message}`;
}

function timeBetween(from: number | undefined, to: number | undefined): number | undefined {
  return from === undefined || to === undefined ? undefined : to - from;
}
