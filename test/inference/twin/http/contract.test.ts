import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CONTEXT_ERRORS } from "../../../fixtures/context-errors.ts";
import type { ErrorCase } from "../../../fixtures/error-case.ts";
import { OTHER_ERRORS, UNKNOWN_MODEL_ERRORS } from "../../../fixtures/errors.ts";
import { NO_TOOLS_ERRORS } from "../../../fixtures/lack-errors.ts";
import type { BenchOptions } from "../twin-bench.ts";
import { MODEL } from "../twin-bench.ts";
import { CHAT, chat, type Chunk, chunksIn, COMPLETIONS, createApp, post } from "./ask.ts";

/** vLLM's case of a list, by what it is about. */
function vllm(cases: readonly ErrorCase[], what: string): ErrorCase {
  const found = cases.find((one) => one.server === "vLLM" && one.what === what);
  if (!found) throw new Error(`no case of vLLM about ${what}`);
  return found;
}

async function answer(
  options: BenchOptions,
  path: string,
  init: RequestInit,
): Promise<Pick<ErrorCase, "status" | "body">> {
  const response = await createApp(options).request(path, init);
  return { status: response.status, body: (await response.json()) as ErrorCase["body"] }; // `as`: JSON
}

describe("errors are those that are known of vLLM, word for word", () => {
  it("a context that is too long", async () => {
    const { status, body } = vllm(CONTEXT_ERRORS, "now");
    const prompt = Array.from({ length: 4_015 }, (_, at) => at);

    const got = await answer(
      { maxModelLen: 4_096 },
      COMPLETIONS,
      post({ model: MODEL, prompt, max_tokens: 1_000 }),
    );

    expect(got).toEqual({ status, body });
  });

  it("a model that is not served", async () => {
    const { status, body } = vllm(UNKNOWN_MODEL_ERRORS, "unknown model");

    expect(await answer({}, CHAT, chat({ model: "gpt-9" }))).toEqual({ status, body });
  });

  it("a wrong key", async () => {
    const { status, body } = vllm(OTHER_ERRORS, "wrong key");

    expect(await answer({ apiKey: ["k"] }, CHAT, chat())).toEqual({ status, body });
  });

  it("a full queue", async () => {
    const { status, body } = vllm(OTHER_ERRORS, "queue full");

    expect(await answer({ replica: { maxOpen: 0 } }, CHAT, chat())).toMatchObject({ status, body });
  });

  it("an engine that failed", async () => {
    const { status, body } = vllm(OTHER_ERRORS, "engine failure");

    expect(await answer({ replica: { state: "dead" } }, CHAT, chat())).toMatchObject({
      status,
      body,
    });
  });

  it("tools without the flags", async () => {
    const [known] = NO_TOOLS_ERRORS;
    const tools = [{ type: "function", function: { name: "search" } }];

    const got = await answer({ enableAutoToolChoice: false }, CHAT, chat({ tools }));

    expect(got).toEqual({ status: known?.status, body: known?.body });
  });
});

const TOOL = {
  type: "function",
  function: {
    name: "search_docs",
    parameters: { type: "object", properties: { query: { type: "string" } }, required: ["query"] },
  },
};

/** The last chunks of a stream: with its finish, and with its usage. */
function ending(chunks: readonly Chunk[]): unknown {
  const [finish, usage] = chunks.slice(-2);
  const { delta, ...choice } = finish?.choices[0] ?? {};
  return { choice, delta, usageKeys: Object.keys(usage?.usage ?? {}), choices: usage?.choices };
}

function recorded(name: string): readonly Chunk[] {
  const url = new URL(`../../../fixtures/streams/${name}.sse`, import.meta.url);
  return chunksIn(readFileSync(url, "utf8"));
}

/** The chunks of a stream with its usage. */
async function ask(
  options: BenchOptions,
  more: Parameters<typeof chat>[0],
): Promise<readonly Chunk[]> {
  const init = chat({ stream: true, stream_options: { include_usage: true }, ...more });
  return chunksIn(await (await createApp(options).request(CHAT, init)).text());
}

describe("streams end as recorded ones of vLLM do", () => {
  it("at their length", async () => {
    expect(ending(await ask({}, { max_tokens: 3 }))).toEqual(ending(recorded("vllm-length")));
  });

  it("at a stop text", async () => {
    const script = [{ text: "Thought: search\nObservation: x" }];

    expect(ending(await ask({ script }, { stop: ["Observation:"] }))).toEqual(
      ending(recorded("vllm-stop-text")),
    );
  });

  it("with parallel calls", async () => {
    const calls = [1, 2].map((query) => ({ tool: "search_docs", arguments: { query } }));
    const script = [{ text: "Both at once.", calls }];

    expect(ending(await ask({ script }, { tools: [TOOL] }))).toEqual(
      ending(recorded("vllm-parallel-calls")),
    );
  });

  it("when the server aborts them", async () => {
    const { request, replica } = createApp();
    const response = await request(
      CHAT,
      chat({ stream: true, stream_options: { include_usage: true } }),
    );
    replica.sleep(1);

    expect(ending(chunksIn(await response.text()))).toEqual(ending(recorded("vllm-abort")));
  });
});
