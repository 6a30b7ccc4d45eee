import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { generateText, Output, stepCountIs, streamText, tool } from "ai";
import OpenAI, { APIError } from "openai";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import { startFaultServer } from "../../../src/test/fault-server.ts";
import { errorReply } from "../../../src/test/wire-reply.ts";
import { becomesTrue, MODEL, type ServedOptions, serveTwin } from "../twin/served-twin.ts";
import { serveGateway } from "./served-gateway.ts";

const SAILORS = [{ role: "user", content: "How many sailors are aboard?" }] as const;

/** What only vLLM knows. */
const ENDLESS = { ignore_eos: true };

/** A twin behind a gateway that calls it "large". */
async function scene(options: ServedOptions = {}) {
  const twin = await serveTwin(options);
  const gateway = await serveGateway({ large: { model: MODEL, endpoints: [{ url: twin.url }] } });
  return {
    twin,
    gateway,
    client: new OpenAI({ baseURL: gateway.url, apiKey: "none", maxRetries: 2 }),
    sdk: createOpenAICompatible({
      name: "gateway",
      baseURL: gateway.url,
      includeUsage: true,
      supportsStructuredOutputs: true,
    })("large"),
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await twin[Symbol.asyncDispose]();
    },
  };
}

describe("the openai package before a gateway", () => {
  it("gets a whole answer with its usage, and who gave it", async () => {
    await using at = await scene({ script: [{ text: "Twelve sailors." }] });

    const { data, response } = await at.client.chat.completions
      .create({ model: "large", messages: [...SAILORS] })
      .withResponse();

    expect(data.choices[0]?.message.content).toBe("Twelve sailors.");
    expect(data.usage).toMatchObject({ completion_tokens: 5 });
    expect(response.headers.get("x-bosun-endpoint")).toBe(new URL(at.twin.url).host);
  });

  it("streams, and puts tool calls together", async () => {
    const calls = [{ tool: "get_weather", arguments: { city: "Oslo" } }];
    await using at = await scene({ script: [{ text: "Let me look.", calls }] });
    const parameters = { type: "object", properties: { city: { type: "string" } } };

    const reply = await at.client.chat.completions
      .stream({
        model: "large",
        messages: [...SAILORS],
        tools: [{ type: "function", function: { name: "get_weather", parameters } }],
      })
      .finalChatCompletion();

    expect(reply.choices[0]).toMatchObject({
      finish_reason: "tool_calls",
      message: {
        content: "Let me look.",
        tool_calls: [{ function: { name: "get_weather", arguments: '{"city":"Oslo"}' } }],
      },
    });
  });

  it("frees the engine when it leaves a stream", async () => {
    await using at = await scene({ speed: 1 });

    const stream = await at.client.chat.completions.create({
      model: "large",
      messages: [...SAILORS],
      stream: true,
      max_tokens: 4_000,
      ...ENDLESS,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    await becomesTrue(() => at.twin.inFlight() === 0);
    await becomesTrue(() => at.gateway.pool.stats().endpoints[0]?.inFlight === 0);

    expect(at.gateway.pool.stats().endpoints[0]).toMatchObject({ reservedTokens: 0 });
  });

  it("does not repeat what the gateway has repeated", async () => {
    await using server = await startFaultServer({
      replies: () => errorReply(500, "the engine is dead"),
    });
    await using gateway = await serveGateway({
      large: { model: "test-model", endpoints: [{ url: server.url }] },
    });
    const client = new OpenAI({ baseURL: gateway.url, apiKey: "none", maxRetries: 2 });

    const error: unknown = await client.chat.completions
      .create({ model: "large", messages: [...SAILORS] })
      .catch((reason: unknown) => reason);

    expect(error).toBeInstanceOf(APIError);
    expect(server.calls).toHaveLength(4);
  });
});

describe("the AI SDK before a gateway", () => {
  it("streams a text with its usage", async () => {
    await using at = await scene({ script: [{ text: "Twelve sailors." }] });

    const { textStream, usage } = streamText({ model: at.sdk, prompt: "How many?" });
    const text = (await Array.fromAsync(textStream)).join("");

    expect([text, (await usage).outputTokens]).toEqual(["Twelve sailors.", 5]);
  });

  it("runs tools over several calls", async () => {
    const calls = [{ tool: "weather", arguments: { city: "Oslo" } }];
    await using at = await scene({ script: [{ text: "", calls }, { text: "It is sunny." }] });
    const weather = tool({
      description: "The weather of a city",
      inputSchema: z.object({ city: z.string() }),
      execute: async ({ city }) => `sunny in ${city}`,
    });

    const { text, steps } = await generateText({
      model: at.sdk,
      prompt: "How is the weather?",
      tools: { weather },
      stopWhen: stepCountIs(3),
    });

    expect([text, steps.length]).toEqual(["It is sunny.", 2]);
  });

  it("gets output that fits a schema", async () => {
    await using at = await scene();

    const { output } = await generateText({
      model: at.sdk,
      prompt: "How many?",
      output: Output.object({ schema: z.object({ count: z.int() }) }),
    });

    expect(output).toEqual({ count: expect.any(Number) });
  });
});
