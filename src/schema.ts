// Schemas: Standard Schema (zod, valibot, arktype, …) or JSON Schema, seen as one thing that describes and validates.
//
// A model is shown the *input* side of a schema (what it must write); the caller gets the *output* side (after transforms).

import type { Validator } from "@cfworker/json-schema"; // loaded at the first JSON Schema: it takes 6 to 12 ms
import { BosunError, messageOf } from "./error.ts";
import { isObject, type Json, type JsonObject, ownValue } from "./json.ts";

/** The part of the Standard Schema interface that Bosun uses. Source: standardschema.dev, version 1, with its JSON Schema extension. */
export type StandardSchema<Output = unknown> = {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
    readonly jsonSchema?: {
      readonly input: (options: { readonly target: "draft-2020-12" }) => Record<string, unknown>;
    };
  };
};

type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | {
      readonly issues: readonly {
        readonly message: string;
        readonly path?: readonly unknown[] | undefined;
      }[];
    };

/** Anything that Bosun takes as a schema. A JSON Schema's output type is Json. */
export type Schema<Output = unknown> = StandardSchema<Output> | JsonObject;

/** What a schema lets through. */
export type OutputOf<S> = S extends {
  readonly "~standard": { readonly types?: { readonly output: infer Output } | undefined };
}
  ? Output
  : Json;

/** A validated value, or what is wrong with it: one line an issue, each with its place. */
export type Validation =
  | { readonly type: "valid"; readonly value: unknown }
  | { readonly type: "invalid"; readonly issues: readonly string[] };

/** Most issues that are reported at once: enough to mend, short enough to send to a model. */
const MAX_ISSUES = 10;

/** True for a Standard Schema; anything else is taken as JSON Schema. */
export function isStandardSchema(schema: unknown): schema is StandardSchema {
  return (
    (typeof schema === "object" || typeof schema === "function") &&
    schema !== null &&
    "~standard" in schema
  );
}

/** Converted once for each schema object; freed with it. */
const converted = new WeakMap<object, JsonObject>();

/**
 * The JSON Schema that a model is shown, converted once for each schema object.
 * @throws BosunError `schema/no-converter` when the library has none, which names the converter to install; `schema/invalid` for a
 *   JSON Schema that cannot be used.
 */
export async function toJsonSchema(schema: Schema): Promise<JsonObject> {
  if (!isStandardSchema(schema)) return checkJsonSchema(schema);
  const json = converted.get(schema) ?? (await convert(schema));
  converted.set(schema, json);
  return json;
}

/** A schema whose references lead nowhere is found before it is used: afterwards a model would have been paid. */
async function checkJsonSchema(schema: JsonObject): Promise<JsonObject> {
  try {
    (await validatorOf(schema)).validate(null);
    return schema;
  } catch (cause) {
    throw new BosunError("schema/invalid", `this JSON Schema cannot be used: ${messageOf(cause)}`, {
      cause,
    });
  }
}

async function convert(schema: StandardSchema): Promise<JsonObject> {
  const { vendor, jsonSchema } = schema["~standard"];
  try {
    if (jsonSchema) return withoutDialect(jsonSchema.input({ target: "draft-2020-12" }));
    if (vendor === "zod") {
      const { z } = await import("zod");
      return withoutDialect(z.toJSONSchema(schema as never, { io: "input" })); // `as`: a zod schema of another copy of zod
    }
  } catch (cause) {
    throw new BosunError(
      "schema/no-converter",
      `this ${vendor} schema has no JSON Schema form: ${String(cause)}. Use types that JSON has, or give JSON Schema`,
      { cause },
    );
  }
  const converter = ownValue(CONVERTERS, vendor) ?? `a JSON Schema converter for ${vendor}`;
  throw new BosunError(
    "schema/no-converter",
    `a schema of ${vendor} cannot be turned into JSON Schema by itself: wrap it with ${converter}, or give JSON Schema`,
  );
}

/** Checks a value against a schema. Never throws for a wrong value. */
export async function validate(schema: Schema, value: unknown): Promise<Validation> {
  if (isStandardSchema(schema)) {
    const result = await schema["~standard"].validate(value);
    if (!result.issues) return { type: "valid", value: result.value };
    return {
      type: "invalid",
      issues: result.issues
        .slice(0, MAX_ISSUES)
        .map((issue) => `${pathOf(issue.path)}: ${issue.message}`),
    };
  }
  const result = (await validatorOf(schema)).validate(value);
  if (result.valid) return { type: "valid", value };
  // The validator reports a leaf's fault for each of its parents too; only the leaves say what to mend.
  const leaves = result.errors.filter((error) => !WRAPPERS.has(error.keyword));
  const issues = (leaves.length > 0 ? leaves : result.errors).slice(0, MAX_ISSUES);
  return {
    type: "invalid",
    issues: issues.map(
      (error) => `${error.instanceLocation.replace(/^#/, "value")}: ${error.error}`,
    ),
  };
}

const CONVERTERS: Readonly<Record<string, string>> = {
  valibot: "toStandardJsonSchema of @valibot/to-json-schema",
  effect: "Schema.toStandardJSONSchemaV1",
  zod: "zod 4 (this schema comes from zod 3)",
};

const WRAPPERS: ReadonlySet<string> = new Set([
  "properties",
  "items",
  "prefixItems",
  "allOf",
  "anyOf",
  "oneOf",
  "$ref",
  "additionalProperties",
]);

/** Compiled once for each schema object; freed with it. */
const validators = new WeakMap<object, Validator>();

async function validatorOf(schema: JsonObject): Promise<Validator> {
  let validator = validators.get(schema);
  if (!validator) {
    const library = await import("@cfworker/json-schema");
    validator = new library.Validator(schema, "2020-12", false);
    validators.set(schema, validator);
  }
  return validator;
}

function withoutDialect(schema: unknown): JsonObject {
  if (!isObject(schema)) return {};
  const { $schema: _dialect, ...rest } = schema;
  return rest as JsonObject; // `as`: a converter's output is JSON by its contract
}

function pathOf(path: readonly unknown[] | undefined): string {
  const keys = (path ?? []).map((part) => String(isObject(part) ? part["key"] : part));
  return keys.length > 0 ? `value/${keys.join("/")}` : "value";
}
