// Why an answer ended, in the words of the AI SDK. Pure.

import { isObject } from "../../../json.ts";
import { MAX_NAME } from "../message.ts";
import type { Finish } from "../model.ts";

/**
 * The finish as any version of the specification has it: one word in v2, `{ unified, raw }` since. "cut" = the provider says that the
 * answer has no end of its own, "failed" = that an error ended it.
 */
export function fromSdkFinish(finish: unknown): Finish | "cut" | "failed" {
  const word = isObject(finish) ? finish["unified"] : finish;
  const said = isObject(finish) ? finish["raw"] : undefined;
  const raw = typeof said === "string" ? said.slice(0, MAX_NAME) : undefined;
  switch (word) {
    case "stop":
    case "length":
    case "tool-calls":
    case "content-filter":
      return { unified: word, raw: raw ?? word };
    case "error":
      return "failed";
    case "interrupted": // v4
    case "unknown": // v2: "the model has not transmitted a finish reason"
      return "cut";
    default:
      // Providers say "other" without a word of the server when a stream has just ended.
      return raw === undefined ? "cut" : { unified: "other", raw };
  }
}
