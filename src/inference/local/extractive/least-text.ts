// A string that fits its schema and says nothing. It shows that a schema can be filled at all; it is never part of an answer.

import type { JsonObject } from "../../../json.ts";
import { matchOf } from "./pattern.ts";
import { numberAt } from "./shape.ts";
import { lengthOf } from "./span.ts";

/** Longest string that is made for a `minLength`. In characters. */
const MAX_PADDED = 20_000;

/** A string for the schema made of `word`, or of its pattern or format alone. */
export function leastText(schema: JsonObject, word: string): string | undefined {
  const { format, pattern } = schema;
  const least = numberAt(schema, "minLength") ?? 0;
  const most = numberAt(schema, "maxLength") ?? Number.POSITIVE_INFINITY;
  if (typeof pattern === "string") return matchOf(pattern, least);
  if (typeof format === "string" && Object.hasOwn(LEAST, format)) return LEAST[format];
  const times = Math.ceil(Math.min(least, MAX_PADDED) / lengthOf(word));
  const long = Array.from({ length: Math.max(1, times) }, () => word).join(" ");
  return Array.from(long).slice(0, Math.min(most, MAX_PADDED)).join("");
}

const LEAST: Readonly<Record<string, string>> = {
  date: "1970-01-01",
  "date-time": "1970-01-01T00:00:00Z",
  time: "00:00:00Z",
  duration: "P0D",
  email: "none@example.invalid",
  hostname: "example.invalid",
  ipv4: "0.0.0.0",
  ipv6: "::",
  uri: "about:blank",
  url: "about:blank",
  "uri-reference": "#",
  uuid: "00000000-0000-0000-0000-000000000000",
};
