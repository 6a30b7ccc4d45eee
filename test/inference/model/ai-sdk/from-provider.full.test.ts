// A real provider of the AI SDK over real sockets, against the fault server.

import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../../src/json.ts";
import { createBosun } from "../../../../src/bosun.ts";
import { agent, crew, task } from "../../../../src/index.ts";
import { startFaultServer } from "../../../../src/test/fault-server.ts";
import {
  chunk,
  completionReply,
  DONE,
  errorReply,
  finishChunk,
  STALL,
  streamReply,
  textReply,
  usageChunk,
} from "../../../../src/test/wire-reply.ts";
import { KEY, modelAt, SPEAKING } from "./provider-bench.ts";
import { listen, REQUEST } from "./sdk-model.ts";

function calling(fn: JsonObject, more: JsonObject = {}): string {
  return chunk({ tool_calls: [{ index: 0, ...more, function: fn }] });
}

describe("a provider of the AI SDK as a Model", () => {
  it("streams an answer with its usage and finish", async () => {
    const usage = {
      prompt_tokens: 12,
      completion_tokens: 9,
      prompt_tokens_details: { cached_tokens: 4 },
      completion_tokens_details: { reasoning_tokens: 5 },
    };
    const reply = streamReply(
      chunk({ role: "assistant", content: "" }),
      chunk({ reasoning_content: "Hm." }),
      chunk({ content: "Hel" }),
      chunk({ content: "lo" }),
      finishChunk("length"),
      usageChunk(usage),
      DONE,
    );
    await using server = await startFaultServer({ replies: [reply] });

    const events = await listen(modelAt(server));

    expect(events.map(({ type }) => type)).toEqual([
      "start",
      "reasoning-delta",
      "text-delta",
      "text-delta",
      "end",
    ]);
    expect(events.at(-1)).toMatchObject({
      text: "Hello",
      reasoning: "Hm.",
      finish: { unified: "length", raw: "length" },
      usage: {
        input: { total: 12, cached: 4 },
        output: { total: 9, reasoning: 5 },
        source: "server",
      },
      endpoint: "acme.chat",
      model: "test-model",
    });
  });

  it("sends tools, settings, a schema and what else the body shall hold", async () => {
    await using server = await startFaultServer({ replies: [textReply("{}")] });
    const schema = { type: "object", properties: { city: { type: "string" } } };

    await listen(modelAt(server), {
      ...REQUEST,
      tools: [{ name: "weather", description: "d", parameters: schema }],
      output: { name: "place", schema },
      settings: { temperature: 0.2, seed: 7, maxTokens: 50, extraBody: { top_k: 3 } },
    });

    expect(server.calls[0]?.headers.authorization).toBe(`Bearer ${KEY}`);
    expect(server.calls[0]?.body).toMatchObject({
      model: "test-model",
      stream: true,
      temperature: 0.2,
      seed: 7,
      max_tokens: 50,
      top_k: 3,
      tools: [{ type: "function", function: { name: "weather", parameters: schema } }],
      tool_choice: "auto",
      response_format: { type: "json_schema", json_schema: { name: "place", schema } },
    });
  });

  it("collects a tool call that comes in pieces", async () => {
    const reply = streamReply(
      calling({ name: "weather", arguments: "" }, { id: "c1", type: "function" }),
      calling({ arguments: '{"city":' }),
      calling({ arguments: '"Oslo"}' }),
      finishChunk("tool_calls"),
      DONE,
    );
    await using server = await startFaultServer({ replies: [reply] });

    const events = await listen(modelAt(server));

    expect(events.at(-1)).toMatchObject({
      calls: [{ id: "c1", tool: "weather", arguments: '{"city":"Oslo"}' }],
      finish: { unified: "tool-calls", raw: "tool_calls" },
    });
  });

  it("asks for a whole reply where nobody watches", async () => {
    await using server = await startFaultServer({ replies: [completionReply({ content: "Hi" })] });

    const events = await listen(modelAt(server), { ...REQUEST, stream: false });

    expect(events.at(-1)).toMatchObject({ text: "Hi", usage: { input: { total: 11 } } });
    expect(server.calls[0]?.body).not.toHaveProperty("stream", true);
  });
});

describe("a crew on a provider of the AI SDK", () => {
  const analyst = agent({ role: "Analyst", goal: "Find facts" });
  const note = task({
    name: "note",
    description: "On {topic}",
    expectedOutput: "A line",
    agent: analyst,
  });
  const notes = crew({ name: "notes", tasks: [note] });

  it("ends well after a 429 and a 500: the pool repeats, and counts every call", async () => {
    const replies = [
      errorReply(429, "slow down", { "retry-after": "0" }),
      errorReply(500, "oops"),
      textReply("A ", "fact."),
    ];
    await using server = await startFaultServer({ replies });
    const bosun = createBosun({ data: false, env: {}, model: modelAt(server) });

    const run = await bosun.start(notes, { inputs: { topic: "tea" } });
    const state = await run.ended;
    await bosun.close();

    expect(state).toMatchObject({ status: "done", usage: { input: { total: 11 } } });
    expect(server.calls).toHaveLength(3);
  });

  it("closes its sockets when the run is cancelled", async () => {
    await using server = await startFaultServer({ replies: [[...SPEAKING, STALL]] });
    const bosun = createBosun({ data: false, env: {}, model: modelAt(server) });

    const run = await bosun.start(notes, { inputs: { topic: "tea" } });
    await server.received(0);
    run.cancel("enough");
    const state = await run.ended;
    await bosun.close();

    expect(state.status).toBe("cancelled");
    expect(await server.closed(0)).toBe("client");
  });
});
