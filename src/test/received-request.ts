// A request that a fault server got, as a test looks at it.

import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import { BosunError } from "../error.ts";
import { parseJson } from "../json.ts";

/** A request as it came in. `body` is the parsed JSON, undefined when there was none. */
export type ReceivedRequest = {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
};

/**
 * The request with its whole body.
 * @throws BosunError `server/failed` for a body over 64 MiB; the socket's own error when the client leaves amid it.
 */
export async function readRequest(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const parts: Buffer[] = [];
  let bytes = 0;
  // `as`: no encoding is set
  for await (const part of incoming as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_BODY_BYTES) {
      throw new BosunError("server/failed", `fault server: a body over ${MAX_BODY_BYTES} bytes`);
    }
    parts.push(part);
  }
  const { method = "", url = "", headers } = incoming;
  return { method, path: url, headers, body: parseJson(Buffer.concat(parts).toString("utf8")) };
}

/** The path without its query. */
export function routeOf(request: ReceivedRequest): string {
  return request.path.replace(/\?.*$/, "");
}

/** More than any prompt of a test. */
const MAX_BODY_BYTES = 64 * 1024 * 1024;
