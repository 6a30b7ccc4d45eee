// Pydantic models as JSON Schema, as far as they are plain: fields of texts, numbers, lists and other models of the same file.

import { BosunError, isBosunError } from "../../../error.ts";
import type { Json, JsonObject } from "../../../json.ts";
import type { PythonScope } from "./python-scope.ts";
import type { Token } from "./python-token.ts";

/** The schema of a model, or why there is none. */
export type FoundSchema =
  | { readonly type: "schema"; readonly schema: JsonObject }
  | { readonly type: "none"; readonly reason: string };

/** Deepest nesting of models: one that holds itself has none. */
const MAX_DEPTH = 8;
/** Most models in one schema, each counted as often as it stands there. */
const MAX_MODELS = 100;

type Reading = { readonly scope: PythonScope; left: number };

/** The schema of the model with this name. */
export function schemaOf(name: string, scope: PythonScope): FoundSchema {
  return orNone(() => objectOf(name, { scope, left: MAX_MODELS }, 0));
}

/** The schema of a function's parameters, as they stand between its brackets. Those without a type take anything. */
export function schemaOfParameters(parameters: readonly Token[], scope: PythonScope): FoundSchema {
  const fields = splitAtCommas(parameters).flatMap((line) => {
    const [name] = line;
    if (name?.type !== "name" || name.text === "self") return []; // "*" and "/" are no parameters
    return fieldOf(line);
  });
  return orNone(() => objectOfFields(fields, { scope, left: MAX_MODELS }, 0));
}

function orNone(read: () => JsonObject): FoundSchema {
  try {
    return { type: "schema", schema: read() };
  } catch (error) {
    if (!isBosunError(error)) throw error;
    return { type: "none", reason: error.message };
  }
}

function splitAtCommas(tokens: readonly Token[]): readonly (readonly Token[])[] {
  const parts: Token[][] = [[]];
  let depth = 0;
  for (const token of tokens) {
    if (token.type === "mark" && "([{".includes(token.text)) depth += 1;
    if (token.type === "mark" && ")]}".includes(token.text)) depth -= 1;
    if (depth === 0 && token.type === "mark" && token.text === ",") parts.push([]);
    else parts.at(-1)?.push(token);
  }
  return parts;
}

/** Thrown and caught in this file: what stops a schema is found deep in its types. */
function notPlain(reason: string): BosunError {
  return new BosunError("schema/invalid", reason);
}

function objectOf(name: string, reading: Reading, depth: number): JsonObject {
  const found = reading.scope.classNamed(name);
  if (!found)
    throw notPlain(`${name} is Python that is not in the crew's file, and Python is not run`);
  if (!found.bases.includes("BaseModel")) throw notPlain(`${name} is not a plain Pydantic model`);
  reading.left -= 1;
  if (depth > MAX_DEPTH || reading.left < 0)
    throw notPlain(`${name} is nested too deep to be read`);
  const fields = fieldsOf(found.body);
  if (fields.length === 0) throw notPlain(`${name} has no fields that can be read`);
  return objectOfFields(fields, reading, depth);
}

function objectOfFields(given: readonly Field[], reading: Reading, depth: number): JsonObject {
  const fields = given.map((field) => {
    const { description, initial } = field;
    const type = field.type.length > 0 ? createTypeReader(field.type, reading, depth).read() : {};
    const schema = {
      ...type,
      ...(description === undefined ? {} : { description }),
      ...(initial === undefined ? {} : { default: initial }),
    };
    return [field.name, schema, field] as const;
  });
  const required = fields.flatMap(([key, , { isRequired }]) => (isRequired ? [key] : []));
  const properties = Object.fromEntries(fields.map(([key, schema]) => [key, schema]));
  return { type: "object", properties, required, additionalProperties: false };
}

type Field = {
  readonly name: string;
  readonly type: readonly Token[];
  readonly description: string | undefined;
  /** Its default, where that is a plain value. */
  readonly initial: Json | undefined;
  readonly isRequired: boolean;
};

/** `name: type`, `name: type = value`, `name: type = Field(…, description="…")`. */
function fieldsOf(body: readonly Token[]): readonly Field[] {
  const starts = body.flatMap(({ isFirst }, index) => (isFirst ? [index] : []));
  return starts.flatMap((start, at) => {
    const line = body.slice(start, starts[at + 1] ?? body.length);
    const [name, colon] = line;
    if (name?.type !== "name" || colon?.text !== ":" || name.text === "model_config") return [];
    return fieldOf(line);
  });
}

/** `name`, `name: type`, and both with a value. */
function fieldOf(line: readonly Token[]): Field {
  const equals = line.findIndex(({ text }) => text === "=");
  const value = equals < 0 ? [] : line.slice(equals + 1);
  const described = value.findIndex(({ text }) => text === "description");
  return {
    name: line[0]?.text ?? "",
    type: line.slice(2, equals < 0 ? undefined : equals),
    description: described < 0 ? undefined : value[described + 2]?.value,
    initial: initialOf(value),
    isRequired: equals < 0 || isRequiredField(value),
  };
}

/** `= 3`, `= Field(3, …)`, `= Field(default=3, …)`, `= Field(default_factory=list)`. */
function initialOf(value: readonly Token[]): Json | undefined {
  if (value[0]?.text !== "Field") return literalOf(value);
  const given = splitAtCommas(value.slice(2, -1)); // between the brackets
  const named = (key: string): readonly Token[] | undefined =>
    given.find(([name, equals]) => name?.text === key && equals?.text === "=")?.slice(2);
  const factory = named("default_factory");
  if (factory?.length === 1 && factory[0]?.text === "list") return [];
  const [first] = given;
  const isPositional = first !== undefined && first[1]?.text !== "=";
  return literalOf(named("default") ?? (isPositional ? first : []));
}

const WORDS: ReadonlyMap<string, Json> = new Map<string, Json>([
  ["True", true],
  ["False", false],
  ["None", null],
]);

/** The value of one text, number or word, or of an empty list or dictionary. */
function literalOf(tokens: readonly Token[]): Json | undefined {
  const [first, second, ...others] = tokens;
  if (!first || others.length > 0) return undefined;
  if (!second) {
    if (first.type === "number") return Number(first.text.replaceAll("_", ""));
    return first.type === "text" ? first.value : WORDS.get(first.text);
  }
  const pair = `${first.text}${second.text}`;
  if (first.text === "-" && second.type === "number")
    return -Number(second.text.replaceAll("_", ""));
  return pair === "[]" ? [] : pair === "{}" ? {} : undefined;
}

/** `Field(...)` and `Field(description=…)` have no default. */
function isRequiredField(value: readonly Token[]): boolean {
  if (value[0]?.text !== "Field") return false;
  if (value[2]?.text === ".") return true;
  const hasPositional = value[2]?.text !== ")" && value[3]?.text !== "=";
  return (
    !hasPositional && !value.some(({ text }) => text === "default" || text === "default_factory")
  );
}

const PLAIN: Readonly<Record<string, JsonObject>> = {
  str: { type: "string" },
  int: { type: "integer" },
  float: { type: "number" },
  bool: { type: "boolean" },
  dict: { type: "object" },
  Dict: { type: "object" },
  Any: {},
  None: { type: "null" },
  HttpUrl: { type: "string" },
  date: { type: "string" },
  datetime: { type: "string" },
};

/** Reads one type: `str`, `List[str]`, `Optional[X]`, `X | None`, `Literal["a"]`, another model. */
function createTypeReader(
  tokens: readonly Token[],
  reading: Reading,
  depth: number,
): { read(): JsonObject } {
  let at = 0;
  const take = (text: string): boolean => tokens[at]?.text === text && ++at > 0;

  function read(): JsonObject {
    const first = one();
    const others: JsonObject[] = [];
    while (take("|")) others.push(one());
    return others.length > 0 ? { anyOf: [first, ...others] } : first;
  }

  function one(): JsonObject {
    const token = tokens[at++];
    if (!token || (token.type !== "name" && token.type !== "text"))
      throw notPlain("a type of its fields is not plain");
    const name = token.type === "text" ? (token.value ?? "") : token.text;
    const inner = take("[") ? args(name) : [];
    if (["list", "List", "set", "Set", "Sequence"].includes(name))
      return { type: "array", items: inner[0] ?? {} };
    if (name === "Optional") return { anyOf: [inner[0] ?? {}, { type: "null" }] };
    if (name === "Union") return { anyOf: inner };
    if (name === "Literal")
      return { enum: inner.flatMap((item) => ("const" in item ? [item["const"] ?? null] : [])) };
    return Object.hasOwn(PLAIN, name) ? (PLAIN[name] ?? {}) : objectOf(name, reading, depth + 1);
  }

  /** Up to the closing bracket. */
  function args(of: string): readonly JsonObject[] {
    const found: JsonObject[] = [];
    while (at < tokens.length && !take("]")) {
      const token = tokens[at];
      if (of === "Literal" && token?.value !== undefined) {
        at += 1;
        found.push({ const: token.value });
      } else found.push(read());
      take(",");
    }
    return found;
  }

  return { read };
}
