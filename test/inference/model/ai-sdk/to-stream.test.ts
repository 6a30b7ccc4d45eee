import { isStepCount, Output, streamText, tool } from "ai";
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

describe("toAiSdk in streamText", () => {
  it("streams reasoning and text as they come, as blocks", async () => {
    const model = scriptedModel([{ deltas: ["Hel", "lo"], reasoning: "Hm." }]);

    const { stream } = await toAiSdk(model).doStream({
      prompt: [{ role: "user", content: [{ type: "text", text: "p" }] }],
    });
    const parts = await Array.fromAsync(stream);

    expect(parts.map(({ type }) => type)).toEqual([
      "stream-start",
      "reasoning-start",
      "reasoning-delta",
      "reasoning-end",
      "text-start",
      "text-delta",
      "text-delta",
      "text-end",
      "response-metadata",
      "finish",
    ]);
    expect(parts.at(-1)).toMatchObject({ usage: { raw: { estimated: true } } });
  });

  it("runs tools over several steps", async () => {
    const model = scriptedModel([{ calls: [CALL] }, { deltas: ["21", " degrees."] }]);

    const result = streamText({
      model: toAiSdk(model),
      prompt: "p",
      tools: { weather },
      stopWhen: isStepCount(3),
    });

    expect((await Array.fromAsync(result.textStream)).join("")).toBe("21 degrees.");
    expect((await result.steps).map(({ finishReason }) => finishReason)).toEqual([
      "tool-calls",
      "stop",
    ]);
    expect((await result.steps)[0]?.toolResults).toMatchObject([{ output: { celsius: 21 } }]);
  });

  it("streams objects as they grow", async () => {
    const model = scriptedModel([{ deltas: ['{"city":', '"Oslo"}'] }]);

    const result = streamText({
      model: toAiSdk(model),
      prompt: "p",
      output: Output.object({ schema: z.object({ city: z.string() }) }),
    });

    expect((await Array.fromAsync(result.partialOutputStream)).at(-1)).toEqual({ city: "Oslo" });
    expect(await result.output).toEqual({ city: "Oslo" });
  });

  it("tells a failure amid the answer as an error part, with what had been used", async () => {
    const usage = {
      input: { total: 3, cached: undefined },
      output: { total: 1, reasoning: undefined },
      source: "server" as const,
    };
    const failure = new BosunError("model/cut", "cut", { details: { text: "Hel", usage } });
    const model = {
      async *call() {
        yield { type: "text-delta" as const, text: "Hel" };
        throw failure;
      },
      contextTokens: async () => undefined,
    };
    const errors: unknown[] = [];

    const result = streamText({
      model: toAiSdk(model),
      prompt: "p",
      onError: ({ error }) => void errors.push(error),
    });
    await result.consumeStream();

    expect(errors).toEqual([failure]);
    expect(await result.finishReason).toBe("error");
    expect(await result.totalUsage).toMatchObject({ inputTokens: 3, outputTokens: 1 });
  });

  it("tells an abort as the SDK does, and ends the model's call", async () => {
    const controller = new AbortController();
    let isLeft = false;
    const model = {
      async *call(_request: unknown, signal: AbortSignal) {
        yield { type: "text-delta" as const, text: "Hel" };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        isLeft = true;
        throw new BosunError("model/cancelled", "cancelled");
      },
      contextTokens: async () => undefined,
    };
    const result = streamText({
      model: toAiSdk(model),
      prompt: "p",
      abortSignal: controller.signal,
    });

    const seen: string[] = [];
    for await (const part of result.stream) {
      seen.push(part.type);
      if (part.type === "text-delta") controller.abort();
    }

    expect(isLeft).toBe(true);
    expect(seen.at(-1)).toBe("abort");
  });

  it("ends the model's call when the stream is cancelled", async () => {
    let isLeft = false;
    const model = {
      async *call(_request: unknown, signal: AbortSignal) {
        try {
          for (let n = 0; !signal.aborted; n++) yield { type: "text-delta" as const, text: `${n}` };
        } finally {
          isLeft = signal.aborted;
        }
      },
      contextTokens: async () => undefined,
    };
    const prompt = [{ role: "user" as const, content: [{ type: "text" as const, text: "p" }] }];

    const { stream } = await toAiSdk(model).doStream({ prompt });
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel();

    expect(isLeft).toBe(true);
  });
});
