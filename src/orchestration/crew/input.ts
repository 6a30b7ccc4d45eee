// {placeholders}: found in texts, by the compiler and at run time, and filled with a kickoff's inputs. What an input brings is not
// looked at again, so a literal {word} is the input word: "{word}".

import { BosunError } from "../../error.ts";
import { type Json, ownValue } from "../../json.ts";

/** A value that may stand in a kickoff's inputs. Objects and lists are shown to the model as JSON. */
export type InputValue =
  | string
  | number
  | boolean
  | readonly Json[]
  | { readonly [key: string]: Json | undefined };

/** The inputs of a kickoff by name. */
export type Inputs = { readonly [name: string]: InputValue };

/** The union of the placeholder names in a text; `string` when the text is not known to the compiler. */
export type Placeholders<S extends string> = string extends S
  ? string
  : S extends `${string}{${infer Inner}}${infer Rest}`
    ? Name<Trim<LastPart<Inner>>> | Placeholders<Rest>
    : never;

type Space = " " | "\n" | "\t" | "\r";
type Trim<S extends string> = S extends `${Space}${infer R}` | `${infer R}${Space}` ? Trim<R> : S;
/** What follows the last "{": in `{"a": {topic}}` only `topic` is a placeholder. */
type LastPart<S extends string> = S extends `${string}{${infer R}` ? LastPart<R> : S;
type Lower =
  | ("a" | "b" | "c" | "d" | "e" | "f" | "g" | "h" | "i" | "j" | "k" | "l" | "m")
  | ("n" | "o" | "p" | "q" | "r" | "s" | "t" | "u" | "v" | "w" | "x" | "y" | "z");
type First = Lower | Uppercase<Lower> | "_";
type Further = First | "-" | "0" | "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9";
/** True for texts that PLACEHOLDER takes as a name. */
type HasOnly<S extends string> = S extends `${infer C}${infer R}`
  ? C extends Further
    ? HasOnly<R>
    : false
  : true;
type Name<S extends string> = S extends `${First}${infer R}`
  ? HasOnly<R> extends true
    ? S
    : never
  : never;

/** The inputs that a crew with these placeholder names needs. */
export type InputsOf<Names extends string> = [Names] extends [never]
  ? { readonly [name: string]: never }
  : string extends Names
    ? Inputs
    : { readonly [Key in Names]: InputValue };

const NONE: readonly string[] = [];
const PLACEHOLDER = /\{\s*([A-Za-z_][\w-]*)\s*\}/g;

/** The placeholder names of a text, each once, in order. */
export function placeholdersOf(text: string): readonly string[] {
  if (!text.includes("{")) return NONE;
  return [...new Set([...text.matchAll(PLACEHOLDER)].map(([, name = ""]) => name))];
}

/**
 * The text with its placeholders filled.
 * @throws BosunError `crew/input-missing` with the missing names and where they stand.
 */
export function fillPlaceholders(text: string, inputs: Inputs, where: string): string {
  if (!text.includes("{")) return text; // most texts: the two expressions below took 20 µs a run
  const missing = placeholdersOf(text).filter(
    (name) => (ownValue<unknown>(inputs, name) ?? undefined) === undefined,
  );
  if (missing.length > 0) {
    const names = missing.map((name) => `{${name}}`).join(", ");
    const given = Object.keys(inputs).join(", ") || "none";
    throw new BosunError(
      "crew/input-missing",
      `${where} needs ${names}; the inputs given are: ${given}. Pass it as inputs: { ${missing[0]}: … } or --input ${missing[0]}=…`,
      {
        details: { missing },
      },
    );
  }
  return text.replace(PLACEHOLDER, (_, name: string) => shown(inputs[name]));
}

function shown(value: InputValue | undefined): string {
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}
