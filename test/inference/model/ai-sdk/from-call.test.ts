import type { LanguageModelV2, LanguageModelV3, LanguageModelV4 } from "@ai-sdk/provider";
import { describe, expect, it } from "vitest";
import { fromAiSdk } from "../../../../src/ai-sdk.ts";
import { FINISH, listen, REQUEST, said, sdkModel, STOP, USAGE } from "./sdk-model.ts";

describe("a call of a model from the AI SDK", () => {
  it("streams reasoning and text, and ends with finish, usage and the model that answered", async () => {
    const sdk = sdkModel([
      { type: "stream-start", warnings: [] },
      { type: "response-metadata", modelId: "acme-1-2026" },
      { type: "reasoning-delta", id: "r", delta: "Hm." },
      { type: "ping" },
      said("Hel"),
      said("lo"),
      FINISH,
    ]);

    const events = await listen(fromAiSdk(sdk));

    expect(events.slice(0, -1)).toEqual([
      { type: "start", endpoint: "acme.chat", model: "acme-1", attempt: 1 },
      { type: "reasoning-delta", text: "Hm." },
      { type: "text-delta", text: "Hel" },
      { type: "text-delta", text: "lo" },
    ]);
    expect(events.at(-1)).toMatchObject({
      type: "end",
      text: "Hello",
      reasoning: "Hm.",
      calls: [],
      finish: { unified: "stop", raw: "end_turn" },
      usage: {
        input: { total: 12, cached: 4 },
        output: { total: 9, reasoning: 5 },
        source: "server",
        raw: { prompt_tokens: 12 },
      },
      endpoint: "acme.chat",
      model: "acme-1-2026",
    });
  });

  it("says messages, tools, the output's schema and settings in the SDK's words", async () => {
    const sdk = sdkModel([said("ok"), FINISH]);
    const parameters = { type: "object", properties: { city: { type: "string" } } };
    const call = { id: "c1", tool: "weather", arguments: '{"city":"Oslo"}' };
    const broken = { id: "c2", tool: "weather", arguments: '{"city' };

    await listen(fromAiSdk(sdk), {
      ...REQUEST,
      messages: [
        { role: "system", content: "Be brief" },
        { role: "user", content: "Weather?" },
        { role: "assistant", content: "", calls: [call, broken] },
        { role: "tool", content: "21", callId: "c1", tool: "weather" },
        { role: "tool", content: "no JSON", callId: "c2", tool: "weather" },
      ],
      tools: [{ name: "weather", description: "d", parameters }],
      toolChoice: "required",
      output: { name: "place", schema: parameters },
      settings: { temperature: 0.2, topP: 0.9, seed: 7, stop: ["END"], extraBody: { top_k: 3 } },
      defaults: { maxTokens: 100, thinking: { budgetTokens: 20 } },
    });

    const { abortSignal, ...options } = sdk.asked[0] ?? {};
    expect(abortSignal).toBeInstanceOf(AbortSignal);
    expect(options).toEqual({
      prompt: [
        { role: "system", content: "Be brief" },
        { role: "user", content: [{ type: "text", text: "Weather?" }] },
        {
          role: "assistant",
          content: [
            { type: "tool-call", toolCallId: "c1", toolName: "weather", input: { city: "Oslo" } },
            {
              type: "tool-call",
              toolCallId: "c2",
              toolName: "weather",
              input: { arguments: '{"city' },
            },
          ],
        },
        {
          role: "tool",
          content: [
            {
              type: "tool-result",
              toolCallId: "c1",
              toolName: "weather",
              output: { type: "text", value: "21" },
            },
            {
              type: "tool-result",
              toolCallId: "c2",
              toolName: "weather",
              output: { type: "text", value: "no JSON" },
            },
          ],
        },
      ],
      tools: [{ type: "function", name: "weather", description: "d", inputSchema: parameters }],
      toolChoice: { type: "required" },
      responseFormat: { type: "json", name: "place", schema: parameters },
      temperature: 0.2,
      topP: 0.9,
      seed: 7,
      stopSequences: ["END"],
      maxOutputTokens: 120,
      reasoning: "minimal",
      providerOptions: { acme: { top_k: 3 } },
    });
  });

  it.each([
    [undefined, undefined],
    [false, "none"],
    [true, "medium"],
    [{ budgetTokens: 0 }, "none"],
    [{ budgetTokens: 6_000 }, "low"],
    [{ budgetTokens: 100_000 }, "high"],
  ])("says thinking %j as the level %s", async (thinking, level) => {
    const sdk = sdkModel([said("ok"), FINISH]);

    await listen(fromAiSdk(sdk), { ...REQUEST, settings: { thinking } });

    expect(sdk.asked[0]?.reasoning).toBe(level);
  });

  it("collects tool calls, but not those that the provider runs itself", async () => {
    const sdk = sdkModel([
      { type: "tool-input-start", id: "c1", toolName: "weather" },
      { type: "tool-input-delta", id: "c1", delta: '{"city":' },
      { type: "tool-input-delta", id: "c1", delta: '"Oslo"}' },
      { type: "tool-input-end", id: "c1" },
      { type: "tool-call", toolCallId: "c1", toolName: "weather", input: '{"city":"Oslo"}' },
      { type: "tool-input-start", id: "c2", toolName: "search" },
      {
        type: "tool-call",
        toolCallId: "c2",
        toolName: "search",
        input: "{}",
        providerExecuted: true,
      },
      FINISH,
    ]);

    const events = await listen(fromAiSdk(sdk));

    expect(events.at(-1)).toMatchObject({
      calls: [{ id: "c1", tool: "weather", arguments: '{"city":"Oslo"}' }],
      finish: { unified: "tool-calls", raw: "end_turn" },
    });
  });

  it("asks for one whole reply where the request does", async () => {
    const sdk: LanguageModelV4 = {
      ...sdkModel(),
      doGenerate: async () => ({
        content: [
          { type: "reasoning", text: "Hm." },
          { type: "text", text: "Hello" },
          { type: "tool-call", toolCallId: "c1", toolName: "t", input: "{}" },
        ],
        finishReason: STOP,
        usage: USAGE,
        warnings: [],
        response: { modelId: "acme-1-2026" },
      }),
    };

    const events = await listen(fromAiSdk(sdk), { ...REQUEST, stream: false });

    expect(events.at(-1)).toMatchObject({
      text: "Hello",
      reasoning: "Hm.",
      calls: [{ id: "c1" }],
      model: "acme-1-2026",
    });
  });

  it("estimates the usage that a provider does not give, and says so", async () => {
    const none = { total: undefined, noCache: undefined, cacheRead: undefined };
    const usage = {
      inputTokens: { ...none, cacheWrite: undefined },
      outputTokens: { total: undefined, text: undefined, reasoning: undefined },
    };
    const sdk = sdkModel([said("Hello"), { type: "finish", finishReason: STOP, usage }]);

    const events = await listen(fromAiSdk(sdk));

    expect(events.at(-1)).toMatchObject({
      usage: { input: { total: 5 }, output: { total: 2 }, source: "estimated" },
    });
  });

  it("keeps reading models of the older specifications", async () => {
    const parts = [
      said("Hello"),
      {
        type: "finish",
        finishReason: "length",
        usage: { inputTokens: 3, outputTokens: 2, totalTokens: 5, cachedInputTokens: 1 },
      },
    ];
    const doStream = async () => ({ stream: ReadableStream.from(parts) });
    const old = { ...sdkModel(), specificationVersion: "v2", doStream };
    const newer = { ...sdkModel([said("Hello"), FINISH]), specificationVersion: "v3" };

    const v2 = await listen(fromAiSdk(old as unknown as LanguageModelV2));
    const v3 = await listen(fromAiSdk(newer as unknown as LanguageModelV3));

    expect(v2.at(-1)).toMatchObject({
      text: "Hello",
      finish: { unified: "length", raw: "length" },
      usage: { input: { total: 3, cached: 1 }, output: { total: 2 }, source: "server" },
    });
    expect(v3.at(-1)).toMatchObject({ text: "Hello", finish: { raw: "end_turn" } });
  });
});
