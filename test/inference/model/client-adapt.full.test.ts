import { describe, expect, it } from "vitest";
import type { FaultServer } from "../../../src/test/fault-server.ts";
import { errorReply, textReply } from "../../../src/test/wire-reply.ts";
import { ask, bench, CONVERSATION, errorOf, replyOf, SEARCH } from "./endpoint-bench.ts";

const NO_TOOLS = errorReply(
  400,
  '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
);
const NO_FORMAT = errorReply(
  400,
  "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
);
const OUTPUT = { name: "facts", schema: { type: "object", required: ["facts"] } };

describe("a server without tool calling", () => {
  it("is told of the tools in the system message from the next call on", async () => {
    const { server, model } = await bench([NO_TOOLS, textReply("hi"), textReply("hi")]);
    const request = ask({ tools: [SEARCH], toolChoice: "auto" });

    const error = await errorOf(model, request);
    await replyOf(model, request);
    await replyOf(model, request);

    expect(error).toMatchObject({ retryable: true, details: { adapted: "text-tools" } });
    for (const index of [1, 2]) {
      const body = server.calls[index]?.body;
      expect(body).not.toHaveProperty("tools");
      expect(body).not.toHaveProperty("tool_choice");
      expect(systemOf(server, index)).toContain("search_docs");
      expect(systemOf(server, index)).toContain("Searches the documentation");
      expect(systemOf(server, index)).toContain("<tool_call>");
    }
  });

  it("keeps the system message that was there", async () => {
    const { server, model } = await bench([NO_TOOLS, textReply("hi")]);
    const request = ask({ tools: [SEARCH], messages: CONVERSATION });

    await errorOf(model, request);
    await replyOf(model, request);

    expect(systemOf(server, 1)).toContain("You are terse.");
    expect(systemOf(server, 1)).toContain("search_docs");
  });

  it("is told of earlier calls and results as text", async () => {
    const { server, model } = await bench([NO_TOOLS, textReply("hi")]);
    const request = ask({ tools: [SEARCH], messages: CONVERSATION });

    await errorOf(model, request);
    await replyOf(model, request);

    const sent = JSON.stringify(server.calls[1]?.body);
    expect(sent).not.toContain('"role":"tool"');
    expect(sent).not.toContain('"tool_calls"');
    expect(sent).toContain("16 tokens of KV cache");
  });

  it.each([
    [
      "one call",
      ['<tool_call>{"name":"search_docs","arguments":{"query":"kv"}}</tool_call>'],
      [{ query: "kv" }],
      "",
    ],
    [
      "a text before it, and tags that are cut anywhere",
      [
        "Let me look.\n<tool",
        '_call>{"name":"search_docs",',
        '"arguments":{"query":"kv"}}</tool_c',
        "all>",
      ],
      [{ query: "kv" }],
      "Let me look.",
    ],
    [
      "two calls",
      [
        '<tool_call>\n{"name": "search_docs", "arguments": {"query": "a"}}\n</tool_call>\n',
        '<tool_call>\n{"name": "search_docs", "arguments": {"query": "b"}}\n</tool_call>',
      ],
      [{ query: "a" }, { query: "b" }],
      "",
    ],
    [
      "an end that is missing",
      ['<tool_call>{"name":"search_docs","arguments":{"query":"kv"}}'],
      [{ query: "kv" }],
      "",
    ],
  ])("calls by text: %s", async (_what, deltas, expected, text) => {
    const { model } = await bench([NO_TOOLS, textReply(...deltas)]);
    const request = ask({ tools: [SEARCH] });

    await errorOf(model, request);
    const reply = await replyOf(model, request);

    expect(reply.calls.map((call) => JSON.parse(call.arguments) as unknown)).toEqual(expected);
    expect(reply.calls.every((call) => call.tool === "search_docs")).toBe(true);
    expect(new Set(reply.calls.map((call) => call.id)).size).toBe(expected.length);
    expect(reply.finish.unified).toBe("tool-calls");
    expect(reply.text).toBe(text);
  });

  it.each([
    ["no call", "The answer is 42."],
    ["a call that is no JSON", "<tool_call>search for kv</tool_call>"],
    ["a call without a name", '<tool_call>{"arguments":{}}</tool_call>'],
  ])("keeps as text: %s", async (_what, said) => {
    const { model } = await bench([NO_TOOLS, textReply(said)]);
    const request = ask({ tools: [SEARCH] });

    await errorOf(model, request);
    const reply = await replyOf(model, request);

    expect(reply).toMatchObject({ text: said, calls: [], finish: { unified: "stop" } });
  });

  it("that refuses again is not asked for ever", async () => {
    const { model } = await bench([NO_TOOLS, NO_TOOLS]);
    const request = ask({ tools: [SEARCH] });

    const first = await errorOf(model, request);
    const second = await errorOf(model, request);

    expect(first.retryable).toBe(true);
    expect(second).toMatchObject({ code: "model/bad-request", retryable: false });
  });

  it("is not told of tools in a call that has none", async () => {
    const tag = '<tool_call>{"name":"search_docs","arguments":{}}</tool_call>';
    const { server, model } = await bench([NO_TOOLS, textReply(tag)]);

    await errorOf(model, ask({ tools: [SEARCH] }));
    const reply = await replyOf(model, ask());

    expect(reply).toMatchObject({ text: tag, calls: [] });
    expect(JSON.stringify(server.calls[1]?.body)).not.toContain("search_docs");
  });

  it("is told of earlier calls and results as text also in a call that offers no tools", async () => {
    const { server, model } = await bench([NO_TOOLS, textReply("hi")]);

    await errorOf(model, ask({ tools: [SEARCH] }));
    await replyOf(model, ask({ messages: CONVERSATION }));

    const sent = JSON.stringify(server.calls[1]?.body);
    expect(sent).not.toContain('"role":"tool"');
    expect(sent).not.toContain('"tool_calls"');
    expect(sent).toContain("16 tokens of KV cache");
    expect(systemOf(server, 1)).toBe("You are terse.");
  });
});

describe("a server without structured output", () => {
  it("is told of the schema in the system message from the next call on", async () => {
    const { server, model } = await bench([NO_FORMAT, textReply("{}")], { dialect: "openai" });
    const request = ask({ output: OUTPUT });

    const error = await errorOf(model, request);
    await replyOf(model, request);

    expect(error).toMatchObject({ retryable: true, details: { adapted: "prompt-schema" } });
    expect(server.calls[1]?.body).not.toHaveProperty("response_format");
    expect(systemOf(server, 1)).toContain(JSON.stringify(OUTPUT.schema));
  });

  it("is not told of a schema that its prompt holds already", async () => {
    const { server, model } = await bench([NO_FORMAT, textReply("{}")], { dialect: "openai" });
    const text = `# Output format\nJSON Schema:\n${JSON.stringify(OUTPUT.schema)}`;
    const request = ask({ output: OUTPUT, messages: [{ role: "user", content: text }] });

    await errorOf(model, request);
    await replyOf(model, request);

    expect(server.calls[1]?.body).toMatchObject({ messages: [{ role: "user", content: text }] });
    expect(server.calls[1]?.body).not.toHaveProperty("response_format");
  });

  it.each([
    "Invalid schema for response_format 'one': In context=(), 'oneOf' is not permitted.",
    "Invalid schema for response_format 'one': In context=('properties', 'a'), 'allOf' is not supported.",
    "Invalid json_schema: unknown keyword",
  ])("is none that refuses one schema: %s", async (said) => {
    const refusal = errorReply(400, said);
    const { server, model } = await bench([refusal, textReply("{}")], { dialect: "openai" });
    const request = ask({ output: OUTPUT });

    const error = await errorOf(model, request);
    await replyOf(model, request);

    expect(error).toMatchObject({ code: "model/bad-request", retryable: false });
    expect(error.details).not.toHaveProperty("adapted");
    expect(server.calls[1]?.body).toHaveProperty("response_format");
  });

  it("may lack tool calling too", async () => {
    const replies = [NO_TOOLS, NO_FORMAT, textReply("{}")];
    const { server, model } = await bench(replies, { dialect: "openai" });
    const request = ask({ tools: [SEARCH], output: OUTPUT });

    await errorOf(model, request);
    await errorOf(model, request);
    await replyOf(model, request);

    expect(server.calls[2]?.body).not.toHaveProperty("tools");
    expect(server.calls[2]?.body).not.toHaveProperty("response_format");
    expect(systemOf(server, 2)).toContain("search_docs");
    expect(systemOf(server, 2)).toContain(JSON.stringify(OUTPUT.schema));
  });
});

describe("what one endpoint lacks", () => {
  it("is not held against another", async () => {
    const poor = await bench([NO_TOOLS]);
    const rich = await bench([textReply("hi")]);
    const request = ask({ tools: [SEARCH] });

    await errorOf(poor.model, request);
    await replyOf(rich.model, request);

    expect(rich.server.calls[0]?.body).toHaveProperty("tools");
  });
});

/** The system message of a call, which must be its first message and its only one. */
function systemOf(server: FaultServer, index: number): string {
  const body = server.calls[index]?.body;
  const messages =
    typeof body === "object" && body !== null && "messages" in body ? body.messages : [];
  const all = Array.isArray(messages) ? messages : [];
  const systems = all.filter((message: { role: string }) => message.role === "system");
  expect(systems).toHaveLength(1);
  expect(all[0]).toBe(systems[0]);
  return String(systems[0].content);
}
