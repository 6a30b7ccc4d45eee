// Errors of runs on the server, both ways: a run's end with its code, and what the server itself says of a run.

import { BosunError, isBosunError, messageOf } from "../../../error.ts";
import { isObject, type Json } from "../../../json.ts";
import { fromErrorJson, toErrorJson } from "../sqlite/value.ts";
import type { RestateSdk } from "./sdk.ts";

const METADATA = "bosun";
/** What fits into a journal entry many times over. */
const MAX_BYTES = 262_144;
const MAX_MESSAGE = 4_096;

/** The error that ends a run for good: the server tries nothing again by itself. */
export function toTerminal(error: unknown, sdk: RestateSdk): Error {
  const json = toErrorJson(error);
  const text = JSON.stringify(json);
  const short =
    Buffer.byteLength(text) <= MAX_BYTES
      ? text
      : JSON.stringify({
          ...(json as object), // `as`: an error's JSON is an object
          message: messageOf(error).slice(0, MAX_MESSAGE),
          details: undefined,
        });
  const code = isBosunError(error) ? `${error.code}: ` : "";
  return new sdk.TerminalError(`${code}${messageOf(error).slice(0, MAX_MESSAGE)}`, {
    errorCode: 500,
    metadata: { [METADATA]: short },
  });
}

/** The error that the server tells of a run. */
export function fromTerminal(body: Json, runId: string): Error {
  const metadata = isObject(body) ? body["metadata"] : undefined;
  const text = isObject(metadata) ? metadata[METADATA] : undefined;
  if (typeof text === "string") return fromErrorJson(JSON.parse(text) as Json); // `as`: toTerminal made it
  const message = isObject(body) ? body["message"] : undefined;
  if (isObject(body) && body["code"] === 409)
    return new BosunError("run/cancelled", `run ${runId} was ended: ${messageOf(message)}`);
  return new BosunError("run/failed", `run ${runId}: ${messageOf(message)}`);
}

/** What a list tells of a run's failure: "[500] code: message" is how the server says it. */
export function readFailure(text: string): {
  readonly isCancelled: boolean;
  readonly message: string;
} {
  const message = text.replace(/^\[\d+\] /, "");
  const isCancelled = message.startsWith("run/cancelled: ") || text.startsWith("[409]");
  return { isCancelled, message: message.replace(/^[a-z]+\/[a-z-]+: /, "") };
}
