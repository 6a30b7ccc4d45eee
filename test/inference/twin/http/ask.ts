// What the server's tests share: an app over a twin, requests, the events of a stream.

import type { Json } from "../../../../src/json.ts";
import { createTwinServer } from "../../../../src/inference/twin/http/server.ts";
import { type Bench, type BenchOptions, createBench, MODEL } from "../twin-bench.ts";

export type App = Bench & {
  readonly request: (path: string, init?: RequestInit) => Promise<Response>;
};

export function createApp(options: BenchOptions = {}): App {
  const bench = createBench(options);
  let count = 0;
  const app = createTwinServer(bench.twin, { newId: () => String(++count) });
  const request: App["request"] = async (path, init) => app.request(path, init);
  return { ...bench, request };
}

export const CHAT = "/v1/chat/completions";
export const COMPLETIONS = "/v1/completions";

export const USER: Json = [{ role: "user", content: "How many sailors are aboard?" }];

/** A POST of JSON. */
export function post(body: Json, headers: Readonly<Record<string, string>> = {}): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}

/** A chat body with more or other fields. */
export function chat(
  more: Readonly<Record<string, Json>> = {},
  headers: Readonly<Record<string, string>> = {},
): RequestInit {
  return post({ model: MODEL, messages: USER, ...more }, headers);
}

export type Chunk = {
  readonly choices: readonly {
    readonly index: number;
    readonly text?: string;
    readonly delta: {
      readonly role?: string;
      readonly content?: string;
      readonly tool_calls?: readonly {
        readonly index: number;
        readonly id?: string;
        readonly function: { readonly name?: string; readonly arguments?: string };
      }[];
    };
    readonly logprobs: unknown;
    readonly finish_reason: string | null;
    readonly stop_reason?: string | null;
  }[];
  readonly usage?: Readonly<Record<string, Json>>;
  readonly metrics?: Readonly<Record<string, Json>>;
  readonly error?: Readonly<Record<string, Json>>;
};

/** The data of each event, parsed but for the last, which must be [DONE]. */
export function chunksIn(text: string): readonly Chunk[] {
  const data = text
    .split("\n\n")
    .filter(Boolean)
    .map((part) => part.replace(/^data: /, ""));
  if (data.at(-1) !== "[DONE]") throw new Error(`no [DONE] at the end of ${text}`);
  return data.slice(0, -1).map((one) => JSON.parse(one) as Chunk); // `as`: checked by the test
}

export function textIn(chunks: readonly Chunk[], index = 0): string {
  return chunks
    .flatMap(({ choices }) => choices)
    .filter((choice) => choice.index === index)
    .map((choice) => choice.text ?? choice.delta.content ?? "")
    .join("");
}
