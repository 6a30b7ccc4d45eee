// JSON Schemas from a seed: satisfiable by construction, and as odd as schemas of tools and tasks get.

import type { Json, JsonObject } from "../../../../src/json.ts";

/** A number from 0 to below 1, the same sequence for the same seed. */
export function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const NAMES = [
  "fact",
  "source",
  "title",
  "summary",
  "count",
  "score",
  "tags",
  "isValid",
  "maxTokens",
  "items",
  "verdict",
  "gpu",
  "price_usd",
  "section",
  "id",
];
const PATTERNS = [
  "^[A-Z]{2,4}$",
  "^\\d{4}-\\d{2}$",
  "^(low|mid|high)-[a-z]+$",
  "^[^\\s]+@[^\\s]+$",
  "^.{5,}$",
  "^v\\d+\\.\\d+(?:\\.\\d+)?$",
  "[aeiou]",
];
const FORMATS = ["date", "date-time", "email", "uri", "uuid", "ipv4"];

/** An object's schema with definitions that its parts may refer to. */
export function randomSchema(random: () => number): JsonObject {
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T; // not empty
  const upTo = (most: number): number => Math.floor(random() * (most + 1));

  const string = (): JsonObject => {
    const kind = upTo(5);
    if (kind === 0) return { type: "string", pattern: pick(PATTERNS) };
    if (kind === 1) return { type: "string", format: pick(FORMATS) };
    if (kind === 2) return { type: "string", minLength: upTo(300), maxLength: 300 + upTo(300) };
    if (kind === 3) return { type: "string", maxLength: 1 + upTo(40) };
    return { type: "string", description: "What the KV cache holds" };
  };
  const number = (): JsonObject => {
    const low = upTo(50) - 25;
    const kind = upTo(4);
    if (kind === 0) return { type: "integer", minimum: low, maximum: low + upTo(20) };
    if (kind === 1) return { type: "number", exclusiveMinimum: low, exclusiveMaximum: low + 1 };
    if (kind === 2) return { type: "integer", multipleOf: 1 + upTo(9), minimum: low };
    if (kind === 3) return { type: "number", multipleOf: 0.5, maximum: low };
    return { type: pick(["integer", "number"]) };
  };
  const array = (depth: number): JsonObject => {
    const least = upTo(3);
    const isUnique = random() < 0.3;
    const items = isUnique
      ? pick<JsonObject>([{ type: "string" }, { type: "integer" }])
      : node(depth + 1);
    const bounds = {
      ...(random() < 0.5 ? { minItems: least } : {}),
      ...(random() < 0.5 ? { maxItems: least + upTo(4) } : {}),
    };
    return { type: "array", items, ...bounds, ...(isUnique ? { uniqueItems: true } : {}) };
  };
  const object = (depth: number): JsonObject => {
    const names = NAMES.filter(() => random() < 0.3);
    const properties = Object.fromEntries(names.map((name) => [name, node(depth + 1)]));
    const required = names.filter(() => random() < 0.6);
    const isClosed = random() < 0.6;
    return {
      type: "object",
      properties,
      required,
      ...(isClosed ? { additionalProperties: false } : {}),
      ...(random() < 0.2 ? { minProperties: names.length } : {}),
    };
  };
  const node = (depth: number): JsonObject => {
    const kind = depth > 4 ? upTo(4) : upTo(10);
    const options: readonly (() => JsonObject)[] = [
      string,
      number,
      () => ({ type: "boolean" }),
      () => ({ enum: [pick(["low", 1, null]), "medium", "high"] as Json }),
      () => ({ const: pick<Json>(["fixed", 7, true, { a: 1 }]) }),
      () => array(depth),
      () => object(depth),
      () => ({ anyOf: [{ type: "null" }, node(depth + 1)] }),
      () => ({ oneOf: [{ type: "string", maxLength: 80 }, { type: "integer" }] }),
      () => ({ $ref: "#/$defs/Part" }),
      () => ({
        allOf: [
          { type: "object", properties: { a: { type: "string" } }, required: ["a"] },
          { properties: { b: { type: "integer", minimum: 1 } }, required: ["b"] },
        ],
      }),
    ];
    return (options[kind] ?? string)();
  };
  const part: JsonObject = {
    type: "object",
    properties: {
      text: { type: "string" },
      parts: { type: "array", items: { $ref: "#/$defs/Part" }, maxItems: 2 },
    },
    required: ["text"],
  };
  return { ...object(0), $defs: { Part: part } };
}
