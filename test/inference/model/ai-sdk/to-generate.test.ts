import { generateObject, generateText, isStepCount, Output, tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toAiSdk } from "../../../../src/ai-sdk.ts";
import { BosunError } from "../../../../src/error.ts";
import { scriptedModel } from "../../../../src/test/scripted-model.ts";

const weather = tool({
  description: "The weather of a place",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, celsius: 21 }),
});

globalThis.AI_SDK_LOG_WARNINGS = false; // they are read from the results

const CALL = { tool: "weather", arguments: { city: "Oslo" } };

describe("toAiSdk in generateText", () => {
  it("answers with text, reasoning, usage, finish and the model's name", async () => {
    const usage = {
      input: { total: 12, cached: 4 },
      output: { total: 9, reasoning: 5 },
      source: "server" as const,
    };
    const model = scriptedModel([{ text: "Hello.", reasoning: "A greeting.", usage }]);

    const result = await generateText({ model: toAiSdk(model), prompt: "Say hello" });

    expect(result).toMatchObject({ text: "Hello.", reasoningText: "A greeting." });
    expect(result).toMatchObject({ finishReason: "stop", rawFinishReason: "stop", warnings: [] });
    expect(result.usage).toMatchObject({ inputTokens: 12, outputTokens: 9, totalTokens: 21 });
    expect(result.usage.inputTokenDetails).toMatchObject({ cacheReadTokens: 4, noCacheTokens: 8 });
    expect(result.usage.outputTokenDetails).toMatchObject({ reasoningTokens: 5, textTokens: 4 });
    expect(result.response.modelId).toBe("scripted");
    expect(result.providerMetadata?.["bosun"]).toMatchObject({ endpoint: "scripted" });
  });

  it("passes on messages and settings, and fields for the server's body", async () => {
    const model = scriptedModel(["ok"]);

    await generateText({
      model: toAiSdk(model, { model: ["large", "small"], timeouts: { totalMs: 5_000 } }),
      instructions: "Be brief",
      prompt: "Hi",
      temperature: 0.2,
      topP: 0.9,
      seed: 7,
      stopSequences: ["END"],
      maxOutputTokens: 50,
      providerOptions: { bosun: { top_k: 40 } },
    });

    expect(model.requests[0]).toMatchObject({
      models: ["large", "small"],
      messages: [
        { role: "system", content: "Be brief" },
        { role: "user", content: "Hi" },
      ],
      settings: {
        temperature: 0.2,
        topP: 0.9,
        seed: 7,
        stop: ["END"],
        maxTokens: 50,
        extraBody: { top_k: 40 },
      },
      timeouts: { totalMs: 5_000 },
    });
  });

  it("runs tools over several steps, with the results in the next call", async () => {
    const model = scriptedModel([{ text: "I look.", calls: [CALL] }, "21 degrees."]);

    const result = await generateText({
      model: toAiSdk(model),
      prompt: "How warm is Oslo?",
      tools: { weather },
      stopWhen: isStepCount(3),
    });

    expect(result.text).toBe("21 degrees.");
    expect(result.steps.map(({ finishReason }) => finishReason)).toEqual(["tool-calls", "stop"]);
    expect(model.requests[0]?.tools).toMatchObject([
      { name: "weather", description: "The weather of a place", parameters: { type: "object" } },
    ]);
    expect(model.requests[1]?.messages.slice(1)).toEqual([
      {
        role: "assistant",
        content: "I look.",
        calls: [{ id: "call-1-1", tool: "weather", arguments: '{"city":"Oslo"}' }],
      },
      {
        role: "tool",
        content: '{"city":"Oslo","celsius":21}',
        callId: "call-1-1",
        tool: "weather",
      },
    ]);
  });

  it("lets the model see what was wrong with arguments that are no JSON", async () => {
    const model = scriptedModel([{ calls: [{ ...CALL, arguments: '{"city":' }] }, "Sorry."]);

    const result = await generateText({
      model: toAiSdk(model),
      prompt: "p",
      tools: { weather },
      stopWhen: isStepCount(2),
    });

    expect(result.text).toBe("Sorry.");
    expect(model.requests[1]?.messages[1]).toMatchObject({ calls: [{ tool: "weather" }] });
    expect(model.requests[1]?.messages[2]?.content).toContain("weather");
  });

  it("offers only the tool that toolChoice names, and requires it", async () => {
    const model = scriptedModel([{ calls: [{ ...CALL, tool: "other" }] }]);

    await generateText({
      model: toAiSdk(model),
      prompt: "p",
      tools: { weather, other: weather },
      toolChoice: { type: "tool", toolName: "other" },
    });

    expect(model.requests[0]).toMatchObject({ tools: [{ name: "other" }], toolChoice: "required" });
  });

  it("warns of settings that have no effect", async () => {
    const model = scriptedModel(["ok"]);

    const { warnings } = await generateText({
      model: toAiSdk(model),
      prompt: "p",
      topK: 5,
      presencePenalty: 0.5,
      frequencyPenalty: 0.5,
      reasoning: "high",
      headers: { "x-team": "a" },
      tools: { strict: tool({ inputSchema: z.object({}), strict: true }) },
    });

    const said = warnings?.map((warning) =>
      "feature" in warning ? warning.feature : warning.type,
    );
    expect(said).toEqual([
      "topK",
      "presencePenalty",
      "frequencyPenalty",
      "strict tools",
      "headers",
      "reasoning high",
    ]);
    expect(model.requests[0]?.settings).toEqual({ thinking: true });
  });

  it("refuses images and files, without loading them", async () => {
    const model = scriptedModel(["never"]);
    const content = [
      { type: "text" as const, text: "What is this?" },
      {
        type: "file" as const,
        mediaType: "image/png",
        data: new URL("https://files.invalid/cat.png"),
      },
    ];

    const call = generateText({
      model: toAiSdk(model),
      messages: [{ role: "user", content }],
    });

    await expect(call).rejects.toMatchObject({
      code: "model/bad-request",
      message: expect.stringContaining("image/png"),
    });
    expect(model.requests).toEqual([]);
  });

  it("rejects with the Bosun error, and does not let the SDK repeat the call", async () => {
    const failure = new BosunError("model/rate-limited", "slow down", { retryable: true });
    const model = scriptedModel([failure, "never"]);

    const call = generateText({ model: toAiSdk(model), prompt: "p" });

    await expect(call).rejects.toBe(failure);
    expect(model.requests).toHaveLength(1);
  });

  it("rejects with an AbortError when the call is aborted, whose cause is the Bosun error", async () => {
    const model = scriptedModel(() => {
      controller.abort();
      return "late";
    });
    const controller = new AbortController();

    const call = generateText({
      model: toAiSdk(model),
      prompt: "p",
      abortSignal: controller.signal,
    });

    await expect(call).rejects.toMatchObject({
      name: "AbortError",
      cause: { code: "model/cancelled" },
    });
  });

  it("answers with an object of a schema, in both ways of the SDK", async () => {
    const schema = z.object({ city: z.string() });
    const model = scriptedModel(['{"city":"Oslo"}', '{"city":"Bergen"}']);

    const first = await generateText({
      model: toAiSdk(model),
      prompt: "p",
      output: Output.object({ schema, name: "place" }),
    });
    const second = await generateObject({ model: toAiSdk(model), prompt: "p", schema });

    expect([first.output, second.object]).toEqual([{ city: "Oslo" }, { city: "Bergen" }]);
    expect(model.requests.map(({ output }) => output)).toMatchObject([
      { name: "place", schema: { properties: { city: { type: "string" } } } },
      { name: "answer", schema: { properties: { city: { type: "string" } } } },
    ]);
  });
});
