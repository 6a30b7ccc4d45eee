import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import {
  APICallError,
  generateText,
  type LanguageModel,
  Output,
  stepCountIs,
  streamText,
  tool,
} from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { becomesTrue, MODEL, serveTwin, type ServedTwin } from "./served-twin.ts";

const modelOf = ({ url }: ServedTwin): LanguageModel =>
  createOpenAICompatible({
    name: "twin",
    baseURL: url,
    includeUsage: true,
    supportsStructuredOutputs: true,
  })(MODEL);

const weather = tool({
  description: "The weather of a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `sunny in ${city}`,
});

describe("the AI SDK with its openai-compatible provider", () => {
  it("generates a text with its usage", async () => {
    await using served = await serveTwin({ script: [{ text: "Twelve sailors." }] });

    const { text, usage, finishReason } = await generateText({
      model: modelOf(served),
      prompt: "How many?",
    });

    expect([text, finishReason, usage.outputTokens]).toEqual(["Twelve sailors.", "stop", 5]);
  });

  it("streams a text", async () => {
    await using served = await serveTwin({
      speed: 1, // a faster twin has several tokens between two turns of the event loop
      script: [{ text: "Twelve sailors are aboard." }],
    });

    const result = streamText({ model: modelOf(served), prompt: "How many?" });
    const parts = await Array.fromAsync(result.textStream);

    expect(parts.join("")).toBe("Twelve sailors are aboard.");
    expect(parts.length).toBeGreaterThan(1);
    expect((await result.usage).outputTokens).toBe(7);
  });

  it("runs a tool and goes on", async () => {
    await using served = await serveTwin({
      script: [
        { match: "sunny", text: "It is sunny." },
        { calls: [{ tool: "weather", arguments: { city: "Oslo" } }] },
      ],
    });

    const result = streamText({
      model: modelOf(served),
      prompt: "How is it in Oslo?",
      tools: { weather },
      stopWhen: stepCountIs(3),
    });

    expect(await result.text).toBe("It is sunny.");
    const steps = await result.steps;
    expect(steps[0]?.toolResults).toMatchObject([{ toolName: "weather", output: "sunny in Oslo" }]);
  });

  it("gets an object that fits its schema", async () => {
    await using served = await serveTwin();

    const { output } = await generateText({
      model: modelOf(served),
      prompt: "How many?",
      output: Output.object({ schema: z.object({ sailors: z.number().int(), ship: z.string() }) }),
    });

    expect(output).toEqual({ sailors: expect.any(Number), ship: expect.any(String) });
  });

  it("gets vLLM's message of a refusal", async () => {
    await using served = await serveTwin();
    const error: unknown = await generateText({
      model: modelOf(served),
      prompt: "word ".repeat(9_000),
      maxRetries: 0,
    }).catch((reason: unknown) => reason);

    expect(APICallError.isInstance(error) && [error.statusCode, error.message]).toEqual([
      400,
      expect.stringContaining("maximum context length is 8192 tokens"),
    ]);
  });

  it("repeats after a 503 by itself", async () => {
    await using served = await serveTwin({ script: [{ text: "Twelve." }], faults: ["503; p=0.5"] });
    const texts = await Promise.all(
      Array.from({ length: 2 }, () =>
        generateText({ model: modelOf(served), prompt: "How many?", maxRetries: 8 }).then(
          ({ text }) => text,
        ),
      ),
    );

    expect(texts).toEqual(["Twelve.", "Twelve."]);
  }, 30_000);

  it("frees the engine when it aborts", async () => {
    await using served = await serveTwin({ speed: 1 });
    const left = new AbortController();
    const result = streamText({
      model: modelOf(served),
      prompt: "Count.",
      abortSignal: left.signal,
      providerOptions: { twin: { ignore_eos: true } },
    });
    for await (const part of result.textStream) if (part !== "") left.abort();

    await becomesTrue(() => served.inFlight() === 0);
    expect(served.twin.metrics()).toContain(
      'finished_reason="abort",engine="0",model_name="Qwen/Qwen3-8B"} 1.0',
    );
  });
});
