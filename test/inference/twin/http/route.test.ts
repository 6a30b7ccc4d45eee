import { describe, expect, it } from "vitest";
import { COMPLETIONS, CHAT, chat, chunksIn, createApp, post, textIn, USER } from "./ask.ts";
import { MODEL } from "../twin-bench.ts";

const DEV = { devMode: true };

describe("POST /v1/completions", () => {
  it("answers each prompt n times, echoed where asked", async () => {
    const { request } = createApp({ script: [{ text: " are twelve." }] });

    const response = await request(
      COMPLETIONS,
      post({ model: MODEL, prompt: ["There", "Here"], n: 2, echo: true }),
    );

    expect(await response.json()).toMatchObject({
      id: "cmpl-1",
      object: "text_completion",
      choices: [
        { index: 0, text: "There are twelve.", finish_reason: "stop", stop_reason: null },
        { index: 1, text: "There are twelve." },
        { index: 2, text: "Here are twelve." },
        { index: 3, text: "Here are twelve." },
      ],
      usage: { prompt_tokens: 2, completion_tokens: 16, total_tokens: 18 },
    });
  });

  it("streams, takes token ids, and has 16 tokens at most by default", async () => {
    const { request, replica } = createApp();

    const response = await request(
      COMPLETIONS,
      post({ model: MODEL, prompt: [12, 13, 14], stream: true, logprobs: 1 }),
    );
    const chunks = chunksIn(await response.text());

    expect(replica.requests[0]?.promptIds).toEqual(Int32Array.of(12, 13, 14));
    expect(replica.requests[0]?.outputIds.length).toBe(16);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("length");
    expect(chunks[0]?.choices[0]?.logprobs).toMatchObject({
      tokens: [expect.any(String)],
      token_logprobs: [expect.any(Number)],
    });
    expect(textIn(chunks)).toMatch(/\S/);
  });
});

describe("tokens", () => {
  it("/tokenize and /detokenize are each other's reverse, and say that they are a stand-in", async () => {
    const { request } = createApp();

    const body = (await (
      await request("/tokenize", post({ prompt: "Twelve sailors", return_token_strs: true }))
    ).json()) as { tokens: number[] }; // `as`: checked below
    const back = await (await request("/detokenize", post({ tokens: body.tokens }))).json();

    expect(body).toMatchObject({
      count: 3,
      max_model_len: 4_096,
      token_strs: ["Twelve", " sailor", "s"],
      simulated: expect.stringContaining("stand-in"),
    });
    expect(back).toEqual({ prompt: "Twelve sailors" });
  });

  it("/tokenize counts a conversation as the engine does", async () => {
    const { request, replica } = createApp();

    const { count } = (await (await request("/tokenize", post({ messages: USER }))).json()) as {
      count: number;
    }; // `as`: checked below
    await request(CHAT, chat());

    expect(count).toBe(replica.requests[0]?.promptIds.length);
    expect((await request("/tokenize", post({}))).status).toBe(400);
    expect((await request("/detokenize", post({ tokens: [1], model: "x" }))).status).toBe(404);
  });
});

function dot(a: readonly number[] = [], b: readonly number[] = []): number {
  return a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
}

describe("POST /v1/embeddings", () => {
  type Embeddings = { data: { embedding: number[] }[]; usage: { total_tokens: number } };

  it("gives unit vectors that are nearer for texts that share words", async () => {
    const { request } = createApp();
    const input = [
      "sailors mend the sails",
      "the sailors mend a sail",
      "quantum chromodynamics lattice",
    ];

    const { data, usage } = (await (
      await request("/v1/embeddings", post({ model: MODEL, input }))
    ).json()) as Embeddings; // `as`: checked below

    const [a, b, c] = data.map(({ embedding }) => embedding);
    expect(dot(a, a)).toBeCloseTo(1, 5);
    expect(dot(a, b)).toBeGreaterThan(dot(a, c) + 0.2);
    expect(usage.total_tokens).toBeGreaterThan(10);
  });

  it("gives the same vector in base64, in as many dimensions as asked", async () => {
    const { request } = createApp();
    const ask = async (more: object): Promise<unknown> => {
      const body = (await (
        await request(
          "/v1/embeddings",
          post({ model: MODEL, input: "sea", dimensions: 8, ...more }),
        )
      ).json()) as { data: { embedding: unknown }[] }; // `as`: checked below
      return body.data[0]?.embedding;
    };

    const floats = (await ask({})) as number[]; // `as`: checked below
    const bytes = Buffer.from(String(await ask({ encoding_format: "base64" })), "base64");

    expect(floats).toHaveLength(8);
    expect(floats.map((_, at) => bytes.readFloatLE(at * 4))).toEqual(floats);
  });
});

describe("an operator's routes", () => {
  it("show the models with their context and their adapters", async () => {
    const { request } = createApp({ servedModelName: ["qwen"], loraModules: ["sql"] });

    expect(await (await request("/v1/models")).json()).toMatchObject({
      object: "list",
      data: [
        { id: "qwen", object: "model", owned_by: "vllm", root: MODEL, max_model_len: 4_096 },
        { id: "sql", parent: "qwen" },
      ],
    });
  });

  it("say a version that is marked as simulated", async () => {
    expect(await (await createApp().request("/version")).json()).toEqual({
      version: "0.28.0+simulated",
    });
  });

  it("sleep, wake up and say so", async () => {
    const { request } = createApp(DEV);
    const isSleeping = async (): Promise<unknown> => (await request("/is_sleeping")).json();

    const slept = await request("/sleep?level=2", { method: "POST" });
    expect([slept.status, await isSleeping(), (await request("/health")).status]).toEqual([
      200,
      { is_sleeping: true },
      200,
    ]);
    expect(await (await request("/metrics")).text()).toContain(
      'vllm:engine_sleep_state{sleep_state="discard_all",engine="0",model_name="Qwen/Qwen3-8B"} 1.0',
    );
    await request("/wake_up", { method: "POST" });

    expect(await isSleeping()).toEqual({ is_sleeping: false });
    expect((await request(CHAT, chat())).status).toBe(200);
    expect((await request("/sleep?level=3", { method: "POST" })).status).toBe(400);
  });

  it("end what runs with abort when the engine falls asleep", async () => {
    const { request, replica } = createApp(DEV);

    const response = await request(CHAT, chat({ stream: true }));
    replica.sleep(1);
    const chunks = chunksIn(await response.text());

    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("abort");
  });

  it("count the load when the flag is set", async () => {
    const { request } = createApp({ enableServerLoadTracking: true });
    const load = async (): Promise<unknown> => (await request("/load")).json();

    const response = await request(CHAT, chat({ stream: true }));
    const during = await load();
    await response.text();

    expect([during, await load()]).toEqual([{ server_load: 1 }, { server_load: 0 }]);
    expect(await (await createApp().request("/load")).json()).toEqual({ server_load: 0 });
  });

  it("answer to /ping by GET and POST", async () => {
    const { request } = createApp();

    expect((await request("/ping")).status).toBe(200);
    expect((await request("/ping", { method: "POST" })).status).toBe(200);
  });

  it("give metrics by vLLM's names, labels and bounds", async () => {
    const { request } = createApp();
    await (await request(CHAT, chat())).json();

    const text = await (await request("/metrics")).text();

    const labels = '{engine="0",model_name="Qwen/Qwen3-8B"}';
    for (const line of [
      "# TYPE vllm:num_requests_running gauge",
      `vllm:num_requests_running${labels} 0.0`,
      `vllm:prefix_cache_hits_total${labels} 40.0`,
      `vllm:num_preemptions_total${labels} 2.0`,
      `vllm:generation_tokens_total${labels} 21.0`,
      `vllm:prompt_tokens_total${labels} 16.0`,
      'vllm:request_success_total{finished_reason="stop",engine="0",model_name="Qwen/Qwen3-8B"} 1.0',
      "# TYPE vllm:time_to_first_token_seconds histogram",
      'vllm:time_to_first_token_seconds_bucket{le="0.02",engine="0",model_name="Qwen/Qwen3-8B"} 0.0',
      'vllm:time_to_first_token_seconds_bucket{le="0.04",engine="0",model_name="Qwen/Qwen3-8B"} 1.0',
      'vllm:inter_token_latency_seconds_bucket{le="+Inf",engine="0",model_name="Qwen/Qwen3-8B"} 20.0',
      `vllm:inter_token_latency_seconds_count${labels} 20.0`,
      `vllm:request_queue_time_seconds_sum${labels} 0.005`,
    ])
      expect(text.split("\n")).toContain(line);
    expect(text).toMatch(/^# These numbers are simulated/);
  });
});
