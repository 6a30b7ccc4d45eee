// Values in the journal's file: JSON text in the row, or the name of a blob when it is too long for one.

import type { Blobs } from "../../../blob.ts";
import {
  BosunError,
  fromErrorData,
  isBosunError,
  messageOf,
  type ErrorData,
} from "../../../error.ts";
import { isJson, isObject, type Json, notJsonIn } from "../../../json.ts";
import { MAX_VALUE_BYTES } from "./schema.ts";

/** A value as a row has it: null for undefined. JSON text never begins as a blob's name does. */
export type Stored = string | null;

const BLOB = "blob:";

/** @param what For the message: "the result of step x". @throws BosunError `durable/value` for what is no JSON, `store/failed`. */
export function toStored(value: Json | undefined, what: string, blobs: Blobs): Stored {
  if (value === undefined) return null;
  if (!isJson(value))
    throw new BosunError(
      "durable/value",
      `${what} is not JSON (${notJsonIn(value)}), and could not be given to a body again. Return plain objects, arrays, texts, finite numbers, true, false or null`,
    );
  const text = JSON.stringify(value);
  // A UTF-16 unit is at most 3 bytes of UTF-8: most texts need no count.
  if (text.length * 3 <= MAX_VALUE_BYTES || Buffer.byteLength(text) <= MAX_VALUE_BYTES) return text;
  return `${BLOB}${blobs.put(text)}`;
}

/** @throws BosunError `store/failed` for a blob that is not there, or a text that is damaged. */
export function fromStored(stored: Stored, blobs: Blobs): Json | undefined {
  if (stored === null) return undefined;
  const name = blobOf(stored);
  try {
    return JSON.parse(name === undefined ? stored : blobs.get(name)) as Json; // `as`: JSON text
  } catch (cause) {
    if (isBosunError(cause)) throw cause;
    throw new BosunError("store/failed", `a value in the journal is damaged: ${messageOf(cause)}`, {
      cause,
    });
  }
}

/** The blob that a stored value is; undefined for one in its row. */
export function blobOf(stored: Stored): string | undefined {
  return stored?.startsWith(BLOB) ? stored.slice(BLOB.length) : undefined;
}

/** An error as data. What is no BosunError keeps its name and message. */
export function toErrorJson(error: unknown): Json {
  if (isBosunError(error)) {
    const { code, message, retryable, details } = error;
    return { code, message, retryable, ...(details ? { details } : {}) };
  }
  const name = error instanceof Error ? error.name : "Error";
  return { name, message: messageOf(error) };
}

/** The error that the data was made from. */
export function fromErrorJson(data: Json | undefined): Error {
  if (isObject(data) && typeof data["code"] === "string")
    return fromErrorData(data as unknown as ErrorData); // `as`: toErrorJson made it
  const { name, message } = isObject(data) ? data : {};
  const error = new Error(typeof message === "string" ? message : "");
  error.name = typeof name === "string" ? name : "Error";
  return error;
}
