// What stands in a step's box: its name, what it is for, how it went, its crews and their tasks. Lines of text with their places.
// Pure; all text is of one fixed-width font, so that its width is known without a browser.

import { ownValue } from "../json.ts";
import type { FlowStepState } from "../orchestration/run/step-state.ts";
import type { CrewNote, StepNode } from "./flow-graph.ts";
import type { Size } from "./flow-layout.ts";
import { count, several } from "./number.ts";
import { cutTo, displayWidth, oneLine } from "./width.ts";

/** A line of text. x and y are of its middle, or of its left end, and its baseline, from the box's upper left corner. */
type CardText = {
  readonly text: string;
  readonly look: "name" | "note" | "status" | "error" | "crew" | "task";
  readonly align: "middle" | "start";
  readonly x: number;
  readonly y: number;
};

/** A frame around a crew, from the box's upper left corner. */
type CardFrame = Size & { readonly x: number; readonly y: number };

export type Card = Size & {
  /** How wide its straight top is. */
  readonly flat: number;
  readonly texts: readonly CardText[];
  readonly frames: readonly CardFrame[];
};

/** Width of a column at 12 px. Source: DejaVu Sans Mono, 1,233 of 2,048 units; narrower fonts leave more room. */
export const COLUMN = 7.25;
/** How far a router's sides reach out. */
export const POINT = 18;

const LINE = 16;
const PAD = 10;
const NAME_COLUMNS = 40;
const TEXT_COLUMNS = 36;
const TEXT_LINES = 3;
const MAX_CREWS = 4;
const MAX_TASKS = 8;

type Row = Pick<CardText, "text" | "look">;

/** @param state Of the step in a run, for pictures of one. */
export function stepCard(step: StepNode, state: FlowStepState | undefined): Card {
  const head: readonly Row[] = [
    { text: cutTo(oneLine(step.name), NAME_COLUMNS), look: "name" },
    ...wrap(step.description ?? "").map((text) => ({ text, look: "note" as const })),
    ...(state === undefined ? [] : stateRows(state)),
  ];
  const crews = step.crews.slice(0, MAX_CREWS).map(crewRows);
  const more = step.crews.length - crews.length;
  const tail: readonly Row[] =
    more === 0 ? [] : [{ text: `and ${several(more, "more crew")}`, look: "note" }];

  const inner = [...head, ...tail].reduce((most, row) => Math.max(most, widthOf(row)), 40);
  const framed = crews.flat().reduce((most, row) => Math.max(most, widthOf(row) + 2 * PAD), 0);
  // A start's ends are round, a router's pointed.
  const side = step.kind === "listen" ? PAD : POINT + 2;
  const width = Math.max(inner, framed) + 2 * side;
  return { ...place({ head, crews, tail }, width, side), width, flat: width - 2 * side - PAD };
}

/** How a step went, in a few words: "done · 2 calls · 1 retry". */
export function statusText({ status, calls, retries, running }: FlowStepState): string {
  const now = running > 1 ? `${status} ${count(running)} times` : status;
  return [
    now,
    ...(calls === 0 ? [] : [several(calls, "call")]),
    ...(retries === 0 ? [] : [retries === 1 ? "1 retry" : `${count(retries)} retries`]),
  ].join(" · ");
}

/** How often the step has emitted the label in this run; undefined without a run. */
export function emittedCount(state: FlowStepState | undefined, label: string): number | undefined {
  return state === undefined ? undefined : (ownValue(state.emitted, label) ?? 0);
}

function stateRows(state: FlowStepState): readonly Row[] {
  const { error } = state;
  const lines = error === undefined ? [] : [error.code, ...wrap(error.message)];
  return [
    { text: statusText(state), look: "status" },
    ...lines.map((text) => ({ text: cutTo(text, TEXT_COLUMNS), look: "error" as const })),
  ];
}

function crewRows({ name, tasks }: CrewNote): readonly Row[] {
  const shown = tasks.slice(0, MAX_TASKS);
  const more = tasks.length - shown.length;
  const lines = more === 0 ? shown : [...shown, `and ${count(more)} more`];
  return [
    { text: cutTo(`crew ${oneLine(name)}`, TEXT_COLUMNS), look: "crew" },
    ...lines.map((task) => ({
      text: cutTo(`· ${oneLine(task)}`, TEXT_COLUMNS),
      look: "task" as const,
    })),
  ];
}

function widthOf({ text, look }: Row): number {
  // Names are set in 14 px.
  return displayWidth(text) * COLUMN * (look === "name" ? 14 / 12 : 1);
}

function place(
  rows: {
    readonly head: readonly Row[];
    readonly crews: readonly (readonly Row[])[];
    readonly tail: readonly Row[];
  },
  width: number,
  side: number,
): Pick<Card, "height" | "texts" | "frames"> {
  const texts: CardText[] = [];
  const frames: CardFrame[] = [];
  let y = PAD;
  const write = (row: Row, left: number | undefined): void => {
    y += row.look === "name" ? LINE + 2 : LINE;
    const [x, align] =
      left === undefined ? [width / 2, "middle" as const] : [left, "start" as const];
    texts.push({ ...row, x, align, y: y - 4 });
  };
  for (const row of rows.head) write(row, undefined);
  for (const crew of rows.crews) {
    y += 6;
    const height = crew.length * LINE + PAD;
    frames.push({ x: side, y, width: width - 2 * side, height });
    y += PAD / 2;
    for (const row of crew) write(row, side + PAD);
    y += PAD / 2;
  }
  if (rows.tail.length > 0) y += 4;
  for (const row of rows.tail) write(row, undefined);
  return { texts, frames, height: y + PAD };
}

/** At most three lines of 36 columns; what is left out shows as "…". */
function wrap(text: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  // No more words than three lines could hold: a message may be long.
  for (const word of oneLine(text).split(" ", TEXT_COLUMNS * TEXT_LINES)) {
    const longer = line === "" ? word : `${line} ${word}`;
    if (line === "" || displayWidth(longer) <= TEXT_COLUMNS) {
      line = longer;
    } else {
      lines.push(line);
      line = word;
    }
  }
  if (line !== "") lines.push(line);
  const shown = lines.slice(0, TEXT_LINES);
  const last = shown.length - 1;
  if (lines.length > TEXT_LINES) shown[last] = `${shown[last]} …`;
  return shown.map((one) => cutTo(one, TEXT_COLUMNS));
}
