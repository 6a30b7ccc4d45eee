// Which models a crew uses for what: a large one to lead, a small one to judge, each with its fallbacks.

import type { ModelRef } from "../../inference/model/endpoint.ts";
import { isObject } from "../../json.ts";
import { type Check, isModelRef, isOneOf } from "./option.ts";

/**
 * What a model is used for: to lead a hierarchical crew, to do the agents' work, to judge answers by words, to plan before the
 * first task, to summarise what is too long, to mend an answer that does not fit its schema.
 */
export const MODEL_USES = ["manager", "worker", "guardrail", "plan", "summary", "repair"] as const;

export type ModelUse = (typeof MODEL_USES)[number];

/** What a user writes: a model, or a list of which the further ones are fallbacks. */
export type PurposeModelOptions = {
  readonly [Use in ModelUse]?: ModelRef | readonly ModelRef[] | undefined;
};

/** The same as lists. */
export type PurposeModels = { readonly [Use in ModelUse]?: readonly ModelRef[] | undefined };

/** A check of an agent's or a purpose's models. */
export const isModelChain: Check = (value) => {
  const refs: readonly unknown[] = Array.isArray(value) ? value : [value];
  return refs.length > 0 && refs.every((ref) => isModelRef(ref) === undefined)
    ? undefined
    : "a model's name, endpoint({ … }), or a list of them";
};

export const isPurposeModels: Check = (value) => {
  const isRight =
    isObject(value) &&
    Object.entries(value).every(
      ([use, model]) =>
        isOneOf(MODEL_USES)(use) === undefined &&
        (model === undefined || isModelChain(model) === undefined),
    );
  return isRight
    ? undefined
    : `an object of ${MODEL_USES.join(", ")}, each a model's name, endpoint({ … }), or a list of them`;
};

/** One model or several, as a list. */
export function toModelList(
  model: ModelRef | readonly ModelRef[] | undefined,
): readonly ModelRef[] {
  if (model === undefined) return [];
  return isList(model) ? model : [model];
}

function isList(model: ModelRef | readonly ModelRef[]): model is readonly ModelRef[] {
  return Array.isArray(model);
}

/** The lists of what was written. */
export function toPurposeModels(options: PurposeModelOptions): PurposeModels {
  const given = Object.entries(options).filter(([, model]) => model !== undefined);
  return Object.fromEntries(given.map(([use, model]) => [use, toModelList(model)]));
}

/**
 * The models of a use, in the order in which they are tried; none = the run's. An agent's own win for its work; for what is done
 * beside its work the crew's choice wins.
 */
export function chooseModels(
  models: PurposeModels,
  use: ModelUse,
  own: readonly ModelRef[],
): readonly ModelRef[] {
  const chosen = models[use] ?? [];
  const isOwnWork = use === "worker" || use === "manager";
  const [first, second] = isOwnWork ? [own, chosen] : [chosen, own];
  if (first.length > 0) return first;
  return second.length > 0 || isOwnWork || use === "plan" ? second : (models.worker ?? []);
}
