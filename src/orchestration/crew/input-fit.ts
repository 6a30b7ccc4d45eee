// How what is too long for a prompt is shortened: words of a crew's and a task's options.

import { isObject } from "../../json.ts";
import { type Check, isOneOf } from "./option.ts";

/** How earlier outputs are shortened: their middle is left out, or a model summarises them, which costs calls. */
export type FitMode = "cut" | "summary";

/**
 * What stands in a prompt for an input that is too long for it: what was found for the task's description, a model's summary,
 * or the input's beginning.
 */
export type InputFit = "retrieve" | "summary" | "head";

/** By the input's name. */
export type InputFits = { readonly [name: string]: { readonly fit: InputFit } };

/** Default of `inlineTokens`. */
export const DEFAULT_INLINE_TOKENS = 2_000;

export const isFitMode: Check = isOneOf(["cut", "summary"]);

const isInputFit = isOneOf(["retrieve", "summary", "head"]);

export const isInputFits: Check = (value) => {
  const isRight =
    isObject(value) &&
    Object.values(value).every(
      (one) =>
        isObject(one) &&
        Object.keys(one).every((key) => key === "fit") &&
        isInputFit(one["fit"]) === undefined,
    );
  return isRight
    ? undefined
    : 'options by input: { name: { fit: "retrieve" | "summary" | "head" } }';
};
