// The canned server: an OpenAI-compatible endpoint in its own process that answers every call with the same 200 tokens.
//
// The path says how: /<writes>/v1, with the writes of canned.ts. All bytes are made once: what it costs is mostly the kernel's, and
// none of it is counted, because only the clients' processes are measured.

import http from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import {
  MODEL,
  PACE_MS,
  REPLY,
  REPLY_TOKENS,
  SLOW_FIRST_MS,
  SLOW_NEXT_MS,
  TOKENS,
  WRITES,
  type Writes,
} from "./canned.ts";
import { answerParent } from "./child.ts";

/** What the server saw since it was last asked. */
export type ServerStats = {
  readonly requests: number;
  readonly streamed: number;
  /** Requests whose prompt holds an earlier reply. */
  readonly carrying: number;
  readonly promptBytes: number;
  /** Most requests that were open at once. */
  readonly peakOpen: number;
  /** Connections that were opened. */
  readonly connections: number;
};

const NO_STATS = {
  requests: 0,
  streamed: 0,
  carrying: 0,
  promptBytes: 0,
  peakOpen: 0,
  connections: 0,
};
const USAGE = { prompt_tokens: 420, completion_tokens: TOKENS, total_tokens: 420 + TOKENS };
/** Connections that may wait to be accepted: a thousand come at once. */
const BACKLOG = 4_096;

let stats: { -readonly [Key in keyof ServerStats]: number } = { ...NO_STATS };
let open = 0;

const EVENTS = REPLY_TOKENS.map((content, index) =>
  event({ choices: [choice(index === 0 ? { role: "assistant", content } : { content }, null)] }),
);
const LAST =
  event({ choices: [choice({}, "stop")] }) +
  event({ choices: [], usage: USAGE }) +
  "data: [DONE]\n\n";
const ONE_EACH = [...EVENTS.map((text) => Buffer.from(text)), Buffer.from(LAST)];
const TEN = Array.from({ length: 10 }, (_, part) => {
  const size = TOKENS / 10;
  const text = EVENTS.slice(part * size, (part + 1) * size).join("");
  return Buffer.from(part === 9 ? text + LAST : text);
});
const WHOLE = JSON.stringify({
  ...envelope("chat.completion"),
  choices: [
    {
      index: 0,
      message: { role: "assistant", content: REPLY },
      logprobs: null,
      finish_reason: "stop",
    },
  ],
  usage: USAGE,
});
const MODELS = JSON.stringify({
  object: "list",
  data: [{ id: MODEL, object: "model", owned_by: "vllm", max_model_len: 32_768 }],
});

const server = http.createServer({ keepAliveTimeout: 600_000 }, (request, response) => {
  const [, writes = "", ...rest] = (request.url ?? "").split("/");
  const route = rest.join("/");
  if (!isWrites(writes)) refuse(response);
  else if (request.method === "GET" && route === "v1/models") sendJson(response, MODELS);
  else if (request.method === "POST" && route === "v1/chat/completions")
    complete(request, response, writes);
  else refuse(response);
});
server.on("connection", (socket) => {
  stats.connections++;
  socket.setNoDelay(true);
});
server.listen({ port: 0, host: "127.0.0.1", backlog: BACKLOG }, () =>
  answerParent({
    origin: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`, // `as`: it listens on TCP
    stats(): ServerStats {
      const seen = stats;
      stats = { ...NO_STATS, peakOpen: open };
      return seen;
    },
  }),
);

function complete(
  request: http.IncomingMessage,
  response: http.ServerResponse,
  writes: Writes,
): void {
  let body = "";
  open++;
  response.on("close", () => open--);
  request.setEncoding("utf8");
  request.on("data", (text: string) => (body += text));
  request.on("end", () => {
    const isStreamed = /"stream":\s*true/.test(body);
    stats.requests++;
    stats.streamed += isStreamed ? 1 : 0;
    stats.carrying += body.includes(REPLY) ? 1 : 0;
    stats.promptBytes += body.length;
    stats.peakOpen = Math.max(stats.peakOpen, open);
    if (isStreamed) void send(response, writes);
    else sendJson(response, WHOLE);
  });
}

/** Each write has a turn of the event loop for itself, or Node would join them in one packet. */
async function send(response: http.ServerResponse, writes: Writes): Promise<void> {
  response.writeHead(200, {
    "content-type": "text/event-stream; charset=utf-8",
    "cache-control": "no-cache",
  });
  if (writes === "slow") await sleep(SLOW_FIRST_MS);
  const all = writes === "each" || writes === "paced" ? ONE_EACH : TEN;
  for (const bytes of all.slice(0, -1)) {
    if (response.destroyed) return;
    response.write(bytes);
    if (writes === "slow") await sleep(SLOW_NEXT_MS);
    else if (writes === "paced") await sleep(PACE_MS);
    else await new Promise((resolve) => setImmediate(resolve));
  }
  response.end(all.at(-1)); // with its end, or a client that stops at [DONE] could not use the connection for its next call
}

function sendJson(response: http.ServerResponse, body: string): void {
  response.writeHead(200, { "content-type": "application/json" }).end(body);
}

function refuse(response: http.ServerResponse): void {
  response.writeHead(404, { "content-type": "application/json" }).end('{"error":"no such route"}');
}

function isWrites(text: string): text is Writes {
  return WRITES.some((writes) => writes === text);
}

function envelope(object: string): Readonly<Record<string, unknown>> {
  return { id: "chatcmpl-7f3a2b", object, created: 1_760_000_000, model: MODEL };
}

function choice(delta: Readonly<Record<string, string>>, finish: string | null): unknown {
  return { index: 0, delta, logprobs: null, finish_reason: finish };
}

function event(fields: Readonly<Record<string, unknown>>): string {
  return `data: ${JSON.stringify({ ...envelope("chat.completion.chunk"), ...fields })}\n\n`;
}
