// The inputs of a run that are too long for a prompt, as documents.
//
// Whatever is filled with a run's inputs and goes to a model takes `brief`: in it each of them is only named. The task that has the
// placeholder sees more of it (input-view.ts).

import { BosunError } from "../../error.ts";
import { estimateTokens } from "../../inference/model/tokens.ts";
import { allTasks, askedAgents, executorOf } from "../crew/cast.ts";
import type { Crew } from "../crew/crew.ts";
import { type Inputs, type InputValue, placeholdersOf } from "../crew/input.ts";
import type { InputFit } from "../crew/input-fit.ts";
import type { TextDocument } from "../memory/text-document.ts";
import { toolsOf } from "./description.ts";

/** An input that is not pasted. */
export type InputDocument = {
  readonly name: string;
  /** Estimated. */
  readonly tokens: number;
  /** What stands in its place; undefined = what is needed to search and read it. */
  readonly fit: InputFit | undefined;
  readonly document: TextDocument;
};

/** A run's long inputs. Disposing them frees their indexes. */
export interface InputDocuments extends Disposable {
  /** The run's inputs, of which the long ones are only named. */
  readonly brief: Inputs;
  /** Those whose placeholders stand in one of these texts. */
  of(texts: readonly string[]): readonly InputDocument[];
}

/** The tools that read long inputs. */
export const SEARCH_TOOL = "search_input";
export const READ_TOOL = "read_input";

/**
 * Finds the long ones among a run's inputs.
 * @throws BosunError `crew/duplicate-name` when an agent has a tool of its own that is called as one of those that read them.
 */
export async function createInputDocuments(crew: Crew, inputs: Inputs): Promise<InputDocuments> {
  const long = new Map<string, InputDocument>();
  for (const [name, value] of Object.entries(inputs)) {
    const document = await longInput(crew, name, value);
    if (document) long.set(name, document);
  }
  if (long.size === 0) return { brief: inputs, of: () => NONE, [Symbol.dispose]() {} };
  checkNames(crew);
  const named = [...long.values()].map(({ name, tokens }) => [name, briefText(name, tokens)]);
  return {
    brief: { ...inputs, ...Object.fromEntries(named) },
    of(texts) {
      const names = new Set(texts.flatMap(placeholdersOf));
      return [...long.values()].filter(({ name }) => names.has(name));
    },
    [Symbol.dispose]() {
      for (const { document } of long.values()) document[Symbol.dispose]();
    },
  };
}

const NONE: readonly InputDocument[] = [];

/** No text has more tokens than characters: short ones are not counted. */
async function longInput(
  crew: Crew,
  name: string,
  value: InputValue,
): Promise<InputDocument | undefined> {
  const { inlineTokens } = crew;
  if (typeof value !== "string" && typeof value !== "object") return undefined;
  const pasted = typeof value === "string" ? value : JSON.stringify(value);
  if (pasted.length <= inlineTokens || estimateTokens(pasted) <= inlineTokens) return undefined;
  const text = typeof value === "string" ? value : JSON.stringify(value, null, 2);
  const fit = Object.hasOwn(crew.inputs, name) ? crew.inputs[name]?.fit : undefined;
  const { createTextDocument } = await import("../memory/text-document.ts"); // loads SQLite
  return { name, tokens: estimateTokens(text), fit, document: createTextDocument(text) };
}

function briefText(name: string, tokens: number): string {
  return `(the input "${name}", about ${tokens} tokens)`;
}

function checkNames(crew: Crew): void {
  const tools = [
    ...askedAgents(crew.tasks, crew).flatMap((agent) => agent.tools),
    ...allTasks(crew.tasks).flatMap((task) => toolsOf(executorOf(task, crew), task)),
  ];
  const taken = tools.find(({ name }) => name === SEARCH_TOOL || name === READ_TOOL);
  if (taken === undefined) return;
  throw new BosunError(
    "crew/duplicate-name",
    `crew "${crew.name}" has a tool named ${taken.name}, and so has Bosun for inputs over ${crew.inlineTokens} tokens. Rename it, or raise inlineTokens`,
  );
}
