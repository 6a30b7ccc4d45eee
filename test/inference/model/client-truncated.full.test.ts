import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/json.ts";
import {
  chunk,
  DONE,
  finishChunk,
  jsonReply,
  streamReply,
  usageChunk,
  type WireReply,
} from "../../../src/test/wire-reply.ts";
import { ask, bench, errorOf, modelAt, NEVER, replyOf } from "./endpoint-bench.ts";

/** About 2,500 tokens. */
const LONG = ask({ messages: [{ role: "user", content: "word ".repeat(2_000) }] });

const reply = (promptTokens: number): WireReply =>
  jsonReply({
    object: "chat.completion",
    model: "test-model",
    choices: [{ index: 0, message: { role: "assistant", content: "fine" }, finish_reason: "stop" }],
    usage: { prompt_tokens: promptTokens, completion_tokens: 1, total_tokens: promptTokens + 1 },
  });

const loaded = (context: number, name = "test-model:latest"): Record<string, WireReply> => ({
  "/api/ps": jsonReply({ models: [{ name, model: name, context_length: context }] }),
});

const OLLAMA = { dialect: "ollama", stream: false } as const;

describe("an Ollama that reads a part of the prompt", () => {
  it("fails the call with the numbers, and with what it answered", async () => {
    const { model, server } = await bench([reply(1_000)], OLLAMA, { routes: loaded(1_024) });

    const error = await errorOf(model, LONG);

    expect(error.code).toBe("model/truncated");
    expect(error.retryable).toBe(false);
    expect(error.message).toMatch(/read 1000 tokens of a prompt of about 2504.*its context: 1024/);
    expect(error.details).toMatchObject({
      sentTokens: 2_504,
      countedTokens: 1_000,
      contextTokens: 1_024,
      text: "fine",
      usage: { input: { total: 1_000 }, source: "server" },
    });
    expect(server.requests.map(({ path }) => path)).toEqual(["/v1/chat/completions", "/api/ps"]);
  });

  it("is found out about where the dialect was not given", async () => {
    const models: readonly JsonObject[] = [{ id: "test-model", owned_by: "library" }];
    const { model } = await bench(
      [reply(1_000)],
      { stream: false, dialect: undefined },
      {
        routes: loaded(1_024),
        models,
      },
    );

    expect((await errorOf(model, LONG)).code).toBe("model/truncated");
  });

  it("is found out about by a count as long as a context where it does not tell its context", async () => {
    const [exact, other] = [
      await bench([reply(1_024)], OLLAMA),
      await bench([reply(1_000)], OLLAMA),
    ];

    expect((await errorOf(exact.model, LONG)).code).toBe("model/truncated");
    expect((await replyOf(other.model, LONG)).text).toBe("fine");
  });

  it.each([
    ["counted nearly what was sent", 2_000, loaded(4_096)],
    ["counted less, in a context that holds all of it", 1_000, loaded(4_096)],
    ["counted nothing", 0, loaded(1_024)],
  ])("answers as usual when it %s", async (_what, counted, routes) => {
    const { model } = await bench([reply(counted)], OLLAMA, { routes });

    expect((await replyOf(model, LONG)).text).toBe("fine");
  });

  it("is looked for at no other server", async () => {
    const { model, server } = await bench(
      [reply(1_000)],
      { dialect: "vllm", stream: false },
      {
        routes: loaded(1_024),
      },
    );

    expect((await replyOf(model, LONG)).text).toBe("fine");
    expect(server.requests).toHaveLength(1);
  });

  it("is found out about in a stream too", async () => {
    const usage = usageChunk({ prompt_tokens: 1_024, completion_tokens: 1 });
    const stream = streamReply(chunk({ content: "fine" }), finishChunk(), usage, DONE);
    const { model } = await bench([stream], { dialect: "ollama" });

    expect((await errorOf(model, LONG)).code).toBe("model/truncated");
  });
});

describe("the context of a call", () => {
  it("is what Ollama has allocated for the model", async () => {
    const models = [{ id: "test-model", owned_by: "library" }];
    const { model } = await bench([], { dialect: undefined }, { models, routes: loaded(4_096) });

    expect(await model.contextTokens([], NEVER)).toBe(4_096);
  });

  it("is asked again once a call has loaded the model", async () => {
    const routes: Record<string, WireReply> = { "/api/ps": jsonReply({ models: [] }) };
    const { model } = await bench([reply(10)], OLLAMA, { models: [{ id: "test-model" }], routes });

    const before = await model.contextTokens([], NEVER);
    Object.assign(routes, loaded(8_192));
    const still = await model.contextTokens([], NEVER);
    await replyOf(model);

    expect([before, still]).toEqual([undefined, undefined]);
    expect(await model.contextTokens([], NEVER)).toBe(8_192);
  });

  it("is that of a slot of llama.cpp", async () => {
    const routes = {
      "/props": jsonReply({ default_generation_settings: { n_ctx: 16_384 }, total_slots: 4 }),
    };
    const models = [{ id: "test-model", owned_by: "llamacpp", meta: { n_ctx_train: 131_072 } }];
    const { model } = await bench([], { dialect: undefined }, { models, routes });

    expect(await model.contextTokens([], NEVER)).toBe(16_384);
  });
});

describe("a question to a server", () => {
  it("goes to its root, with the key, and is answered whatever the status", async () => {
    const { server } = await bench(
      [],
      {},
      { routes: { "/health": jsonReply({ ok: false }, 503) } },
    );
    const model = modelAt(server.url, { apiKeyEnv: "KEY" }, { KEY: "sk-1" });

    const answer = await model.read("/health", NEVER);

    expect(answer).toMatchObject({ status: 503, body: '{"ok":false}' });
    expect(server.requests).toMatchObject([
      { method: "GET", path: "/health", headers: { authorization: "Bearer sk-1" } },
    ]);
  });

  it("leaves away the openai of Runpod's address, and keeps a proxy's path", async () => {
    const { server } = await bench([]);
    const root = server.url.replace("/v1", "");
    await modelAt(`${root}/v2/ID/openai/v1`).read("/health", NEVER);
    await modelAt(`${root}/team/v1`).read("/metrics", NEVER);

    expect(server.requests.map(({ path }) => path)).toEqual(["/v2/ID/health", "/team/metrics"]);
  });

  it("ends when nobody wants to know any more", async () => {
    const { model } = await bench([]);

    await expect(model.read("/health", AbortSignal.abort())).rejects.toMatchObject({
      code: "model/cancelled",
    });
  });
});
