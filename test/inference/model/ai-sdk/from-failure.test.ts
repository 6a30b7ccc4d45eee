import { describe, expect, it } from "vitest";
import { fromAiSdk } from "../../../../src/ai-sdk.ts";
import { apiError, failure, FINISH, listen, said, sdkModel } from "./sdk-model.ts";

describe("a failure of a model from the AI SDK", () => {
  const cases: readonly (readonly [string, Error, object])[] = [
    ["401", apiError(401, "bad key"), { code: "model/unauthorized", retryable: false }],
    ["403", apiError(403, "no access"), { code: "model/unauthorized" }],
    ["404", apiError(404, "The model `x` does not exist"), { code: "model/not-found" }],
    ["404 of Anthropic", apiError(404, "model: claude-x"), { code: "model/not-found" }],
    [
      "404 of Gemini",
      apiError(404, "models/gemini-x is not found for API version v1beta"),
      { code: "model/not-found" },
    ],
    [
      "404 of a URL that is no API",
      apiError(404, "no such route"),
      { code: "model/protocol", message: expect.stringContaining("base URL of the provider") },
    ],
    [
      "429 with a wait",
      apiError(429, "slow down", { responseHeaders: { "retry-after": "3" } }),
      { code: "model/rate-limited", retryable: true, details: { retryAfterMs: 3_000 } },
    ],
    [
      "429 with a wait in ms",
      apiError(429, "slow down", { responseHeaders: { "retry-after-ms": "250" } }),
      { details: { retryAfterMs: 250 } },
    ],
    ["500", apiError(500, "oops"), { code: "model/server", retryable: true }],
    ["529", apiError(529, "Overloaded"), { code: "model/overloaded", retryable: true }],
    ["503", apiError(503, "busy"), { code: "model/overloaded", retryable: true }],
    [
      "a schema that it does not take",
      apiError(400, "response_format is not supported"),
      { code: "model/bad-request", retryable: false },
    ],
    [
      "no connection",
      apiError(undefined, "Cannot connect to API", {
        cause: Object.assign(new Error("refused"), { code: "ECONNREFUSED" }),
      }),
      { code: "model/unreachable", retryable: true },
    ],
    [
      "no trust in its certificate",
      apiError(undefined, "Cannot connect to API: self-signed certificate"),
      { code: "model/unreachable" },
    ],
    [
      "no key",
      Object.assign(new Error("API key is missing"), { name: "AI_LoadAPIKeyError" }),
      { code: "config/invalid" },
    ],
    [
      "an answer that is none",
      Object.assign(new Error("Invalid JSON"), { name: "AI_JSONParseError" }),
      { code: "model/protocol" },
    ],
    ["a defect", new Error("x is not a function"), { code: "model/server", retryable: false }],
  ];
  it.each(cases)("has the code of what it means: %s", async (_name, thrown, expected) => {
    expect(await failure(listen(fromAiSdk(sdkModel([thrown]))))).toMatchObject(expected);
  });

  it.each([
    "prompt is too long: 212000 tokens > 200000 maximum",
    "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576).",
    "Input is too long for requested model.",
    "This model's maximum prompt length is 131072 but the request contains 537812 tokens.",
    "too many tokens: total number of tokens in the prompt cannot exceed 4081",
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
  ])("is a context error in the provider's wording: %s", async (words) => {
    const error = await failure(listen(fromAiSdk(sdkModel([apiError(400, words)]))));

    expect(error).toMatchObject({ code: "model/context-length", retryable: false });
  });

  it.each([
    [{ type: "overloaded_error", message: "Overloaded" }, "model/overloaded"],
    [{ error: { message: "oops", code: 429 } }, "model/rate-limited"],
    ["maximum context length is 4096 tokens", "model/context-length"],
    [{ message: "something" }, "model/server"],
  ])("is read from an error that is sent inside the stream: %j", async (error, code) => {
    const sdk = sdkModel([{ type: "error", error }]);

    expect(await failure(listen(fromAiSdk(sdk)))).toMatchObject({ code });
  });

  it("carries the text and the usage, and is not repeated, once tokens had come", async () => {
    const sdk = sdkModel([said("Hel"), said("lo"), apiError(500, "oops")]);

    expect(await failure(listen(fromAiSdk(sdk)))).toMatchObject({
      code: "model/server",
      retryable: false,
      details: { text: "Hello", usage: { output: { total: 2 }, source: "estimated" } },
    });
  });

  it.each([
    ["without a finish", []],
    [
      "with one that says nothing",
      [{ ...FINISH, finishReason: { unified: "other" as const, raw: undefined } }],
    ],
    [
      "with one that says so",
      [{ ...FINISH, finishReason: { unified: "interrupted" as const, raw: "x" } }],
    ],
  ])("is a cut when a stream ends %s", async (_name, rest) => {
    const error = await failure(listen(fromAiSdk(sdkModel([said("Hel"), ...rest]))));

    expect(error).toMatchObject({ code: "model/cut", details: { text: "Hel" } });
  });

  it("does not repeat keys that a provider's message holds", async () => {
    const key = "sk-proj-abcdefghijklmnop";
    const error = await failure(
      listen(fromAiSdk(sdkModel([apiError(401, `Incorrect API key provided: ${key}.`)]))),
    );

    expect(error.message).toContain("[key]");
    expect(error.message).not.toContain(key);
  });
});
