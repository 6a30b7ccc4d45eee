// The AI SDK's language models as Bosun takes them: plain interfaces, of which nothing is imported at run time.
//
// The specification's major versions came in August 2025 (v2), December 2025 (v3) and June 2026 (v4). They differ, as far as text and
// tools go, in the shapes of usage and finish only; usage.ts and finish.ts read all of them.

import type { LanguageModelV2, LanguageModelV3, LanguageModelV4 } from "@ai-sdk/provider";
import { BosunError } from "../../../error.ts";
import { isObject } from "../../../json.ts";

/** A language model of the AI SDK: what `openai("…")`, `anthropic("…")` and the other providers make. */
export type AiSdkModel = LanguageModelV2 | LanguageModelV3 | LanguageModelV4;

const SUPPORTED: readonly unknown[] = ["v2", "v3", "v4"];

/**
 * The model, to be called as one of v4: what older ones get or give differently is left out or read in both shapes.
 * @throws BosunError `config/invalid` for anything else, with what is supported.
 */
export function checkSpec(model: unknown): LanguageModelV4 {
  const isCallable =
    isObject(model) &&
    typeof model["provider"] === "string" &&
    typeof model["modelId"] === "string" &&
    typeof model["doGenerate"] === "function" &&
    typeof model["doStream"] === "function";
  if (isCallable && SUPPORTED.includes(model["specificationVersion"]))
    return model as unknown as LanguageModelV4; // `as`: see above
  throw new BosunError(
    "config/invalid",
    `fromAiSdk: got ${describe(model)}. It takes a language model of the AI SDK's specification v2, v3 or v4 ` +
      `(ai 5, 6 and 7), as a provider makes it: fromAiSdk(openai("gpt-5-mini"))`,
  );
}

function describe(model: unknown): string {
  if (typeof model === "string") return `the text "${model.slice(0, 100)}"`;
  if (!isObject(model)) return `a value of type ${model === null ? "null" : typeof model}`;
  const version = model["specificationVersion"];
  return typeof version === "string"
    ? `a model of specification ${version.slice(0, 20)}`
    : "an object without a specification version";
}

/** The fields that have a value: the specification's optional fields are absent, never undefined. */
export function definedIn<T extends object>(fields: {
  readonly [K in keyof T]: T[K] | undefined;
}): T {
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as T; // `as`: only undefined ones are gone
}
