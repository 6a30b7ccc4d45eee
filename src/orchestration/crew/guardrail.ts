// Guardrails: what an answer must pass before it is a task's output. run/guardrail.ts runs them.

import type { ModelRef } from "../../inference/model/endpoint.ts";
import { isObject } from "../../json.ts";
import type { Inputs } from "./input.ts";
import { type Check, isModelRef } from "./option.ts";

/** An answer that a guardrail looks at. `output` is the validated value of a task with a schema, else the text. */
export type GuardedAnswer = {
  readonly task: string;
  readonly agent: string;
  readonly raw: string;
  readonly output: unknown;
  readonly inputs: Inputs;
};

/** `raw` replaces the answer; it is checked against the task's schema again. The reason of a refusal goes back to the agent. */
export type Verdict =
  | { readonly ok: true; readonly raw?: string | undefined }
  | { readonly ok: false; readonly reason: string };

/**
 * A function, or criteria in words that a model judges by. A function must not change anything outside: it is called again when a
 * run is resumed before its verdict was kept. One that throws fails the task, without another call to the model: the fault is not
 * the answer's. One that changes the answer stands before those that check it: they are not asked again about the change.
 */
export type Guardrail =
  | ((
      answer: GuardedAnswer,
      context: { readonly signal: AbortSignal },
    ) => Verdict | Promise<Verdict>)
  | string
  | {
      /** What a good answer meets. */
      readonly judge: string;
      /** Default: the models of the task's agent. */
      readonly model?: ModelRef | undefined;
    };

/** Default of `guardrailRetries`, as in CrewAI. */
export const DEFAULT_GUARDRAIL_RETRIES = 3;

/** Most guardrails of one task. */
export const MAX_GUARDRAILS = 16;

/** A guardrail that refuses answers of more than `most` words. */
export function maxWords(most: number): Guardrail {
  return ({ raw }) => {
    const words = raw.split(/\s+/).filter(Boolean).length;
    if (words <= most) return { ok: true };
    return { ok: false, reason: `The answer has ${words} words; at most ${most} are allowed.` };
  };
}

/** The words of a guardrail that a model judges by; undefined for a function. */
export function criteriaOf(guardrail: Guardrail): string | undefined {
  if (typeof guardrail === "string") return guardrail;
  return typeof guardrail === "function" ? undefined : guardrail.judge;
}

/** One guardrail or a list, as a list. */
export function toGuardrails(
  given: Guardrail | readonly Guardrail[] | undefined,
): readonly Guardrail[] {
  if (given === undefined) return [];
  return isList(given) ? given : [given];
}

function isList(given: Guardrail | readonly Guardrail[]): given is readonly Guardrail[] {
  return Array.isArray(given);
}

export const isGuardrails: Check = (value) => {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value];
  return list.length > 0 && list.length <= MAX_GUARDRAILS && list.every(isOne)
    ? undefined
    : `a function, criteria in words, { judge, model? }, or a list of 1 to ${MAX_GUARDRAILS} of them`;
};

function isOne(value: unknown): boolean {
  if (typeof value === "function") return true;
  if (typeof value === "string") return value.trim() !== "";
  if (!isObject(value)) return false;
  const { judge, model, ...others } = value;
  const isKnown = Object.keys(others).length === 0;
  const isAsked = typeof judge === "string" && judge.trim() !== "";
  return isKnown && isAsked && (model === undefined || isModelRef(model) === undefined);
}
