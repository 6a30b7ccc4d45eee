import { describe, expect, it } from "vitest";
import { BosunError, type ErrorCode } from "../../../src/error.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { CALLS, CHAT, chat, createApp, HELLO, USER, WIRE_USAGE } from "./ask.ts";

describe("a chat completion", () => {
  it("is what OpenAI sends", async () => {
    const app = createApp({ small: scriptedModel([HELLO]) });

    const response = await app.request(CHAT, chat({ model: "small", messages: USER }));

    expect(response.status).toBe(200);
    expect(response.headers.get("x-request-id")).toBe("chatcmpl-1");
    expect(await response.json()).toEqual({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 0,
      model: "small",
      system_fingerprint: null,
      choices: [
        {
          index: 0,
          message: { role: "assistant", content: "Hello", refusal: null },
          logprobs: null,
          finish_reason: "stop",
        },
      ],
      usage: WIRE_USAGE,
    });
  });

  it("holds tool calls, and no content beside them when there is no text", async () => {
    const app = createApp({ small: scriptedModel([CALLS]) });

    const response = await app.request(CHAT, chat({ model: "small", messages: USER }));

    const body = (await response.json()) as { choices: [unknown] };
    expect(body.choices[0]).toEqual({
      index: 0,
      message: {
        role: "assistant",
        content: null,
        refusal: null,
        tool_calls: [
          {
            id: "call_1",
            type: "function",
            function: { name: "search", arguments: '{"query":"a"}' },
          },
          {
            id: "call_2",
            type: "function",
            function: { name: "search", arguments: '{"query":"b"}' },
          },
        ],
      },
      logprobs: null,
      finish_reason: "tool_calls",
    });
  });

  it("says what was thought, why it ended, and that its tokens are estimated", async () => {
    const app = createApp({
      small: scriptedModel([{ text: "A", reasoning: "Because", finish: "length" }]),
    });

    const response = await app.request(CHAT, chat({ model: "small", messages: USER }));

    const body = await response.json();
    expect(body).toMatchObject({
      choices: [{ message: { content: "A", reasoning: "Because" }, finish_reason: "length" }],
      usage: { estimated: true },
    });
  });
});

describe("an aborted request", () => {
  it("aborts the call to its model", async () => {
    const controller = new AbortController();
    const waiting: Model = {
      contextTokens: async () => undefined,
      async *call(_, signal) {
        controller.abort();
        if (signal.aborted) throw new BosunError("model/cancelled", "aborted");
        yield { type: "text-delta", text: "never" };
      },
    };
    const app = createApp({ small: waiting });

    const response = await app.request(
      CHAT,
      chat({ model: "small", messages: USER }, { signal: controller.signal }),
    );

    expect(response.status).toBe(499);
  });
});

describe("the list of models", () => {
  it("says what is served, by whom, and how long a context may be when that is known", async () => {
    const app = createApp({
      "Qwen/Qwen3-8B": scriptedModel([], { contextTokens: 8_192 }),
      other: scriptedModel([]),
    });

    const list = await (await app.request("/v1/models")).json();
    const one = await (await app.request("/v1/models/Qwen/Qwen3-8B")).json();

    const card = {
      id: "Qwen/Qwen3-8B",
      object: "model",
      created: 0,
      owned_by: "bosun",
      max_model_len: 8_192,
    };
    expect(list).toEqual({
      object: "list",
      data: [card, { id: "other", object: "model", created: 0, owned_by: "bosun" }],
    });
    expect(one).toEqual(card);
  });
});

describe("health and version", () => {
  it("answer", async () => {
    const app = createApp({}, { version: "1.2.3", ownedBy: "vllm" });

    expect(await (await app.request("/health")).json()).toEqual({ status: "ok" });
    expect(await (await app.request("/version")).json()).toEqual({ version: "1.2.3" });
  });
});

describe("a failure", () => {
  it.each<[ErrorCode, number, string]>([
    ["model/context-length", 400, "context_length_exceeded"],
    ["model/bad-request", 400, "invalid_request"],
    ["model/not-found", 404, "model_not_found"],
    ["model/rate-limited", 429, "rate_limit_exceeded"],
    ["model/overloaded", 503, "overloaded"],
    ["model/timed-out", 504, "model/timed-out"],
    ["model/unauthorized", 502, "model/unauthorized"],
    ["model/unreachable", 502, "model/unreachable"],
    ["model/server", 500, "model/server"],
    ["run/failed", 500, "run/failed"],
  ])("%s is status %i with the code %s", async (code, status, wireCode) => {
    const app = createApp({ small: scriptedModel([new BosunError(code, "it failed")]) });

    const response = await app.request(CHAT, chat({ model: "small", messages: USER }));

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({
      error: { message: "it failed", code: wireCode },
    });
    expect(response.headers.get("retry-after")).toBe(status === 429 || status === 503 ? "1" : null);
    expect(response.headers.get("x-request-id")).toBe("chatcmpl-1");
  });

  it("that nobody foresaw is status 500 without its message, and is reported with the request's id", async () => {
    const seen: unknown[] = [];
    const broken: Model = {
      contextTokens: async () => undefined,
      // oxlint-disable-next-line require-yield -- it fails before it can
      async *call() {
        throw new TypeError("secret of the inside");
      },
    };
    const app = createApp({ small: broken }, { onError: (error, id) => seen.push([error, id]) });

    const response = await app.request(CHAT, chat({ model: "small", messages: USER }));

    expect(response.status).toBe(500);
    expect(await response.json()).toEqual({
      error: {
        message: "internal error; the request was chatcmpl-1",
        type: "server_error",
        param: null,
        code: "internal_error",
      },
    });
    expect(seen).toEqual([[expect.any(TypeError), "chatcmpl-1"]]);
  });

  it("is a model that is not served, whatever its name", async () => {
    const app = createApp({ small: scriptedModel([]) });

    for (const model of ["large", "constructor", "__proto__"]) {
      const response = await app.request(CHAT, chat({ model, messages: USER }));
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({
        error: {
          message: `The model \`${model}\` does not exist. Served here: small`,
          type: "invalid_request_error",
          param: "model",
          code: "model_not_found",
        },
      });
    }
    expect((await app.request("/v1/models/large")).status).toBe(404);
  });

  it("is a route that is not there", async () => {
    const response = await createApp({}).request("/v1/embeddings", chat({}));

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: "unknown_url", message: "there is no POST /v1/embeddings here" },
    });
  });
});
