// search_input and read_input: how an agent gets at inputs that are too long for its prompt, and the account of what it has read.
//
// The account is kept by the body from the tools' results, which are steps' results: it is the same after a replay.

import type { Message, ToolSpec } from "../../inference/model/message.ts";
import { isObject, type Json, type JsonObject } from "../../json.ts";
import type { LineSpan } from "../memory/text-document.ts";
import { type Tool, tool } from "../tool/tool.ts";
import { type Cut, sectionPart, turnPart } from "./fit.ts";
import { type InputDocument, READ_TOOL, SEARCH_TOOL } from "./input-document.ts";
import { spanOf, withinBudget } from "./input-view.ts";
import { mergeRanges, type Range } from "./range.ts";

/** What one piece of work has read of long inputs. */
export type Reading = {
  /** Lines of an input that a section of the prompt's context has. */
  noteSection(section: string, input: string, spans: readonly LineSpan[]): void;
  /** The result of a call, if it is of a tool that reads. What is noted is read when a model is shown it. */
  note(callId: string, tool: string, result: Json): void;
  /** A model is shown these turns, and the sections, but for what is cut of them: what is cut before any model has seen it is not read. */
  show(turns: readonly Message[], cuts: readonly Cut[]): void;
  /** By input: its characters that were read. */
  ranges(): readonly { readonly input: InputDocument; readonly ranges: readonly Range[] }[];
};

/** `source`: a call's id, or a section as a part of the conversation. */
type Noted = {
  readonly source: string;
  readonly input: string;
  readonly spans: readonly LineSpan[];
};

export function createReading(inputs: readonly InputDocument[]): Reading {
  const read = new Map<string, readonly Range[]>();
  let noted: Noted[] = [];
  const add = (name: string, spans: readonly LineSpan[]): void => {
    const input = inputs.find((one) => one.name === name);
    if (!input) return;
    const { document } = input;
    const added = spans.map(({ from, to }): Range => [
      document.offsetOf(from),
      document.offsetOf(to + 1),
    ]);
    read.set(name, mergeRanges([...(read.get(name) ?? []), ...added]));
  };
  return {
    noteSection(section, input, spans) {
      noted.push({ source: sectionPart(section), input, spans });
    },
    note(callId, name, result) {
      if ((name !== SEARCH_TOOL && name !== READ_TOOL) || !isObject(result)) return;
      const { input } = result;
      const found = Array.isArray(result["results"]) ? result["results"] : [result];
      const spans = found.flatMap((one: unknown) => toSpan(isObject(one) ? one["lines"] : ""));
      if (typeof input === "string") noted.push({ source: callId, input, spans });
    },
    show(turns, cuts) {
      if (noted.length === 0) return;
      const cut = new Set(cuts.map(({ part }) => part));
      const cutCalls = turns.flatMap((turn, index) =>
        turn.role === "tool" && cut.has(turnPart(index, turn)) ? [turn.callId] : [],
      );
      for (const { source, input, spans } of noted)
        if (!cut.has(source) && !cutCalls.includes(source)) add(input, spans);
      noted = [];
    },
    ranges: () => inputs.map((input) => ({ input, ranges: read.get(input.name) ?? [] })),
  };
}

function toSpan(lines: unknown): readonly LineSpan[] {
  const [, from, to] = /^(\d+)-(\d+)$/.exec(String(lines)) ?? [];
  return from === undefined || to === undefined ? [] : [{ from: Number(from), to: Number(to) }];
}

/** The two tools, and how models see them; none without an input to read. */
export function inputTools(
  inputs: readonly InputDocument[],
  resultTokens: number,
): { readonly tools: readonly Tool[]; readonly specs: readonly ToolSpec[] } {
  if (inputs.length === 0) return { tools: [], specs: [] };
  const made = [searchTool(inputs, resultTokens), readTool(inputs, resultTokens)];
  const specs = made.map(({ tool: { name, description }, parameters }) => ({
    name,
    description,
    parameters,
  }));
  return { tools: made.map((one) => one.tool), specs };
}

type Made = { readonly tool: Tool; readonly parameters: JsonObject };

/** Most passages that one search shows. */
const MAX_RESULTS = 8;

function searchTool(inputs: readonly InputDocument[], resultTokens: number): Made {
  const query = { type: "string", minLength: 1, maxLength: 1_000 };
  const parameters = objectOf({ ...inputParameter(inputs), query }, ["query"]);
  const made = tool({
    name: SEARCH_TOOL,
    description:
      "Finds the passages of a long input that answer best. Ask in plain words, one subject at a time.",
    parameters,
    run: (args) => {
      const asked = args as { readonly input?: string; readonly query: string }; // `as`: validated by the schema above
      const { name, document } = inputNamed(inputs, asked.input);
      const { passages, more } = document.search(asked.query, MAX_RESULTS);
      const shown = withinBudget(passages, resultTokens);
      const results = shown.map(({ id, from, to, section, text }) => ({
        passage: id,
        lines: `${from}-${to}`,
        section,
        text: text.trimEnd(),
      }));
      return { input: name, results, more: more + passages.length - shown.length };
    },
  });
  return { tool: made, parameters };
}

function readTool(inputs: readonly InputDocument[], resultTokens: number): Made {
  const parameters = objectOf(
    {
      ...inputParameter(inputs),
      from: numberOf("First line"),
      to: numberOf("Last line; without it, as many as fit"),
      passage: numberOf("Instead of lines: a passage that a search found"),
    },
    [],
  );
  const made = tool({
    name: READ_TOOL,
    description:
      "Reads lines of a long input. A result that ends early says where to go on (next).",
    parameters,
    run: (args) => readLines(inputs, args as ReadArguments, resultTokens), // `as`: validated by the schema above
  });
  return { tool: made, parameters };
}

function numberOf(description: string): JsonObject {
  return { type: "integer", minimum: 1, description };
}

type ReadArguments = {
  readonly input?: string;
  readonly from?: number;
  readonly to?: number;
  readonly passage?: number;
};

function readLines(
  inputs: readonly InputDocument[],
  { input: asked, from = 1, to = Infinity, passage }: ReadArguments,
  resultTokens: number,
): Json {
  const input = inputNamed(inputs, asked);
  const { name, document } = input;
  const found = passage === undefined ? { from, to } : document.passage(passage);
  if (found === undefined) throw new Error(`the input "${name}" has no passage ${passage}`);
  if (found.from > document.lines)
    throw new Error(`the input "${name}" ends with line ${document.lines}`);
  const fitting = spanOf(input, found.from, resultTokens);
  const span = { from: found.from, to: Math.max(found.from, Math.min(fitting.to, found.to)) };
  const rest = span.to < document.lines ? { next: span.to + 1 } : {};
  const text = document.textOf(span).trimEnd();
  return { input: name, lines: `${span.from}-${span.to}`, text, ...rest, of: document.lines };
}

/** The input's name need not be said when there is only one. @throws Error that the model reads. */
function inputNamed(inputs: readonly InputDocument[], name: string | undefined): InputDocument {
  const [only, ...others] = inputs;
  const input = inputs.find((one) => one.name === name) ?? (others.length === 0 ? only : undefined);
  if (input) return input;
  throw new Error(`name the input: ${inputs.map((one) => one.name).join(", ")}`);
}

function inputParameter(inputs: readonly InputDocument[]): JsonObject {
  return { input: { type: "string", enum: inputs.map(({ name }) => name) } };
}

function objectOf(properties: JsonObject, required: readonly string[]): JsonObject {
  return { type: "object", properties, required, additionalProperties: false };
}
