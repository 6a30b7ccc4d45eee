import { readdirSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  chunk,
  head,
  jsonReply,
  STALL,
  textReply,
  type WireReply,
  write,
} from "../../../src/test/wire-reply.ts";
import type { StreamCase } from "../../fixtures/stream-case.ts";
import { readStream, STREAMS } from "../../fixtures/streams.ts";
import { ask, bench, benchOf, deltasOf, eventsOf, NEVER, replyOf } from "./endpoint-bench.ts";

describe("a call reads the streams of servers", () => {
  it("knows what each recorded stream must be read as", () => {
    const folder = readdirSync(new URL("../../fixtures/streams/", import.meta.url));
    const recorded = folder.filter((name) => name.endsWith(".sse"));

    const known = STREAMS.map((stream) => `${stream.name}.sse`);

    expect(known.toSorted()).toEqual(recorded.toSorted());
  });

  describe.each(STREAMS)("$name: $shows", (stream) => {
    it("is read as the same reply whether it comes whole, by events or in pieces of 7 bytes", async () => {
      const bytes = readStream(stream.name);
      const { model } = await bench([
        inPieces([bytes]),
        inPieces(byEvents(bytes)),
        inPieces(cut(bytes, 7)),
      ]);

      const replies = [await replyOf(model), await replyOf(model), await replyOf(model)];

      const expected = expectedReply(stream);
      expect(replies).toMatchObject([expected, expected, expected]);
    });

    it("streams the same text and thoughts that its end holds", async () => {
      const { model } = await benchOf(inPieces(byEvents(readStream(stream.name))));

      const events = await eventsOf(model);

      expect(events[0]).toMatchObject({ type: "start", attempt: 1 });
      expect(events.filter((event) => event.type === "end")).toHaveLength(1);
      expect(events.at(-1)?.type).toBe("end");
      expect(deltasOf(events).join("")).toBe(stream.text ?? "");
      expect(deltasOf(events, "reasoning-delta").join("")).toBe(stream.reasoning ?? "");
    });
  });

  it("leaves out the deltas of a call that nobody watches, and nothing of its end", async () => {
    const { model } = await bench([textReply("one ", "two ", "three"), textReply("one ", "two")]);
    const { hints } = ask();
    const unwatched = ask({ hints: { ...hints, isWatched: () => false } });

    const events = await eventsOf(model, unwatched);
    const watched = await eventsOf(model, ask({ hints: { ...hints, isWatched: () => true } }));

    expect(events.map(({ type }) => type)).toEqual(["start", "end"]);
    expect(events.at(-1)).toMatchObject({ text: "one two three", finish: { unified: "stop" } });
    expect(deltasOf(watched).join("")).toBe("one two");
  });

  it("reads characters that are cut at every byte", async () => {
    const { model } = await benchOf(inPieces(cut(readStream("quirk-utf8"), 1)));

    const reply = await replyOf(model);

    expect(reply.text).toBe("naïve 日本語 👩‍🚀🇳🇴 e\u0301");
  });

  it("gives calls without an id one of their own", async () => {
    const { model } = await benchOf(inPieces([readStream("quirk-id-missing")]));

    const { calls } = await replyOf(model);

    const ids = new Set(calls.map((call) => call.id));
    expect(ids.size).toBe(2);
    expect(ids.has("")).toBe(false);
  });

  it("ends at [DONE], also when the server keeps its answer open", async () => {
    const { model, server } = await benchOf([...textReply("done"), STALL]);

    const reply = await replyOf(model);

    expect(reply.text).toBe("done");
    expect(await server.closed(0)).toBe("client");
  });

  it("reads nothing after [DONE]", async () => {
    const more = [write(chunk({ content: "more" })), write("data: {\n\n")];
    const { model } = await benchOf([...textReply("done"), ...more]);

    const reply = await replyOf(model);

    expect(reply.text).toBe("done");
  });

  it("estimates the usage when the server sends none", async () => {
    const { model } = await benchOf(inPieces([readStream("quirk-no-usage")]));

    const { usage } = await replyOf(model);

    expect(usage).toMatchObject({ source: "estimated", output: { total: 2 } });
    expect(usage.input.total).toBeGreaterThan(0);
  });

  it("says when the first token came, and that none came", async () => {
    const { model } = await bench([
      inPieces([readStream("vllm-text")]),
      inPieces([readStream("vllm-empty")]),
    ]);

    const spoken = await replyOf(model);
    const silent = await replyOf(model);

    expect(spoken.timings.firstTokenMs).toBeGreaterThanOrEqual(0);
    expect(spoken.timings.totalMs).toBeGreaterThanOrEqual(spoken.timings.firstTokenMs ?? Infinity);
    expect(silent.timings.firstTokenMs).toBeUndefined();
  });

  it("names the endpoint and the model that answered", async () => {
    const { model, server } = await benchOf(inPieces([readStream("vllm-text")]));

    const events = await eventsOf(model);

    const endpoint = new URL(server.url).host;
    expect(events[0]).toMatchObject({ type: "start", endpoint, model: "test-model" });
    expect(events.at(-1)).toMatchObject({ type: "end", endpoint, model: "Qwen/Qwen3-8B" });
  });
});

describe("a call without a stream", () => {
  it.each([
    [
      "text",
      { content: "Hello", reasoning: "Greet." },
      "stop",
      { text: "Hello", reasoning: "Greet." },
    ],
    [
      "the older name of thoughts",
      { content: "Hi", reasoning_content: "Greet." },
      "stop",
      { reasoning: "Greet." },
    ],
    [
      "calls",
      {
        content: null,
        tool_calls: [
          { id: "call_1", type: "function", function: { name: "now", arguments: "{}" } },
        ],
      },
      "tool_calls",
      {
        text: "",
        calls: [{ id: "call_1", tool: "now", arguments: "{}" }],
        finish: { unified: "tool-calls", raw: "tool_calls" },
      },
    ],
    [
      "a cut answer",
      { content: "Hel" },
      "length",
      { finish: { unified: "length", raw: "length" } },
    ],
  ])("ends with %s as a stream would", async (_what, message, finishReason, expected) => {
    const { model, server } = await benchOf(completion(message, finishReason));

    const reply = await replyOf(model, ask({ stream: false }));

    expect(reply).toMatchObject({
      ...expected,
      usage: { input: { total: 11 }, output: { total: 3 }, source: "server" },
      timings: { server: { queue_time_ms: 1.5 } },
    });
    expect(server.calls[0]?.body).not.toMatchObject({ stream: true });
    expect(server.calls[0]?.body).not.toHaveProperty("stream_options");
  });

  it("throws model/protocol for JSON that is no answer", async () => {
    const { model } = await bench([
      jsonReply({ hello: 1 }),
      jsonReply([]),
      jsonReply({ choices: [] }),
    ]);

    for (let call = 0; call < 3; call++) {
      const failing = eventsOf(model, ask({ stream: false }), NEVER);
      await expect(failing).rejects.toMatchObject({ code: "model/protocol" });
    }
  });
});

function expectedReply(stream: StreamCase): object {
  const { text = "", reasoning = "", calls = [], finish, usage, server } = stream;
  const [input, output, cached, thought] = usage ?? [];
  return {
    type: "end",
    text,
    reasoning,
    calls: calls.map((call) => ({ id: expect.stringMatching(/./), ...call })),
    finish,
    usage: usage
      ? {
          input: { total: input, cached },
          output: { total: output, reasoning: thought },
          source: "server",
        }
      : { source: "estimated" },
    ...(server ? { timings: { server } } : {}),
  };
}

function inPieces(pieces: readonly Uint8Array[]): WireReply {
  return [head(), ...pieces.map(write)];
}

function byEvents(bytes: Buffer): Buffer[] {
  const events = bytes.toString("utf8").split(/(?<=\n\r?\n)/);
  return events.map((event) => Buffer.from(event));
}

function cut(bytes: Buffer, size: number): Buffer[] {
  const count = Math.ceil(bytes.length / size);
  return Array.from({ length: count }, (_, at) => bytes.subarray(at * size, (at + 1) * size));
}

function completion(message: object, finishReason: string): WireReply {
  return jsonReply({
    id: "chatcmpl-1",
    object: "chat.completion",
    created: 1_764_000_000,
    model: "Qwen/Qwen3-8B",
    choices: [
      { index: 0, message: { role: "assistant", ...message }, finish_reason: finishReason },
    ],
    usage: { prompt_tokens: 11, completion_tokens: 3, total_tokens: 14 },
    metrics: { queue_time_ms: 1.5 },
  });
}
