// The smallest text that a constraint allows: the least JSON of a schema, the first choice, a match of a pattern. It says nothing.

import { BosunError } from "../../../error.ts";
import type { Json, JsonObject } from "../../../json.ts";
import { validate } from "../../../schema.ts";
import { fillSchema } from "../../local/extractive/fill.ts";
import { createLeastValuer } from "../../local/extractive/least.ts";
import { matchOf } from "../../local/extractive/pattern.ts";
import type { Constraint } from "./source.ts";

/** Alternatives of a schema that are tried. */
const BRANCHES = 8;

/**
 * The smallest text for a constraint.
 * @throws BosunError `model/bad-request` for a schema or pattern that cannot be met.
 */
export async function leastText(constraint: Constraint): Promise<string> {
  switch (constraint.type) {
    case "json":
      return leastJson(constraint.schema);
    case "choice":
      return constraint.choices[0];
    case "regex": {
      const text = matchOf(constraint.pattern);
      if (text !== undefined) return text;
      throw unmet(
        `the twin makes no text for the pattern ${constraint.pattern}`,
        "structured_outputs",
      );
    }
    default:
      return constraint satisfies never;
  }
}

/** Whether a text meets a constraint. */
export async function meets(text: string, constraint: Constraint): Promise<boolean> {
  switch (constraint.type) {
    case "json": {
      const value = valueOf(text);
      return value !== undefined && (await isValid(constraint.schema, value));
    }
    case "choice":
      return constraint.choices.includes(text);
    case "regex":
      return new RegExp(`^(?:${constraint.pattern})$`, "su").test(text);
    default:
      return constraint satisfies never;
  }
}

/**
 * The smallest JSON text that a schema takes: required properties only, the shortest lists and texts.
 * @throws BosunError `model/bad-request` for a schema that nothing fits.
 */
export async function leastJson(schema: JsonObject): Promise<string> {
  for (let branch = 0; branch < BRANCHES; branch++) {
    const filled = fillSchema(schema, createLeastValuer(), { branch, isMinimal: true });
    if (filled.type === "filled" && (await isValid(schema, filled.value)))
      return JSON.stringify(filled.value);
  }
  throw unmet("the twin makes no value for this JSON schema", "response_format");
}

/** A schema that is none (a pattern that does not compile, a reference into nowhere) makes the validator throw: nothing fits it. */
async function isValid(schema: JsonObject, value: Json): Promise<boolean> {
  try {
    return (await validate(schema, value)).type === "valid";
  } catch {
    return false; // the caller says that nothing fits
  }
}

function valueOf(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json; // `as`: validated by the caller
  } catch {
    return undefined; // no JSON at all does not meet a schema
  }
}

function unmet(message: string, param: string): BosunError {
  return new BosunError("model/bad-request", message, { details: { param } });
}
