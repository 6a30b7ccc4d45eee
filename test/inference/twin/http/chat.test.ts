import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { CHAT, chat, type Chunk, chunksIn, createApp, textIn } from "./ask.ts";

const TWELVE = [{ text: "There are twelve sailors aboard." }];
const WEATHER = {
  type: "function",
  function: {
    name: "get_weather",
    parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] },
  },
};
const CALL = [{ calls: [{ tool: "get_weather", arguments: { city: "Paris" } }] }];

/** The shape of a value: keys in order, and kinds. Lists by their first item. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.length > 0 ? [shapeOf(value[0])] : [];
  if (typeof value !== "object" || value === null) return value === null ? "null" : typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, shapeOf(inner)]));
}

function fixture(name: string): readonly Chunk[] {
  const url = new URL(`../../../fixtures/streams/${name}.sse`, import.meta.url);
  return chunksIn(readFileSync(url, "utf8"));
}

/** The shapes of a stream's first and last chunks: what lies between depends on the tokenizer. */
function ends(all: readonly Chunk[], first: number, last: number = first): unknown[] {
  return [...all.slice(0, first), ...all.slice(-last)].map(shapeOf);
}

describe("POST /v1/chat/completions", () => {
  it("answers as vLLM does, and says in a header that it is simulated", async () => {
    const { request } = createApp({ script: TWELVE });

    const response = await request(CHAT, chat());

    expect(response.headers.get("x-bosun-twin")).toBe("simulated");
    const prompt = expect.any(Number);
    expect(await response.json()).toEqual({
      id: "chatcmpl-1",
      object: "chat.completion",
      created: 0,
      model: "Qwen/Qwen3-8B",
      choices: [
        {
          index: 0,
          message: {
            role: "assistant",
            content: "There are twelve sailors aboard.",
            refusal: null,
            annotations: null,
            audio: null,
            function_call: null,
            tool_calls: [],
            reasoning: null,
          },
          logprobs: null,
          finish_reason: "stop",
          stop_reason: null,
          token_ids: null,
        },
      ],
      service_tier: null,
      system_fingerprint: null,
      usage: {
        prompt_tokens: prompt,
        total_tokens: prompt,
        completion_tokens: 8,
        prompt_tokens_details: null,
      },
      prompt_logprobs: null,
      prompt_token_ids: null,
      kv_transfer_params: null,
    });
  });

  it("streams in the shapes of vLLM's own stream", async () => {
    const { request } = createApp({ script: TWELVE, enablePromptTokensDetails: true });

    const response = await request(
      CHAT,
      chat({ stream: true, stream_options: { include_usage: true } }),
    );
    const chunks = chunksIn(await response.text());

    const recorded = fixture("vllm-text");
    expect(ends(chunks, 2)).toEqual(ends(recorded, 2));
    expect(JSON.stringify(ends(chunks, 2))).toBe(JSON.stringify(ends(recorded, 2))); // the order of keys too
    expect(textIn(chunks)).toBe("There are twelve sailors aboard.");
    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
  });

  it("streams a tool call in the shapes of vLLM's", async () => {
    const { request } = createApp({ script: CALL, replica: { chunk: 1 } });

    const chunks = chunksIn(
      await (await request(CHAT, chat({ tools: [WEATHER], stream: true }))).text(),
    );

    const calls = chunks.flatMap(({ choices }) =>
      choices.flatMap(({ delta }) => delta.tool_calls ?? []),
    );
    expect(calls.map((call) => call.function.arguments ?? "").join("")).toBe('{"city":"Paris"}');
    const recorded = fixture("vllm-tool-call").slice(0, -1);
    expect(ends(chunks, 3, 1)).toEqual(ends(recorded, 3, 1));
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("tool_calls");
  });

  it("gives per-request metrics in the shape of vLLM's when the flag is set", async () => {
    const { request } = createApp({ script: TWELVE, enablePerRequestMetrics: true });

    const response = await request(
      CHAT,
      chat({ stream: true, stream_options: { include_usage: true } }),
    );

    const last = chunksIn(await response.text()).at(-1);
    expect(shapeOf(last)).toEqual(shapeOf(fixture("vllm-metrics").at(-1)));
    expect(last?.metrics).toEqual({
      time_to_first_token_ms: 25,
      generation_time_ms: 90,
      queue_time_ms: 5,
      mean_itl_ms: 10,
      tokens_per_second: 88.889,
    });
  });

  it("says tool_calls for auto and required calls, stop for a named one", async () => {
    const { request } = createApp({ script: CALL });
    const finish = async (tool_choice: string | object): Promise<unknown> => {
      const response = await request(
        CHAT,
        chat({ tools: [WEATHER], tool_choice: tool_choice as string }),
      ); // `as`: JSON
      const body = (await response.json()) as {
        choices: { finish_reason: string; message: { content: null } }[];
      }; // `as`: checked here
      expect(body.choices[0]?.message.content).toBeNull();
      return body.choices[0]?.finish_reason;
    };

    expect(await finish("auto")).toBe("tool_calls");
    expect(await finish("required")).toBe("tool_calls");
    expect(await finish({ type: "function", function: { name: "get_weather" } })).toBe("stop");
  });

  it("makes n choices of one prompt, whose tokens are counted once", async () => {
    const { request, replica } = createApp({
      script: [{ text: "one" }, { text: "two" }, { text: "three" }],
    });

    const whole = (await (await request(CHAT, chat({ n: 3 }))).json()) as {
      choices: { message: { content: string } }[];
      usage: Record<string, number>;
    }; // `as`: checked here
    const streamed = chunksIn(await (await request(CHAT, chat({ n: 2, stream: true }))).text());

    expect(whole.choices.map(({ message }) => message.content)).toEqual(["one", "two", "three"]);
    expect(whole.usage["prompt_tokens"]).toBe(replica.requests[0]?.promptIds.length);
    expect(replica.requests.slice(0, 3).map(({ id }) => id)).toEqual([
      "chatcmpl-1",
      "chatcmpl-1-1",
      "chatcmpl-1-2",
    ]);
    expect([textIn(streamed, 0), textIn(streamed, 1)]).toEqual(["three", "three"]);
  });

  it("ends at a stop text and says which", async () => {
    const { request } = createApp({ script: [{ text: "Thought: go\nObservation: x" }] });

    const body = await (await request(CHAT, chat({ stop: ["Observation:"] }))).json();

    expect(body).toMatchObject({
      choices: [
        {
          message: { content: "Thought: go\n" },
          finish_reason: "stop",
          stop_reason: "Observation:",
        },
      ],
    });
  });

  it("honours max_tokens, ignore_eos and min_tokens", async () => {
    const { request } = createApp({ script: [{ text: "Hi." }] });
    const usage = async (more: Record<string, number | boolean>): Promise<unknown> => {
      const body = (await (await request(CHAT, chat(more))).json()) as {
        usage: { completion_tokens: number };
        choices: { finish_reason: string }[];
      }; // `as`: checked here
      return [body.usage.completion_tokens, body.choices[0]?.finish_reason];
    };

    expect(await usage({ max_tokens: 1 })).toEqual([1, "length"]);
    expect(await usage({ max_tokens: 50, ignore_eos: true })).toEqual([50, "length"]);
    expect(await usage({ max_completion_tokens: 50, min_tokens: 20 })).toEqual([21, "stop"]);
  });

  it("meets response_format and structured_outputs", async () => {
    const { request } = createApp({ script: [{ text: "no JSON" }] });
    const schema = {
      type: "object",
      properties: { n: { type: "integer", minimum: 3 } },
      required: ["n"],
    };
    const said = async (more: Parameters<typeof chat>[0]): Promise<string> => {
      const body = (await (await request(CHAT, chat(more))).json()) as {
        choices: { message: { content: string } }[];
      }; // `as`: checked here
      return body.choices[0]?.message.content ?? "";
    };

    expect(
      await said({ response_format: { type: "json_schema", json_schema: { name: "n", schema } } }),
    ).toBe('{"n":3}');
    expect(await said({ response_format: { type: "json_object" } })).toBe("{}");
    expect(await said({ structured_outputs: { choice: ["left", "right"] } })).toBe("left");
    expect(await said({ structured_outputs: { json: schema } })).toBe('{"n":3}');
    expect(await said({ structured_outputs: { regex: "\\d{4}" } })).toMatch(/^\d{4}$/);
  });

  it("gives log probabilities of every token when asked", async () => {
    const { request } = createApp({ script: [{ text: "Twelve sailor" }] });

    const body = await (await request(CHAT, chat({ logprobs: true, top_logprobs: 2 }))).json();

    const alternative = {
      token: expect.any(String),
      logprob: expect.any(Number),
      bytes: expect.any(Array),
    };
    const token = { ...alternative, top_logprobs: [alternative, alternative] };
    expect(body).toMatchObject({ choices: [{ logprobs: { content: [token, token, token] } }] });
  });

  it("hands priority, salt and adapter to the engine", async () => {
    const { request, replica } = createApp({ schedulingPolicy: "priority", loraModules: ["sql"] });

    await request(CHAT, chat({ model: "sql", cache_salt: "tenant", priority: 3 }));
    await request(CHAT, chat({}, { "x-vllm-priority": "-2" }));

    expect(replica.requests).toMatchObject([
      { lora: "sql", cacheSalt: "tenant", priority: 3 },
      { lora: undefined, cacheSalt: undefined, priority: -2 },
    ]);
  });

  it("says usage in every chunk with continuous_usage_stats", async () => {
    const { request } = createApp({ script: TWELVE });
    const stream_options = { include_usage: true, continuous_usage_stats: true };

    const chunks = chunksIn(
      await (await request(CHAT, chat({ stream: true, stream_options }))).text(),
    );

    expect(chunks.slice(0, 3).map(({ usage }) => usage?.["completion_tokens"])).toEqual([0, 1, 2]);
  });
});
