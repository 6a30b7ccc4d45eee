// Pydantic models as JSON Schema, as far as they are plain: fields of texts, numbers, lists and other models of the same file.

import { BosunError, isBosunError } from "../../../error.ts";
import type { JsonObject } from "../../../json.ts";
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
  try {
    return { type: "schema", schema: objectOf(name, { scope, left: MAX_MODELS }, 0) };
  } catch (error) {
    if (!isBosunError(error)) throw error;
    return { type: "none", reason: error.message };
  }
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
  const fields = fieldsOf(found.body).map((field) => {
    const type = createTypeReader(field.type, reading, depth).read();
    return [
      field.name,
      field.description === undefined ? type : { ...type, description: field.description },
      field,
    ] as const;
  });
  if (fields.length === 0) throw notPlain(`${name} has no fields that can be read`);
  const required = fields.flatMap(([key, , { isRequired }]) => (isRequired ? [key] : []));
  const properties = Object.fromEntries(fields.map(([key, schema]) => [key, schema]));
  return { type: "object", properties, required, additionalProperties: false };
}

type Field = {
  readonly name: string;
  readonly type: readonly Token[];
  readonly description: string | undefined;
  readonly isRequired: boolean;
};

/** `name: type`, `name: type = value`, `name: type = Field(…, description="…")`. */
function fieldsOf(body: readonly Token[]): readonly Field[] {
  const starts = body.flatMap(({ isFirst }, index) => (isFirst ? [index] : []));
  return starts.flatMap((start, at) => {
    const line = body.slice(start, starts[at + 1] ?? body.length);
    const [name, colon] = line;
    if (name?.type !== "name" || colon?.text !== ":" || name.text === "model_config") return [];
    const equals = line.findIndex(({ text }) => text === "=");
    const value = equals < 0 ? [] : line.slice(equals + 1);
    const described = value.findIndex(({ text }) => text === "description");
    const description = described < 0 ? undefined : value[described + 2]?.value;
    const type = line.slice(2, equals < 0 ? undefined : equals);
    return [
      { name: name.text, type, description, isRequired: equals < 0 || isRequiredField(value) },
    ];
  });
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
