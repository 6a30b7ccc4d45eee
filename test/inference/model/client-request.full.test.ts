import { describe, expect, it } from "vitest";
import { isBosunError } from "../../../src/error.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import { completionReply, textReply } from "../../../src/test/wire-reply.ts";
import {
  ask,
  bench,
  CONVERSATION,
  type EndpointOptions,
  eventsOf,
  modelAt,
  replyOf,
  SEARCH,
} from "./endpoint-bench.ts";

const OUTPUT = {
  name: "facts",
  schema: { type: "object", properties: { facts: { type: "array" } }, required: ["facts"] },
};

describe("the body of a call", () => {
  it("asks for a stream with its usage", async () => {
    const body = await bodyOf();

    expect(body).toMatchObject({
      model: "test-model",
      messages: [{ role: "user", content: "Say hello" }],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  it("holds the whole conversation, with calls and their results", async () => {
    const body = await bodyOf({}, { messages: CONVERSATION });

    expect(body).toMatchObject({
      messages: [
        { role: "system", content: "You are terse." },
        { role: "user", content: "What is a block?" },
        {
          role: "assistant",
          tool_calls: [
            {
              id: "call_1",
              type: "function",
              function: { name: "search_docs", arguments: '{"query":"block"}' },
            },
          ],
        },
        { role: "tool", tool_call_id: "call_1", content: "16 tokens of KV cache" },
      ],
    });
  });

  it("describes the tools and the choice among them", async () => {
    const body = await bodyOf({}, { tools: [SEARCH], toolChoice: "required" });

    expect(body).toMatchObject({
      tools: [{ type: "function", function: SEARCH }],
      tool_choice: "required",
    });
  });

  it("says nothing of tools, schema, thinking or sampling that nobody asked for", async () => {
    const body = await bodyOf();

    const unasked = [
      "tools",
      "tool_choice",
      "response_format",
      "structured_outputs",
      "chat_template_kwargs",
      "reasoning_effort",
      "temperature",
      "top_p",
      "seed",
      "stop",
    ];
    expect(Object.keys(body).filter((key) => unasked.includes(key))).toEqual([]);
  });

  it("holds the settings in the protocol's words", async () => {
    const settings = { temperature: 0, topP: 0.9, seed: 7, stop: ["END"], maxTokens: 300 };

    const body = await bodyOf({ settings });

    expect(body).toMatchObject({
      temperature: 0,
      top_p: 0.9,
      seed: 7,
      stop: ["END"],
      max_tokens: 300,
    });
  });

  it("has the request's settings before the endpoint's, field by field", async () => {
    const options = { temperature: 0.7, topP: 0.5, maxTokens: 100 };
    const settings = { temperature: 0.1, topP: undefined, maxTokens: 300 };

    const body = await bodyOf({ ...options, settings });

    expect(body).toMatchObject({ temperature: 0.1, top_p: 0.5, max_tokens: 300 });
  });

  it("holds fields of the user's own as they are, the request's before the endpoint's", async () => {
    const options = { extraBody: { top_k: 20, priority: 5 } };
    const settings = { extraBody: { priority: 1, cache_salt: "tenant" } };

    const body = await bodyOf({ ...options, settings });

    expect(body).toMatchObject({ top_k: 20, priority: 1, cache_salt: "tenant" });
  });

  it("is sent with its length, in UTF-8", async () => {
    const messages = [{ role: "user", content: "Grüße 👩‍🚀" }] as const;

    const body = await bodyOf({}, { messages });

    expect(body).toMatchObject({ messages });
  });
});

describe("thinking is said in the words of the dialect", () => {
  it.each(["vllm", "sglang", "llama.cpp"] as const)(
    "%s: a switch of the chat template",
    async (dialect) => {
      const off = await bodyOf({ dialect, thinking: false });
      const on = await bodyOf({ dialect, thinking: true });

      expect(off).toMatchObject({ chat_template_kwargs: { enable_thinking: false } });
      expect(on).toMatchObject({ chat_template_kwargs: { enable_thinking: true } });
      expect(off).not.toHaveProperty("reasoning_effort");
    },
  );

  it.each(["ollama", "openai"] as const)(
    "%s: an effort, only when it was said",
    async (dialect) => {
      const off = await bodyOf({ dialect, thinking: false });
      const unsaid = await bodyOf({ dialect });

      expect(off).toMatchObject({ reasoning_effort: "none" });
      expect(off).not.toHaveProperty("chat_template_kwargs");
      expect(unsaid).not.toHaveProperty("reasoning_effort");
    },
  );

  it("has its tokens reserved on top of the answer's", async () => {
    const body = await bodyOf({ thinking: { budgetTokens: 1_000 }, maxTokens: 500 });

    expect(body).toMatchObject({
      max_tokens: 1_500,
      chat_template_kwargs: { enable_thinking: true },
    });
  });

  it("is said to a server that is recognised by its list of models", async () => {
    const { server, model } = await bench([textReply("hi")], {
      dialect: undefined,
      thinking: false,
    });

    await replyOf(model);

    expect(server.calls[0]?.body).toMatchObject({
      chat_template_kwargs: { enable_thinking: false },
    });
  });
});

describe("a schema is asked for in the words of the dialect", () => {
  it("vllm: structured_outputs", async () => {
    const body = await bodyOf({ dialect: "vllm" }, { output: OUTPUT });

    expect(body).toMatchObject({ structured_outputs: { json: OUTPUT.schema } });
    expect(body).not.toHaveProperty("response_format");
  });

  it.each(["openai", "ollama", "sglang", "llama.cpp"] as const)(
    "%s: response_format",
    async (dialect) => {
      const body = await bodyOf({ dialect }, { output: OUTPUT });

      expect(body).toMatchObject({
        response_format: {
          type: "json_schema",
          json_schema: { name: "facts", schema: OUTPUT.schema },
        },
      });
      expect(body).not.toHaveProperty("structured_outputs");
    },
  );
});

describe("the headers of a call", () => {
  it("hold the key of the named variable and the endpoint's own", async () => {
    const { server } = await bench([textReply("hi")]);
    const headers = { "x-tenant": "a" };
    const model = modelAt(server.url, { apiKeyEnv: "MY_KEY", headers }, { MY_KEY: "sk-1" });

    await replyOf(model);

    expect(server.calls[0]?.headers).toMatchObject({
      authorization: "Bearer sk-1",
      "x-tenant": "a",
      "content-type": expect.stringContaining("application/json"),
      "content-length": expect.stringMatching(/^\d+$/),
    });
  });

  it("hold no key when none is named", async () => {
    const { server } = await bench([textReply("hi")]);
    const model = modelAt(server.url, {}, { OPENAI_API_KEY: "sk-1" });

    await replyOf(model);

    expect(server.calls[0]?.headers).not.toHaveProperty("authorization");
  });

  it("cannot be made without the variable that was named", async () => {
    const { server } = await bench([]);

    const error = await caught(async () => {
      const model = modelAt(server.url, { apiKeyEnv: "MY_KEY" }, { MY_KEY: " " });
      await replyOf(model);
    });

    expect(error).toMatchObject({ code: "config/invalid" });
    expect(isBosunError(error) && error.message).toContain("MY_KEY");
  });
});

describe("the model of a call", () => {
  it("is the one that the endpoint serves when none is named", async () => {
    const { server, model } = await bench([textReply("hi")], { model: undefined });

    await replyOf(model);

    expect(server.calls[0]?.body).toMatchObject({ model: "test-model" });
  });

  it("must be named when the endpoint serves several", async () => {
    const models = [{ id: "one" }, { id: "two" }];
    const { model } = await bench([textReply("hi")], { model: undefined }, { models });

    const error = await caught(() => replyOf(model));

    expect(error).toMatchObject({ code: "model/not-found" });
    expect(isBosunError(error) && error.message).toContain("one, two");
  });
});

describe("an endpoint that cannot stream", () => {
  it("is asked for whole replies", async () => {
    const { server, model } = await bench([completionReply({ content: "whole" })], {
      stream: false,
    });

    const events = await eventsOf(model);

    expect(events.at(-1)).toMatchObject({ type: "end", text: "whole" });
    expect(server.calls[0]?.body).not.toMatchObject({ stream: true });
  });
});

/** What a server gets of a call with these options of the endpoint and this request. */
async function bodyOf(
  { settings = {}, ...options }: EndpointOptions & Partial<Pick<ModelRequest, "settings">> = {},
  request: Partial<ModelRequest> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { server, model } = await bench([textReply("hi")], options);
  await replyOf(model, ask({ settings, ...request }));
  const body = server.calls[0]?.body;
  if (typeof body !== "object" || body === null) throw new Error("no body");
  return Object.fromEntries(Object.entries(body));
}

async function caught(act: () => Promise<unknown>): Promise<unknown> {
  return act().then(
    () => undefined,
    (error: unknown) => error,
  );
}
