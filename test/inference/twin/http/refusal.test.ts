import { describe, expect, it } from "vitest";
import type { Json } from "../../../../src/json.ts";
import { CHAT, chat, COMPLETIONS, createApp, post } from "./ask.ts";
import { MODEL, type BenchOptions } from "../twin-bench.ts";

const TOOL = { type: "function", function: { name: "search" } };

async function refusal(
  options: BenchOptions,
  init: RequestInit,
  path = CHAT,
): Promise<{ status: number; body: Json; retryAfter: string | null }> {
  const response = await createApp(options).request(path, init);
  const body = (await response.json()) as Json; // `as`: JSON
  return { status: response.status, body, retryAfter: response.headers.get("retry-after") };
}

describe("what vLLM refuses, the twin refuses in the same words", () => {
  it("a prompt that is too long with its answer", async () => {
    const { status, body } = await refusal({ maxModelLen: 24 }, chat({ max_tokens: 20 }));

    expect(status).toBe(400);
    expect(body).toEqual({
      error: {
        message:
          "This model's maximum context length is 24 tokens. However, you requested 20 output tokens and your prompt contains 16 input tokens, for a total of 36 tokens. Please reduce the length of the input prompt or the number of requested output tokens. (parameter=input_tokens, value=16)",
        type: "BadRequestError",
        param: "input_tokens",
        code: 400,
      },
    });
  });

  it("a model that it does not serve", async () => {
    expect(await refusal({}, chat({ model: "gpt-9" }))).toMatchObject({
      status: 404,
      body: {
        error: {
          message: "The model `gpt-9` does not exist.",
          type: "NotFoundError",
          param: "model",
          code: 404,
        },
      },
    });
  });

  it("tools by themselves without --enable-auto-tool-choice, but not required ones", async () => {
    const off = { enableAutoToolChoice: false };

    expect(await refusal(off, chat({ tools: [TOOL] }))).toMatchObject({
      status: 400,
      body: {
        error: {
          message:
            '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
          type: "BadRequestError",
          param: null,
          code: 400,
        },
      },
    });
    expect(await refusal(off, chat({ tools: [TOOL], tool_choice: "required" }))).toMatchObject({
      status: 200,
    });
  });

  it("a priority without the priority policy", async () => {
    expect(await refusal({}, chat({ priority: 5 }))).toMatchObject({
      status: 400,
      body: { error: { message: "Got priority 5 but Priority scheduling is not enabled." } },
    });
  });

  it("bodies that have another shape", async () => {
    expect(await refusal({}, post({ model: MODEL }))).toMatchObject({
      status: 400,
      body: {
        error: {
          message: expect.stringMatching(
            /^1 validation error for ChatCompletionRequest: messages: /,
          ),
          type: "Bad Request",
          param: "messages",
          code: 400,
        },
      },
    });
    expect(await refusal({}, chat({ temperature: -1 }))).toMatchObject({
      status: 400,
      body: { error: { param: "temperature" } },
    });
    expect(await refusal({}, chat({ n: 0 }))).toMatchObject({ status: 400 });
    expect(await refusal({}, { ...chat(), body: "{" })).toMatchObject({
      status: 400,
      body: { error: { type: "Bad Request" } },
    });
    expect(
      await refusal({}, { ...chat(), headers: { "content-type": "text/plain" } }),
    ).toMatchObject({ status: 415 });
  });

  it("more log probabilities than --max-logprobs, and those without logprobs", async () => {
    expect(await refusal({}, chat({ logprobs: true, top_logprobs: 25 }))).toMatchObject({
      body: {
        error: {
          message:
            "Requested sample logprobs of 25, which is greater than max allowed: 20 (parameter=logprobs, value=25)",
        },
      },
    });
    expect(await refusal({}, chat({ top_logprobs: 2 }))).toMatchObject({
      status: 400,
      body: { error: { param: "top_logprobs" } },
    });
  });

  it("stream options without a stream", async () => {
    const message = "Stream options can only be defined when `stream=True`.";
    const error = { message, param: "stream_options", type: "BadRequestError" };
    const stream_options = { include_usage: true };

    expect(await refusal({}, chat({ stream_options }))).toMatchObject({
      status: 400,
      body: { error },
    });
    expect(
      await refusal({}, post({ model: MODEL, prompt: "a", stream_options }), COMPLETIONS),
    ).toMatchObject({ status: 400, body: { error } });
    expect(await refusal({}, chat({ stream_options: null }))).toMatchObject({ status: 200 });
  });

  it("a schema that is none", async () => {
    const bad = {
      type: "object",
      properties: { a: { type: "string", pattern: "(" } },
      required: ["a"],
    };
    const response_format = { type: "json_schema", json_schema: { name: "x", schema: bad } };

    expect(await refusal({}, chat({ response_format }))).toMatchObject({
      status: 400,
      body: { error: { type: "BadRequestError" } },
    });
  });

  it("more tokens at least than at most", async () => {
    expect(await refusal({}, chat({ min_tokens: 9, max_tokens: 3 }))).toMatchObject({
      body: { error: { message: "min_tokens must be less than or equal to max_tokens=3, got 9." } },
    });
  });

  it("a grammar, which it does not simulate, and a suffix", async () => {
    expect(
      await refusal({}, chat({ structured_outputs: { grammar: "root ::= x" } })),
    ).toMatchObject({
      status: 501,
      body: { error: { type: "NotImplementedError" } },
    });
    expect(
      await refusal({}, post({ model: MODEL, prompt: "a", suffix: "b" }), COMPLETIONS),
    ).toMatchObject({
      status: 400,
      body: { error: { message: "suffix is not currently supported" } },
    });
  });

  it("everything when its engine is dead", async () => {
    expect(await refusal({ replica: { state: "dead" } }, chat())).toMatchObject({
      status: 500,
      body: {
        error: {
          message: "EngineCore encountered an issue. See stack trace (above) for the root cause.",
          type: "InternalServerError",
          code: 500,
        },
      },
    });
  });

  it("requests over --max-num-queued-reqs", async () => {
    const { request } = createApp({ replica: { maxOpen: 1 } });

    const both = await Promise.all([request(CHAT, chat()), request(CHAT, chat())]);

    expect(both.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, 503]);
    const refused = both.find(({ status }) => status === 503);
    expect(await refused?.json()).toMatchObject({
      error: { type: "QueueOverflowError", code: 503 },
    });
  });

  it("requests without a key, on /v1 only", async () => {
    const { request } = createApp({ apiKey: ["secret-key"] });

    const wrong = await request(CHAT, chat({}, { authorization: "Bearer other" }));
    const right = await request(CHAT, chat({}, { authorization: "Bearer secret-key" }));

    expect([wrong.status, await wrong.json()]).toEqual([401, { error: "Unauthorized" }]);
    expect(right.status).toBe(200);
    expect((await request("/health")).status).toBe(200);
    expect((await request("/v1/models")).status).toBe(401);
  });

  it("routes and methods that there are not", async () => {
    const { request } = createApp();

    expect(await (await request("/v1/nothing")).json()).toEqual({
      error: { message: "Not Found", type: "Not Found", param: null, code: 404 },
    });
    expect((await request(CHAT)).status).toBe(405);
    expect((await request("/sleep", { method: "POST" })).status).toBe(404); // without VLLM_SERVER_DEV_MODE
  });
});

/** A call with a fault. */
function fault(text: string, more: Parameters<typeof chat>[0] = {}): RequestInit {
  return chat(more, { "x-bosun-fault": text });
}

describe("faults", () => {
  it("answer with a status, when to come again, and the fault itself", async () => {
    const { request } = createApp();

    const response = await request(CHAT, fault("429; retry-after=3"));

    expect([response.status, response.headers.get("retry-after")]).toEqual([429, "3"]);
    expect(response.headers.get("x-bosun-fault")).toBe("429; retry-after=3");
    expect(await response.json()).toMatchObject({ error: { code: 429 } });
    expect((await request(CHAT, fault("503"))).status).toBe(503);
    expect((await request(CHAT, fault("500"))).status).toBe(500);
  });

  it("break a stream: the connection, the JSON, the finish, the engine", async () => {
    const { request } = createApp();
    const stream = async (text: string): Promise<string> =>
      (await request(CHAT, fault(text, { stream: true }))).text();

    await expect(stream("cut; after=3")).rejects.toBeInstanceOf(Error);
    expect(await stream("malformed; after=3")).toMatch(
      /data: \{"object":"chat\.completion[^}]*\n\n$/,
    );
    expect(await stream("finish; reason=repetition")).toContain('"finish_reason":"repetition"');
    const died = await stream("engine-death; after=3");
    expect(died).toContain('data: {"error":{"message":"EngineCore encountered an issue.');
    expect(died.endsWith("data: [DONE]\n\n")).toBe(true);
    expect((await request("/health")).status).toBe(503);
  });

  it("break a whole answer", async () => {
    const { request } = createApp();

    const malformed = await (await request(CHAT, fault("malformed"))).text();

    expect(malformed).toMatch(/^\{"id":"chatcmpl/);
    expect(() => JSON.parse(malformed)).toThrow(SyntaxError);
    await expect((await request(CHAT, fault("cut"))).text()).rejects.toBeInstanceOf(Error);
  });

  it("are refused when they are none", async () => {
    const { request } = createApp();

    expect((await request(CHAT, fault("gremlins"))).status).toBe(400);
  });
});
