// What one run may use at most. run/budget.ts keeps it.

import { isObject } from "../../json.ts";
import type { Check } from "./option.ts";
import type { PurposeModelOptions } from "./purpose-model.ts";

/** Bounds of one run. No call is made that could pass one of them. */
export type RunLimits = {
  /** US dollars; every model that the run can reach needs a price. */
  readonly usdPerRun?: number | undefined;
  /** Prompts and answers of all calls together. */
  readonly tokensPerRun?: number | undefined;
};

/** What a crew says of the models that it pays for. */
export type SpendOptions = {
  /** Models by what they are used for. An agent's own `model` wins for its work. */
  readonly models?: PurposeModelOptions | undefined;
  /** What one run may use at most. Default: the Bosun's. */
  readonly limits?: RunLimits | undefined;
};

export const isRunLimits: Check = (value) => {
  const { usdPerRun, tokensPerRun, ...others } = isObject(value) ? value : { none: value };
  const isRight =
    Object.keys(others).length === 0 &&
    (usdPerRun === undefined || isAmount(usdPerRun)) &&
    (tokensPerRun === undefined || (isAmount(tokensPerRun) && Number.isInteger(tokensPerRun)));
  return isRight
    ? undefined
    : "{ usdPerRun?: an amount above 0, tokensPerRun?: a whole number above 0 }";
};

function isAmount(amount: unknown): boolean {
  return typeof amount === "number" && Number.isFinite(amount) && amount > 0;
}

/** Limits of which the nearer win, field by field. */
export function mergeLimits(...nearFirst: readonly (RunLimits | undefined)[]): RunLimits {
  const first = <Name extends keyof RunLimits>(name: Name): RunLimits[Name] =>
    nearFirst.find((limits) => limits?.[name] !== undefined)?.[name];
  return { usdPerRun: first("usdPerRun"), tokensPerRun: first("tokensPerRun") };
}
