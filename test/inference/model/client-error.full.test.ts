import { describe, expect, it } from "vitest";
import type { BosunError } from "../../../src/error.ts";
import {
  chunk,
  errorReply,
  head,
  htmlReply,
  jsonReply,
  sse,
  STALL,
  streamReply,
  type WireReply,
  write,
} from "../../../src/test/wire-reply.ts";
import { CONTEXT_ERRORS } from "../../fixtures/context-errors.ts";
import type { ErrorCase } from "../../fixtures/error-case.ts";
import { OTHER_ERRORS, UNKNOWN_MODEL_ERRORS } from "../../fixtures/errors.ts";
import { NO_FORMAT_ERRORS, NO_TOOLS_ERRORS } from "../../fixtures/lack-errors.ts";
import { ask, bench, benchOf, errorOf, modelAt, SEARCH } from "./endpoint-bench.ts";

describe("a refusal becomes an error that a program can tell apart", () => {
  it.each(CONTEXT_ERRORS)("$server, context, $what", async (refusal) => {
    const { model } = await benchOf(replyWith(refusal));

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/context-length", retryable: false });
    expect(limitsOf(error)).toEqual(refusal.details);
  });

  it.each(UNKNOWN_MODEL_ERRORS)("$server, $what: names what is served", async (refusal) => {
    const models = [{ id: "Qwen/Qwen3-8B" }, { id: "small-lora" }];
    const { model } = await bench([replyWith(refusal)], { model: "gpt-9" }, { models });

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/not-found", retryable: false });
    expect(error.message).toContain("gpt-9");
    expect(error.message).toContain("Qwen/Qwen3-8B");
    expect(error.message).toContain("small-lora");
  });

  it("says that a model is unknown also where the models are not listed", async () => {
    const reply = errorReply(404, "The model `gpt-9` does not exist.");
    const { model } = await bench([reply], { model: "gpt-9" }, { models: "not-found" });

    const error = await errorOf(model);

    expect(error.code).toBe("model/not-found");
    expect(error.message).toContain("gpt-9");
  });

  it.each([...NO_TOOLS_ERRORS, ...NO_FORMAT_ERRORS])(
    "$server, $what: says how it adapts, and may be repeated",
    async (refusal) => {
      const output = { name: "answer", schema: { type: "object" } };
      const { model } = await bench([replyWith(refusal)], { dialect: "openai" });

      const error = await errorOf(model, ask({ tools: [SEARCH], output }));

      expect(error).toMatchObject({
        code: "model/bad-request",
        retryable: true,
        details: refusal.details,
      });
    },
  );

  it.each(OTHER_ERRORS)("$server, $what ($status): $code", async (refusal) => {
    const { model } = await benchOf(replyWith(refusal));

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: refusal.code, retryable: refusal.retryable });
  });

  // OpenRouter answers so when the provider behind it fails.
  it("also when it comes with a 200", async () => {
    const failure = { error: { message: "Provider returned error: overloaded", code: 502 } };
    const { model } = await benchOf(jsonReply(failure));

    const error = await errorOf(model, ask({ stream: false }));

    expect(error).toMatchObject({ code: "model/server", retryable: true });
    expect(error.message).toContain("Provider returned error");
  });

  it("says what the server said and where it was", async () => {
    const { model, server } = await benchOf(errorReply(400, "temperature must be non-negative"));

    const error = await errorOf(model);

    expect(error.message).toContain("temperature must be non-negative");
    expect(error.message).toContain(new URL(server.url).host);
  });

  it("keeps a long refusal short", async () => {
    const { model } = await benchOf(errorReply(400, "no ".repeat(100_000)));

    const error = await errorOf(model);

    expect(error.code).toBe("model/bad-request");
    expect(JSON.stringify(error).length).toBeLessThan(4_000);
  });

  it("does not repeat the key, also when the server does", async () => {
    const key = "sk-very-secret-key";
    const refusal = errorReply(401, `Incorrect API key provided: ${key}.`);
    const { server } = await bench([refusal]);
    const model = modelAt(server.url, { apiKeyEnv: "TEST_KEY" }, { TEST_KEY: key });

    const error = await errorOf(model);

    expect(error.code).toBe("model/unauthorized");
    expect(`${JSON.stringify(error)} ${error.stack}`).not.toContain(key);
  });
});

describe("a server that asks for a pause", () => {
  it.each([
    [429, "model/rate-limited"],
    [503, "model/overloaded"],
  ])("%d: says how many milliseconds, from seconds", async (status, code) => {
    const { model } = await benchOf(errorReply(status, "later", { "retry-after": "7" }));

    const error = await errorOf(model);

    expect(error).toMatchObject({ code, retryable: true, details: { retryAfterMs: 7_000 } });
  });

  it("reads a date", async () => {
    const inAMinute = new Date(Date.now() + 60_000).toUTCString();
    const { model } = await benchOf(errorReply(429, "later", { "retry-after": inAMinute }));

    const error = await errorOf(model);

    const retryAfterMs = error.details?.["retryAfterMs"];
    expect(retryAfterMs).toBeGreaterThan(30_000);
    expect(retryAfterMs).toBeLessThanOrEqual(60_000);
  });

  it.each([
    ["a date that is over", "Wed, 21 Oct 2015 07:28:00 GMT", 0],
    ["a negative number", "-5", 0],
    ["a word", "soon", undefined],
    ["nothing", "", undefined],
    ["no header", undefined, undefined],
  ])("takes %s for what it is", async (_what, value, retryAfterMs) => {
    const headers = value === undefined ? {} : { "retry-after": value };
    const { model } = await benchOf(errorReply(429, "later", headers));

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/rate-limited", retryable: true });
    expect(error.details?.["retryAfterMs"]).toBe(retryAfterMs);
  });
});

describe("an answer that is not the protocol", () => {
  it.each([
    ["a page with 404", htmlReply(404)],
    ["a page with 200", htmlReply(200)],
    ["Go's 404", [head(404, { "content-type": "text/plain" }), write("404 page not found\n")]],
    ["a route that FastAPI does not have", jsonReply({ detail: "Not Found" }, 404)],
    ["nothing", [head(200, { "content-type": "text/plain" })]],
  ])("%s: says that the URL should end in /v1", async (_what, reply) => {
    const { model } = await benchOf(reply);

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/protocol", retryable: false });
    expect(error.message).toContain("/v1");
  });

  it.each([
    ["a line that is no JSON", "data: {not json\n\n"],
    ["half an object", 'data: {"choices":[{"index":0,\n\n'],
    ["a text", 'data: "hello"\n\n'],
    ["an object that is no chunk", 'data: {"hello":1}\n\n'],
    ["a page", "data: <html>\n\n"],
  ])("%s amid a stream is model/protocol", async (_what, line) => {
    const { model, server } = await benchOf(streamReply(chunk({ content: "Hi" }), line));

    const error = await errorOf(model);

    expect(error).toMatchObject({
      code: "model/protocol",
      retryable: false,
      details: { text: "Hi" },
    });
    expect(await server.closed(0)).toBe("client");
  });

  it("a line without an end is not waited for", async () => {
    const megabytes = Array.from({ length: 16 }, () => "x".repeat(1024 * 1024));
    const { model, server } = await benchOf([...streamReply("data: ", ...megabytes), STALL]);

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/protocol", retryable: false });
    expect(await server.closed(0)).toBe("client");
  });
});

describe("an error amid a stream", () => {
  it("of vLLM's engine is the server's, with what had come", async () => {
    const failure = {
      message: "EngineCore died",
      type: "InternalServerError",
      param: null,
      code: 500,
    };
    const { model } = await benchOf(
      streamReply(chunk({ content: "Half" }), sse({ error: failure }), "data: [DONE]\n\n"),
    );

    const error = await errorOf(model);

    expect(error).toMatchObject({
      code: "model/server",
      retryable: false,
      details: { text: "Half", usage: { source: "estimated" } },
    });
    expect(error.message).toContain("EngineCore died");
  });

  it("may be repeated when no token had come", async () => {
    const failure = {
      message: "EngineCore died",
      type: "InternalServerError",
      param: null,
      code: 500,
    };
    const { model } = await benchOf(
      streamReply(chunk({ role: "assistant", content: "" }), sse({ error: failure })),
    );

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/server", retryable: true });
  });

  // SGLang before 2026-04 and llama.cpp before 2025-10 answer a prompt that is too long with a 200 and an error event.
  it.each([
    [
      "SGLang",
      `data: ${JSON.stringify({ error: { object: "error", message: "The input (4097 tokens) is longer than the model's context length (4096 tokens).", type: "BadRequestError", param: null, code: 400 } })}\n\ndata: [DONE]\n\n`,
    ],
    [
      "llama.cpp, as a field of its own",
      `error: ${JSON.stringify({ code: 400, message: "the request exceeds the available context size. try increasing the context size or enable context shift", type: "invalid_request_error" })}\n\n`,
    ],
  ])("that is a refusal is told like one: %s", async (_server, event) => {
    const { model } = await benchOf(streamReply(event));

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/context-length", retryable: false });
  });
});

function replyWith({ status, body }: ErrorCase): WireReply {
  if (typeof body !== "string") return jsonReply(body, status);
  return [head(status, { "content-type": "text/plain" }), write(body)];
}

function limitsOf({ details }: BosunError): object {
  const names = ["contextTokens", "promptTokens", "outputTokens"];
  const known = names.filter((name) => details?.[name] !== undefined);
  return Object.fromEntries(known.map((name) => [name, details?.[name]]));
}
