// The AI SDK's functions over an endpoint of ours and over a pool, with real sockets.

import { generateText, isStepCount, streamText, tool } from "ai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { toAiSdk, type ToAiSdkOptions } from "../../../../src/ai-sdk.ts";
import { createBosun } from "../../../../src/bosun.ts";
import { systemClock } from "../../../../src/clock.ts";
import { createEndpointModel, endpoint } from "../../../../src/model.ts";
import { startFaultServer } from "../../../../src/test/fault-server.ts";
import {
  chunk,
  DONE,
  errorReply,
  finishChunk,
  head,
  STALL,
  streamReply,
  textReply,
  usageChunk,
  type WireReply,
  write,
} from "../../../../src/test/wire-reply.ts";

const SPEAKING: WireReply = [head(), write(chunk({ content: "one " })), STALL];

function sdkAt(server: { readonly url: string }, options?: ToAiSdkOptions) {
  return toAiSdk(
    createEndpointModel({ endpoint: endpointAt(server), clock: systemClock }),
    options,
  );
}

function endpointAt({ url }: { readonly url: string }) {
  return endpoint({ url, model: "test-model", dialect: "vllm" });
}

const weather = tool({
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => `21 in ${city}`,
});

describe("an endpoint under the AI SDK", () => {
  it("answers generateText, over the steps of a tool loop", async () => {
    const call = {
      index: 0,
      id: "c1",
      function: { name: "weather", arguments: '{"city":"Oslo"}' },
    };
    const calling = streamReply(
      chunk({ tool_calls: [call] }),
      finishChunk("tool_calls"),
      usageChunk(),
      DONE,
    );
    await using server = await startFaultServer({ replies: [calling, textReply("21 ", "there")] });

    const result = await generateText({
      model: sdkAt(server),
      prompt: "How warm is Oslo?",
      tools: { weather },
      stopWhen: isStepCount(3),
    });

    expect(result.text).toBe("21 there");
    expect(result.totalUsage).toMatchObject({ inputTokens: 22, outputTokens: 6 });
    expect(result.response.modelId).toBe("test-model");
    expect(server.calls[1]?.body).toMatchObject({
      messages: [
        { role: "user" },
        { role: "assistant", tool_calls: [{ id: "c1" }] },
        { role: "tool", tool_call_id: "c1", content: "21 in Oslo" },
      ],
    });
  });

  it("sends what stands under providerOptions.bosun in the body", async () => {
    await using server = await startFaultServer({ replies: [textReply("ok")] });

    await generateText({
      model: sdkAt(server),
      prompt: "p",
      reasoning: "none",
      providerOptions: { bosun: { top_k: 40 } },
    });

    expect(server.calls[0]?.body).toMatchObject({
      top_k: 40,
      chat_template_kwargs: { enable_thinking: false },
    });
  });

  it("fails with the Bosun error after one call", async () => {
    const busy = errorReply(429, "slow down", { "retry-after": "2" });
    await using server = await startFaultServer({ replies: [busy, textReply("never")] });

    const call = generateText({ model: sdkAt(server), prompt: "p" });

    await expect(call).rejects.toMatchObject({
      code: "model/rate-limited",
      details: { retryAfterMs: 2_000 },
    });
    expect(server.calls).toHaveLength(1);
  });

  it("closes the socket when generateText is aborted", async () => {
    await using server = await startFaultServer({ replies: [SPEAKING] });
    const controller = new AbortController();

    const call = generateText({
      model: sdkAt(server),
      prompt: "p",
      abortSignal: controller.signal,
    }).catch((error: unknown) => error);
    await server.received(0);
    controller.abort();

    expect(await call).toMatchObject({ name: "AbortError", cause: { code: "model/cancelled" } });
    expect(await server.closed(0)).toBe("client");
  });

  it("closes the socket when streamText is aborted amid its answer", async () => {
    await using server = await startFaultServer({ replies: [SPEAKING] });
    const controller = new AbortController();
    const result = streamText({
      model: sdkAt(server),
      prompt: "p",
      abortSignal: controller.signal,
    });

    const seen: string[] = [];
    for await (const part of result.stream) {
      seen.push(part.type);
      if (part.type === "text-delta") controller.abort();
    }

    expect(seen.at(-1)).toBe("abort");
    expect(await server.closed(0)).toBe("client");
  });

  it("honours the time-outs of the adapter", async () => {
    await using server = await startFaultServer({ replies: [SPEAKING] });

    const call = generateText({
      model: sdkAt(server, { timeouts: { interTokenMs: 30 } }),
      prompt: "p",
    });

    await expect(call).rejects.toMatchObject({ code: "model/timed-out" });
    expect(await server.closed(0)).toBe("client");
  });
});

describe("the pool of a Bosun under the AI SDK", () => {
  it("repeats what may pass, and falls back to the next model", async () => {
    await using busy = await startFaultServer({
      replies: [errorReply(503, "busy"), errorReply(400, "no")],
    });
    await using other = await startFaultServer({ replies: [textReply("from the other")] });
    const bosun = createBosun({
      data: false,
      env: {},
      models: { large: endpointAt(busy), small: endpointAt(other) },
    });

    const model = toAiSdk(bosun.pool, { model: ["large", "small"] });
    const result = await generateText({ model, prompt: "p" });
    await bosun.close();

    expect(result.text).toBe("from the other");
    expect(model.modelId).toBe("large");
    expect(busy.calls).toHaveLength(2);
  });
});
