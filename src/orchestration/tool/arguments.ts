// From the text that a model wrote to the arguments that a tool gets: read, rid of what the schema forbids, validated.

import { BosunError } from "../../error.ts";
import { isObject, type Json, type JsonObject } from "../../json.ts";
import { type Schema, toJsonSchema, validate } from "../../schema.ts";
import { readLenientJson } from "./lenient-json.ts";
import { signatureOf } from "./signature.ts";
import type { Tool } from "./tool.ts";

/** A call's arguments: as the model meant them, and as the schema passes them on (defaults filled in, transforms done). */
export type ToolArguments = { readonly given: JsonObject; readonly validated: unknown };

/** Most characters of a call's arguments. */
const MAX_TEXT = 1_048_576;

/**
 * Reads and validates a model's arguments.
 * @throws BosunError `tool/arguments` that says what is wrong, where, and what was expected.
 */
export async function readArguments(tool: Tool, text: string): Promise<ToolArguments> {
  const schema = await jsonSchemaOf(tool.parameters);
  const given = givenIn(tool, schema, text);
  const validation = await validate(tool.parameters, given);
  if (validation.type === "valid") return { given, validated: validation.value };
  throw refusal(tool, schema, `the arguments do not fit: ${validation.issues.join("; ")}`);
}

/** The arguments as the model meant them; they are not validated. @throws BosunError `tool/arguments`. */
export async function readGiven(tool: Tool, text: string): Promise<JsonObject> {
  return givenIn(tool, await jsonSchemaOf(tool.parameters), text);
}

function givenIn(tool: Tool, schema: JsonObject | undefined, text: string): JsonObject {
  const refuse = (what: string): BosunError => refusal(tool, schema, what);
  if (text.length > MAX_TEXT) {
    throw refuse(`the arguments have ${text.length} characters, the limit is ${MAX_TEXT}`);
  }
  const read = readObject(text);
  if (read.type === "wrong") throw refuse(read.what);
  return schema ? withoutForbidden(read.value, schema) : read.value;
}

function refusal(tool: Tool, schema: JsonObject | undefined, what: string): BosunError {
  const expected = schema ? `. Expected ${signatureOf(schema)}` : "";
  return new BosunError("tool/arguments", `tool ${tool.name}: ${what}${expected}`);
}

/** Undefined when the schema has no JSON form: then nothing is known of it but what it says of a value. */
async function jsonSchemaOf(schema: Schema): Promise<JsonObject | undefined> {
  try {
    return await toJsonSchema(schema);
  } catch {
    return undefined; // whoever describes the tool to a model reports it, before any call
  }
}

/** What a model's arguments are before any schema: an object, or what is wrong with the text. */
export type ReadObject =
  | { readonly type: "object"; readonly value: JsonObject }
  | { readonly type: "wrong"; readonly what: string };

/** Takes no text for no arguments, and once an object that was written as a JSON text inside JSON. */
export function readObject(text: string, isInner: boolean = false): ReadObject {
  const body = withoutFence(text);
  if (body === "") return { type: "object", value: {} };
  const read = readLenientJson(body);
  if (read.type === "fault") {
    return { type: "wrong", what: faultText(body, read.position, read.expected) };
  }
  const { value } = read;
  if (value === null) return { type: "object", value: {} };
  if (isJsonObject(value)) return { type: "object", value };
  const inner = typeof value === "string" && !isInner ? readObject(value, true) : undefined;
  if (inner?.type === "object") return inner;
  const kind = Array.isArray(value) ? "a list" : `a ${typeof value}`;
  return { type: "wrong", what: `the arguments must be a JSON object, got ${kind}` };
}

/** The text inside a Markdown code fence around the whole of it. */
function withoutFence(text: string): string {
  const trimmed = text.trim();
  if (!trimmed.startsWith("```") || !trimmed.endsWith("```") || trimmed.length < 6) return trimmed;
  return trimmed
    .slice(3, -3)
    .replace(/^\w*\s/, "")
    .trim();
}

function faultText(text: string, position: number, expected: string): string {
  const start = Math.max(0, position - 20);
  const near = JSON.stringify(text.slice(start, position + 20));
  if (position < text.length) {
    return `the arguments are not JSON at position ${position}, near ${near}: expected ${expected}`;
  }
  return `the arguments end too early, at position ${position}, after ${near}: expected ${expected}`;
}

/** Models add keys of their own; where the schema allows no others, they are left out instead of refused. */
function withoutForbidden(given: JsonObject, schema: JsonObject): JsonObject {
  const { additionalProperties, patternProperties, properties } = schema;
  if (additionalProperties !== false || patternProperties !== undefined || !isObject(properties)) {
    return given;
  }
  return Object.fromEntries(
    Object.entries(given).filter(([key]) => Object.hasOwn(properties, key)),
  );
}

function isJsonObject(value: Json): value is JsonObject {
  return isObject(value);
}
