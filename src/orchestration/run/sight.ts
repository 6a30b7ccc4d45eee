// Sight: what a piece of work sees of inputs that are too long for its prompt, and the tools with which it reads the rest.
//
// Budgets follow the context of the piece's own models, so that what is shown leaves room for the work (journaled: contexts change).

import type { ModelSettings } from "../../inference/model/endpoint.ts";
import type { ToolSpec } from "../../inference/model/message.ts";
import type { Path } from "../../inference/model/model.ts";
import { estimateTokens } from "../../inference/model/tokens.ts";
import { fillPlaceholders, type Inputs } from "../crew/input.ts";
import type { Crew } from "../crew/crew.ts";
import type { Durable } from "../durable/durable.ts";
import type { LineSpan } from "../memory/text-document.ts";
import type { Tool } from "../tool/tool.ts";
import { askModel } from "./call.ts";
import { trimOf } from "./condense.ts";
import type { InputDocument } from "./input-document.ts";
import { createReading, inputTools, type Reading } from "./input-tool.ts";
import {
  endsView,
  headView,
  type InputView,
  mentionText,
  outlineView,
  retrievedView,
  sectionName,
  summaryView,
} from "./input-view.ts";
import type { Workplace } from "./job.ts";
import type { Section } from "./prompt.ts";
import { roomOf } from "./room.ts";
import { summarize, type Summary } from "./summary.ts";
import { nameOfAgent, type RunContext, type World } from "./world.ts";

/** What a piece of work sees. */
export type Sight = {
  /** The inputs for the agent's own texts: long ones are only named. */
  readonly brief: Inputs;
  /** What is shown of long inputs: the first sections of the work's context, as they are the same for many tasks. */
  readonly sections: readonly Section[];
  /** The work's text, with its placeholders filled. */
  readonly description: string;
  readonly tools: readonly Tool[];
  readonly toolSpecs: readonly ToolSpec[];
  /** Undefined where no input is too long. */
  readonly reading: Reading | undefined;
};

const NOTHING = { sections: [], reading: undefined } as const;

/** Who looks, and for which work. */
export type Looking = {
  readonly path: Path;
  readonly place: Workplace;
  readonly settings: ModelSettings;
  readonly task: string;
  /** The work's text; its placeholders are filled when `isTemplate`. */
  readonly description: string;
  readonly isTemplate: boolean;
  /** Further texts whose placeholders count: of the task that the work is for. */
  readonly texts: readonly string[];
};

/** Shows what may be shown. @throws what a summary throws. */
export async function lookAt(d: Durable, world: World, looking: Looking): Promise<Sight> {
  const run = world.runOf(d.runId);
  const { place, description, isTemplate, texts } = looking;
  const { brief } = run.documents;
  const { role, goal, backstory } = place.agent;
  const own = run.documents.of([description, ...texts, role, goal, backstory]);
  const where = `task "${looking.task}"`;
  const fill = (text: string, inputs: Inputs): string =>
    isTemplate ? fillPlaceholders(text, inputs, where) : text;
  const { tools, toolSpecs } = place;
  if (own.length === 0)
    return { ...NOTHING, brief, description: fill(description, brief), tools, toolSpecs };
  const reading = createReading(own);
  const room = await shareRoom(d, world, looking, own.length);
  const names = Object.fromEntries(own.map(({ name }) => [name, name]));
  const question = fill(description, { ...brief, ...names });
  const sections: Section[] = [];
  for (const input of own) {
    const { view, summary } = await viewOf(d, world, looking, { input, room, question });
    const name = sectionName(input.name);
    reading.noteSection(name, input.name, view.spans);
    sections.push({ name, text: view.text });
    tellTrim(run, looking, { input, view, summary });
  }
  const mentions = Object.fromEntries(own.map((input) => [input.name, mentionText(input)]));
  const added = inputTools(
    own.filter(({ fit }) => fit === undefined),
    room.resultTokens,
  );
  return {
    brief,
    sections,
    description: fill(description, { ...brief, ...mentions }),
    tools: [...tools, ...added.tools],
    toolSpecs: [...toolSpecs, ...added.specs],
    reading,
  };
}

/** Says in the log what was read, at the end of a piece of work however it ends. */
export function tellReading(run: RunContext, { path, place }: Looking, { reading }: Sight): void {
  const agent = nameOfAgent(place.agent, run.inputs);
  for (const { input, ranges } of reading?.ranges() ?? []) {
    const { name, tokens, document } = input;
    const { characters } = document;
    run.log.emit([...path, segmentOf(input)], {
      type: "input-read",
      agent,
      input: name,
      tokens,
      characters,
      ranges,
    });
  }
}

type Budgets = {
  /** For what was retrieved, summarised, or the head. */
  readonly pastedTokens: number;
  readonly outlineTokens: number;
  /** For one result of a tool. */
  readonly resultTokens: number;
};

/** Shares of what the prompt may take: the input's, an outline's, a tool result's. */
const SHARES = { pasted: 0.3, outline: 0.08, result: 0.15 };
const MOST = { outline: 600, result: 1_000 };
const LEAST = 64;

function shareRoom(
  d: Durable,
  world: World,
  { path, place, settings }: Looking,
  inputs: number,
): Promise<Budgets> {
  const { inlineTokens } = world.runOf(d.runId).crew;
  return d.step(`${path.join("/")}/input-room`, async (step) => {
    const { left } = await roomOf(world, { models: place.models, settings }, step.signal);
    const share = (most: number, part: number): number =>
      Math.max(LEAST, Math.floor(Math.min(most, left * part)));
    return {
      pastedTokens: share(inlineTokens, SHARES.pasted / inputs),
      outlineTokens: share(MOST.outline, SHARES.outline / inputs),
      resultTokens: share(MOST.result, SHARES.result),
    };
  });
}

/** What a run shows of these inputs at most, where nothing is known of the room: for a preview. Asks nobody. */
export function previewSight(
  { inlineTokens }: Crew,
  inputs: readonly InputDocument[],
): {
  readonly sections: readonly Section[];
  readonly mentions: Inputs;
  readonly specs: readonly ToolSpec[];
} {
  const read = inputs.filter(({ fit }) => fit === undefined);
  return {
    sections: inputs.map((input) => {
      const view =
        input.fit === undefined ? outlineView(input, MOST.outline) : headView(input, inlineTokens);
      return { name: sectionName(input.name), text: view.text };
    }),
    mentions: Object.fromEntries(inputs.map((input) => [input.name, mentionText(input)])),
    specs: inputTools(read, MOST.result).specs,
  };
}

type Viewing = {
  readonly input: InputDocument;
  readonly room: Budgets;
  readonly question: string;
};

async function viewOf(
  d: Durable,
  world: World,
  looking: Looking,
  { input, room, question }: Viewing,
): Promise<Viewed> {
  const path = [...looking.path, segmentOf(input)];
  const { pastedTokens, outlineTokens } = room;
  const { fit, document } = input;
  if (fit === "summary") {
    const text = document.textOf({ from: 1, to: document.lines });
    const it = { path, text, what: `the input "${input.name}"`, work: question };
    const { agent, summaryModels: models } = looking.place;
    const who = { agent: agent.name, task: looking.task, models, timeouts: agent.timeouts };
    const asked = { ...it, ...who, settings: looking.settings, budgetTokens: pastedTokens };
    const summary = await summarize(d, world, asked, (ask) => askModel(d, world, ask));
    const { readCharacters } = summary;
    if (readCharacters === undefined) return { view: endsView(input, pastedTokens), summary };
    const spans = readSpans(input, readCharacters);
    return { view: { text: summaryView(input, summary.text), spans }, summary };
  }
  const view = await d.step(path.join("/"), async () => {
    if (fit === "retrieve") return retrievedView(input, question, pastedTokens);
    return fit === "head" ? headView(input, pastedTokens) : outlineView(input, outlineTokens);
  });
  return { view };
}

type Viewed = { readonly view: InputView; readonly summary?: Summary | undefined };

/** The lines of a text's beginning; its pieces end with lines. */
function readSpans({ document }: InputDocument, characters: number): readonly LineSpan[] {
  if (characters >= document.characters) return [{ from: 1, to: document.lines }];
  return [{ from: 1, to: document.lastLine(1, characters) }];
}

const HOW = { head: "cut", retrieve: "retrieval" } as const;

function tellTrim(
  run: RunContext,
  { path }: Looking,
  { input, view, summary }: Viewed & { readonly input: InputDocument },
): void {
  const { name, tokens, fit } = input;
  const how = fit === undefined || fit === "summary" ? "retrieval" : HOW[fit];
  run.log.emit([...path, segmentOf(input)], {
    type: "context-trim",
    part: `input:${name}`,
    tokensBefore: tokens,
    tokensAfter: estimateTokens(view.text),
    ...(summary === undefined ? { how } : trimOf(summary)),
  });
}

function segmentOf({ name }: InputDocument): string {
  return `input:${name}`;
}
