// A request's body as JSON, bounded in bytes and in depth before anything else looks at it.

import { BosunError } from "../../error.ts";
import { parseJson } from "../../json.ts";

/** Deepest nesting of a body. A tool's schema in a request needs about 20. */
const MAX_DEPTH = 100;

/**
 * The parsed body.
 * @throws BosunError `server/too-large` as soon as it is over `maxBytes`, `server/bad-request` when it is no JSON or too deep.
 */
export async function readJsonBody(request: Request, maxBytes: number): Promise<unknown> {
  const text = await readText(request, maxBytes);
  if (depthOf(text) > MAX_DEPTH) {
    throw new BosunError(
      "server/bad-request",
      `the body is nested deeper than ${MAX_DEPTH} levels`,
    );
  }
  const value = parseJson(text);
  if (value === undefined) {
    throw new BosunError("server/bad-request", "the body is no JSON: send application/json");
  }
  return value;
}

/** Counted while it arrives: a Content-Length may be missing. */
async function readText(request: Request, maxBytes: number): Promise<string> {
  const stated = Number(request.headers.get("content-length") ?? 0);
  if (stated > maxBytes) throw tooLarge(maxBytes);
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // `as`: a web stream is async-iterable in Node, its type here says nothing of it
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(maxBytes);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function tooLarge(maxBytes: number): BosunError {
  return new BosunError("server/too-large", `the body is larger than ${maxBytes} bytes`, {
    details: { maxBytes },
  });
}

/** Deepest nesting of brackets outside strings. A loop, because a regular expression over a string of 1 MiB may run out of stack. */
function depthOf(text: string): number {
  let depth = 0;
  let deepest = 0;
  let isString = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (isString && char === "\\") at++;
    else if (char === '"') isString = !isString;
    else if (isString) continue;
    else if (char === "[" || char === "{") deepest = Math.max(deepest, ++depth);
    else if (char === "]" || char === "}") depth--;
  }
  return deepest;
}
