// One GET request to one address: the name was resolved and checked by the caller, and is not resolved again.

import http from "node:http";
import https from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { BosunError, messageOf } from "../../error.ts";

/** A server's answer. `location` is set for a redirect, whose body is not read. */
export type Answer = {
  readonly status: number;
  readonly location: string | undefined;
  /** The content-type header, lower case; empty when there is none. */
  readonly type: string;
  readonly body: Buffer;
  /** True when the body goes on beyond `maxBytes`. */
  readonly isCut: boolean;
};

/** What a request may take. */
export type GetOptions = {
  /** Where the connection goes to, whatever the name resolves to now: a second look-up could give another answer (rebinding). */
  readonly address: string;
  readonly maxBytes: number;
  readonly signal: AbortSignal;
};

/**
 * Sends the request and reads the answer.
 * @throws BosunError `tool/failed` when there is none, or the signal's reason.
 */
export async function httpGet(url: URL, options: GetOptions): Promise<Answer> {
  const { signal, maxBytes } = options;
  let response: http.IncomingMessage | undefined;
  try {
    response = await send(url, options);
    const status = response.statusCode ?? 0;
    const { location } = response.headers;
    const isRedirect = status >= 300 && status < 400 && location !== undefined;
    const { body, isCut } = isRedirect
      ? { body: Buffer.alloc(0), isCut: false }
      : await readBody(response, maxBytes);
    return {
      status,
      location: isRedirect ? location : undefined,
      type: (response.headers["content-type"] ?? "").toLowerCase(),
      body,
      isCut,
    };
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof BosunError) throw cause;
    throw new BosunError("tool/failed", `no answer from ${url.host}: ${messageOf(cause)}`, {
      cause,
    });
  } finally {
    response?.destroy(); // an answer that is refused or not read to its end would keep its connection open
  }
}

function send(url: URL, { address, signal }: GetOptions): Promise<http.IncomingMessage> {
  const lookup: LookupFunction = (_name, { all }, done) => {
    const family = isIP(address);
    if (all) done(null, [{ address, family }]);
    else done(null, address, family);
  };
  return new Promise((resolve, reject) => {
    const { request } = url.protocol === "https:" ? https : http;
    // No agent: a pooled connection to this name could go to another address.
    const sent = request(url, {
      lookup,
      signal,
      agent: false,
      maxHeaderSize: 32_768,
      headers: HEADERS,
    });
    sent.once("response", resolve);
    sent.on("error", reject); // on, not once: a second error without a listener would end the process
    sent.end();
  });
}

/** identity: a small compressed body could be of any size once unpacked. */
const HEADERS = {
  "user-agent": "bosun",
  accept: "text/html, text/*;q=0.9, application/json;q=0.9, */*;q=0.1",
  "accept-encoding": "identity",
};

async function readBody(
  response: http.IncomingMessage,
  maxBytes: number,
): Promise<{ readonly body: Buffer; readonly isCut: boolean }> {
  const encoding = response.headers["content-encoding"] ?? "identity";
  if (encoding !== "identity") {
    throw new BosunError(
      "tool/refused",
      `the answer is compressed (${encoding}) although that was not asked for`,
    );
  }
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    const part: Buffer = chunk; // no encoding is set: every chunk is a Buffer
    chunks.push(part);
    bytes += part.length;
    if (bytes > maxBytes) break;
  }
  return { body: Buffer.concat(chunks).subarray(0, maxBytes), isCut: bytes > maxBytes };
}
