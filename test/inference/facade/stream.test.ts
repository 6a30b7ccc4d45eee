import { describe, expect, it } from "vitest";
import { BosunError } from "../../../src/error.ts";
import type { Json } from "../../../src/json.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { CALLS, CHAT, chat, createApp, eventsIn, HELLO, USER, WIRE_USAGE } from "./ask.ts";

describe("a streamed chat completion", () => {
  const ROLE = { role: "assistant", content: "", refusal: null };

  it("is what OpenAI sends: role, texts, finish, [DONE]", async () => {
    const app = createApp({ small: scriptedModel([HELLO]) });

    const response = await app.request(
      CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );

    expect(response.headers.get("content-type")).toBe("text/event-stream; charset=utf-8");
    expect(response.headers.get("x-request-id")).toBe("chatcmpl-1");
    expect(eventsIn(await response.text())).toEqual([
      chunk(ROLE),
      chunk({ content: "Hel" }),
      chunk({ content: "lo" }),
      chunk({}, "stop"),
      "[DONE]",
    ]);
  });

  it("ends with the usage when that is wanted, and says in each chunk before that there is none yet", async () => {
    const app = createApp({ small: scriptedModel([HELLO]) });
    const body = {
      model: "small",
      messages: USER,
      stream: true,
      stream_options: { include_usage: true },
    };

    const response = await app.request(CHAT, chat(body));

    const none = { usage: null };
    expect(eventsIn(await response.text())).toEqual([
      chunk(ROLE, null, none),
      chunk({ content: "Hel" }, null, none),
      chunk({ content: "lo" }, null, none),
      chunk({}, "stop", none),
      chunk({}, null, { choices: [], usage: WIRE_USAGE }),
      "[DONE]",
    ]);
  });

  it("holds each tool call as a head and its arguments", async () => {
    const app = createApp({ small: scriptedModel([CALLS]) });

    const response = await app.request(
      CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );

    const head = (index: number, id: string): object =>
      chunk({
        tool_calls: [{ index, id, type: "function", function: { name: "search", arguments: "" } }],
      });
    const rest = (index: number, text: string): object =>
      chunk({ tool_calls: [{ index, function: { arguments: text } }] });
    expect(eventsIn(await response.text())).toEqual([
      chunk(ROLE),
      head(0, "call_1"),
      rest(0, '{"query":"a"}'),
      head(1, "call_2"),
      rest(1, '{"query":"b"}'),
      chunk({}, "tool_calls"),
      "[DONE]",
    ]);
  });

  it("holds the text of a model that has it only at its end", async () => {
    const scripted = scriptedModel([HELLO]);
    const silent: Model = {
      contextTokens: async () => undefined,
      call: (request, signal) => scripted.call({ ...request, stream: false }, signal),
    };
    const app = createApp({ small: silent });

    const response = await app.request(
      CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );

    expect(eventsIn(await response.text())).toContainEqual(chunk({ content: "Hello" }));
  });

  it("has a status for a failure before its first token", async () => {
    const overloaded = new BosunError("model/overloaded", "full", {
      details: { retryAfterMs: 1_500 },
    });
    const app = createApp({ small: scriptedModel([overloaded]) });

    const response = await app.request(
      CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );

    expect(response.status).toBe(503);
    expect(response.headers.get("retry-after")).toBe("2");
  });

  it("tells a failure after its first token as an event, and still ends with [DONE]", async () => {
    const seen: unknown[] = [];
    const cut: Model = {
      contextTokens: async () => undefined,
      async *call() {
        yield { type: "text-delta", text: "Hel" };
        throw new BosunError("model/cut", "the stream was cut");
      },
    };
    const app = createApp({ small: cut }, { onError: (error) => seen.push(error) });

    const response = await app.request(
      CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );

    expect(response.status).toBe(200);
    expect(eventsIn(await response.text()).slice(2)).toEqual([
      {
        error: {
          message: "the stream was cut",
          type: "upstream_error",
          param: null,
          code: "model/cut",
        },
      },
      "[DONE]",
    ]);
    expect(seen).toHaveLength(1);
  });

  it("tells when a model ends without an end", async () => {
    const mute: Model = { contextTokens: async () => undefined, async *call() {} };
    const app = createApp({ small: mute });

    const streamed = await app.request(
      CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );
    const whole = await app.request(CHAT, chat({ model: "small", messages: USER }));

    expect(await streamed.text()).toContain("model/cut");
    expect(whole.status).toBe(502);
  });

  it("aborts the call when its reader leaves, and the model is left at once", async () => {
    const signals: AbortSignal[] = [];
    const seen: unknown[] = [];
    const endless: Model = {
      contextTokens: async () => undefined,
      async *call(_, signal) {
        signals.push(signal);
        for (;;) {
          if (signal.aborted) throw new BosunError("model/cancelled", "aborted");
          yield { type: "text-delta", text: "more " };
        }
      },
    };
    const app = createApp({ small: endless }, { onError: (error) => seen.push(error) });
    const response = await app.request(
      CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );

    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();

    expect(signals.map((signal) => signal.aborted)).toEqual([true]);
    expect(seen).toEqual([]);
  });

  it("makes no token before its reader takes it", async () => {
    let made = 0;
    const counting: Model = {
      contextTokens: async () => undefined,
      async *call() {
        for (;;) yield { type: "text-delta", text: String(++made) };
      },
    };
    const app = createApp({ small: counting });

    const response = await app.request(
      CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.read();
    await new Promise(setImmediate);

    expect(made).toBeLessThanOrEqual(3);
    await reader?.cancel();
  });
});

function chunk(delta: Json, reason: string | null = null, more: object = {}): object {
  return {
    id: "chatcmpl-1",
    object: "chat.completion.chunk",
    created: 0,
    model: "small",
    system_fingerprint: null,
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
    ...more,
  };
}
