// What a task has read of inputs that were too long to be pasted, folded from its events, and what it has not. Pure.

import { ownValue } from "../../json.ts";
import type { RunFact } from "./event.ts";
import { lengthOf, mergeRanges, type Range } from "./range.ts";

/** An input that was too long to be pasted, and the characters of it that were read. */
export type InputState = {
  readonly tokens: number;
  readonly characters: number;
  readonly ranges: readonly Range[];
};

/** By the input's name. */
export type InputStates = Readonly<Record<string, InputState>>;

/** An input, and how much of it was read; estimated tokens. */
export type UnreadInput = {
  readonly input: string;
  readonly tokens: number;
  readonly readTokens: number;
};

/** Several pieces of a task's work read the same input: together they have read what any of them has. */
export function addRead(
  inputs: InputStates,
  { input, tokens, characters, ranges }: Extract<RunFact, { readonly type: "input-read" }>,
): InputStates {
  const before = ownValue(inputs, input)?.ranges ?? [];
  return {
    ...inputs,
    [input]: { tokens, characters, ranges: mergeRanges([...before, ...ranges]) },
  };
}

/** The inputs of which something was not read. */
export function unreadOf(inputs: InputStates): readonly UnreadInput[] {
  return Object.entries(inputs).flatMap(([input, { tokens, characters, ranges }]) => {
    const read = lengthOf(ranges);
    const readTokens = Math.floor((tokens * read) / characters);
    return read < characters ? [{ input, tokens, readTokens }] : [];
  });
}
