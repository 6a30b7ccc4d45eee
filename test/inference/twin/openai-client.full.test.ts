import OpenAI, {
  APIError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from "openai";
import { describe, expect, it } from "vitest";
import { becomesTrue, MODEL, serveTwin, type ServedTwin } from "./served-twin.ts";

const SAILORS = [{ role: "user", content: "How many sailors are aboard?" }] as const;
const TOOLS = [
  {
    type: "function",
    function: {
      name: "get_weather",
      parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
    },
  },
] as const;

const clientOf = ({ url }: ServedTwin, more: object = {}): OpenAI =>
  new OpenAI({ baseURL: url, apiKey: "none", maxRetries: 0, ...more });

/** What a call was refused with. */
async function refusal(call: Promise<unknown>): Promise<APIError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof APIError) return error;
  throw new Error("it was not refused", { cause: error });
}

/** What only vLLM knows. */
const ENDLESS = { ignore_eos: true };

/** Options of a call that meets a fault. */
function meeting(text: string): { readonly headers: Record<string, string> } {
  return { headers: { "x-bosun-fault": text } };
}

describe("the openai package", () => {
  it("gets a whole answer with its usage", async () => {
    await using served = await serveTwin({ script: [{ text: "Twelve sailors." }] });

    const reply = await clientOf(served).chat.completions.create({
      model: MODEL,
      messages: [...SAILORS],
    });

    expect(reply.choices[0]?.message.content).toBe("Twelve sailors.");
    expect(reply.usage).toMatchObject({
      completion_tokens: 5,
      prompt_tokens_details: { cached_tokens: 0 },
    });
  });

  it("streams a text, with usage and the server's own times at the end", async () => {
    await using served = await serveTwin({
      speed: 1, // a faster twin has several tokens between two turns of the event loop
      script: [{ text: "Twelve sailors are aboard." }],
    });

    const stream = await clientOf(served).chat.completions.create({
      model: MODEL,
      messages: [...SAILORS],
      stream: true,
      stream_options: { include_usage: true },
    });
    const chunks = await Array.fromAsync(stream);

    expect(chunks.map(({ choices }) => choices[0]?.delta.content ?? "").join("")).toBe(
      "Twelve sailors are aboard.",
    );
    expect(chunks.length).toBeGreaterThan(4);
    expect(chunks.at(-1)?.usage?.completion_tokens).toBe(7);
    expect(chunks.at(-1)).toMatchObject({
      metrics: { time_to_first_token_ms: expect.any(Number) },
    });
  });

  it("puts streamed tool calls together with its own helper", async () => {
    await using served = await serveTwin({
      script: [
        {
          text: "Let me look.",
          calls: [
            { tool: "get_weather", arguments: { city: "Oslo" } },
            { tool: "get_weather", arguments: { city: "Bergen" } },
          ],
        },
      ],
    });

    const reply = await clientOf(served)
      .chat.completions.stream({ model: MODEL, messages: [...SAILORS], tools: [...TOOLS] })
      .finalChatCompletion();

    expect(reply.choices[0]?.finish_reason).toBe("tool_calls");
    expect(reply.choices[0]?.message.tool_calls).toMatchObject([
      { function: { name: "get_weather", arguments: '{"city":"Oslo"}' } },
      { function: { name: "get_weather", arguments: '{"city":"Bergen"}' } },
    ]);
  });

  it("parses JSON that fits its schema", async () => {
    await using served = await serveTwin();
    const schema = {
      type: "object",
      properties: { count: { type: "integer" } },
      required: ["count"],
      additionalProperties: false,
    };

    const reply = await clientOf(served).chat.completions.create({
      model: MODEL,
      messages: [...SAILORS],
      response_format: { type: "json_schema", json_schema: { name: "crew", schema } },
    });

    expect(JSON.parse(reply.choices[0]?.message.content ?? "")).toEqual({
      count: expect.any(Number),
    });
  });

  it("meets completions, embeddings, models and log probabilities", async () => {
    await using served = await serveTwin();
    const client = clientOf(served);

    const completion = await client.completions.create({
      model: MODEL,
      prompt: "There",
      max_tokens: 3,
    });
    const { data } = await client.embeddings.create({ model: MODEL, input: ["a", "b"] });
    const models = await Array.fromAsync(client.models.list());
    const told = await client.chat.completions.create({
      model: MODEL,
      messages: [...SAILORS],
      max_tokens: 2,
      logprobs: true,
      top_logprobs: 1,
    });

    expect(completion.choices[0]).toMatchObject({
      finish_reason: "length",
      text: expect.stringMatching(/\S/),
    });
    expect(data.map(({ embedding }) => embedding.length)).toEqual([384, 384]);
    expect(models).toMatchObject([{ id: MODEL, max_model_len: 8_192 }]);
    expect(told.choices[0]?.logprobs?.content).toHaveLength(2);
  });

  it("gets its own error classes for vLLM's refusals", async () => {
    await using served = await serveTwin({ serving: { enableAutoToolChoice: false } });
    const { completions } = clientOf(served).chat;
    const ask = { model: MODEL, messages: [...SAILORS] };

    const tooLong = await refusal(completions.create({ ...ask, max_tokens: 9_000 }));
    const unknown = await refusal(completions.create({ ...ask, model: "gpt-9" }));
    const tools = await refusal(completions.create({ ...ask, tools: [...TOOLS] }));

    expect(tooLong).toBeInstanceOf(BadRequestError);
    expect(tooLong).toMatchObject({ code: 400, type: "BadRequestError", param: "input_tokens" });
    expect(tooLong.message).toContain("maximum context length is 8192 tokens");
    expect(unknown).toBeInstanceOf(NotFoundError);
    expect(tools.message).toContain("--enable-auto-tool-choice");
  });

  it("waits as long as Retry-After says and tries again", async () => {
    await using served = await serveTwin();
    const client = clientOf(served);
    const ask = { model: MODEL, messages: [...SAILORS] };

    const limited = await refusal(
      client.chat.completions.create(ask, meeting("429; retry-after=2")),
    );
    const dead = await refusal(client.chat.completions.create(ask, meeting("500")));

    expect(limited).toBeInstanceOf(RateLimitError);
    expect(limited.headers?.get("retry-after")).toBe("2");
    expect(dead).toBeInstanceOf(InternalServerError);
  });

  it("sees a stream break off, and one that is no JSON", async () => {
    await using served = await serveTwin();
    const client = clientOf(served);
    const read = async (fault: string): Promise<number> => {
      const stream = await client.chat.completions.create(
        { model: MODEL, messages: [...SAILORS], stream: true },
        { headers: { "x-bosun-fault": fault } },
      );
      let count = 0;
      for await (const chunk of stream) if (chunk.choices[0]?.delta.content) count++;
      return count;
    };

    await expect(read("cut; after=5")).rejects.toMatchObject({
      message: expect.stringMatching(/terminated|socket|aborted/i),
    });
    await expect(read("malformed; after=5")).rejects.toBeInstanceOf(SyntaxError);
    await expect(read("engine-death; after=5")).rejects.toMatchObject({
      message: expect.stringContaining("EngineCore"),
    });
  });

  it("frees the engine when it leaves a stream", async () => {
    await using served = await serveTwin({ speed: 1 });

    const stream = await clientOf(served).chat.completions.create({
      model: MODEL,
      messages: [...SAILORS],
      stream: true,
      max_tokens: 4_000,
      ...ENDLESS,
    });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
    await becomesTrue(() => served.inFlight() === 0);

    expect(served.twin.metrics()).toContain(
      'finished_reason="abort",engine="0",model_name="Qwen/Qwen3-8B"} 1.0',
    );
  });

  it("finds the prefix of an earlier call in the cache", async () => {
    await using served = await serveTwin();
    const system = { role: "system", content: "You keep the ship's log. ".repeat(60) } as const;
    const ask = (content: string) =>
      clientOf(served).chat.completions.create({
        model: MODEL,
        messages: [system, { role: "user", content }],
        max_tokens: 2,
      });

    await ask("Who is aboard?");
    const { usage } = await ask("Where are we?");

    const cached = usage?.prompt_tokens_details?.cached_tokens ?? 0;
    expect(cached).toBeGreaterThan(300);
    expect(cached % 16).toBe(0);
    expect(cached).toBeLessThan(usage?.prompt_tokens ?? 0);
  });
});
