import { describe, expect, it } from "vitest";
import { createExtractive } from "../../../../src/inference/local/extractive/extractive.ts";
import type { ModelRequest } from "../../../../src/inference/model/model.ts";
import {
  echoSource,
  fillerSource,
  modelSource,
} from "../../../../src/inference/twin/text/plain-source.ts";
import { readScript, scriptSource } from "../../../../src/inference/twin/text/script.ts";
import { writeShaped } from "../../../../src/inference/twin/text/shaped.ts";
import type { WriteAsk } from "../../../../src/inference/twin/text/source.ts";
import { encodeText } from "../../../../src/inference/twin/text/tokenizer.ts";

const SIGNAL = new AbortController().signal;
const SERVER = { reasoningParser: "qwen3", signal: SIGNAL };
const TOOL = {
  name: "search",
  description: "Finds.",
  parameters: {
    type: "object",
    properties: { query: { type: "string", minLength: 3 }, limit: { type: "integer" } },
    required: ["query"],
  },
};

function ask(request: Partial<ModelRequest> = {}, more: Partial<WriteAsk> = {}): WriteAsk {
  return {
    request: {
      models: ["twin"],
      messages: [{ role: "user", content: "How many sailors are aboard?" }],
      settings: {},
      hints: { runId: "r", path: [], purpose: "work", remainingCalls: undefined },
      ...request,
    },
    constraint: undefined,
    maxTokens: 256,
    choice: 0,
    ...more,
  };
}

describe("text sources", () => {
  it("echo says the last message", async () => {
    expect((await echoSource().write(ask(), SIGNAL)).text).toBe("How many sailors are aboard?");
  });

  it("filler has exactly its number of tokens", async () => {
    const { text } = await fillerSource(77).write(ask(), SIGNAL);

    expect(encodeText(text).length).toBe(77);
  });

  it("calls the first tool once for what a user says, with the least arguments", async () => {
    const { calls, text } = await echoSource().write(ask({ tools: [TOOL] }), SIGNAL);

    expect(calls).toMatchObject([{ tool: "search", arguments: '{"query":"none"}' }]);
    expect(text).toBe("");
  });

  it("calls no tool after a tool's result, when told not to, or by habit", async () => {
    const after = [{ role: "tool", content: "12", callId: "c", tool: "search" } as const];
    const asked = [
      await echoSource().write(ask({ tools: [TOOL], messages: after }), SIGNAL),
      await echoSource().write(ask({ tools: [TOOL], toolChoice: "none" }), SIGNAL),
      await echoSource("required").write(ask({ tools: [TOOL] }), SIGNAL),
    ];

    expect(asked.map(({ calls }) => calls)).toEqual([[], [], []]);
  });

  it("a model says what it says, without a bound of its own", async () => {
    const source = modelSource("extractive", createExtractive());

    const { text } = await source.write(ask({ settings: { maxTokens: 1 } }), SIGNAL);

    expect(text).toContain("There is nothing to answer from");
  });
});

describe("a script", () => {
  it("answers by match first, then in order, the last for ever", async () => {
    const source = scriptSource(
      "s.json",
      readScript("s.json", '["one", {"match": "sailors", "text": "twelve"}, "two"]'),
    );
    const say = async (content: string): Promise<string> =>
      (await source.write(ask({ messages: [{ role: "user", content }] }), SIGNAL)).text;

    const said = [await say("a"), await say("any sailors?"), await say("b"), await say("c")];

    expect(said).toEqual(["one", "twelve", "two", "two"]);
  });

  it("is one text when its file is no list, and refuses a list that is no script", () => {
    expect(readScript("a.txt", "Just this.\n")).toEqual([{ text: "Just this." }]);
    expect(() => readScript("a.json", '[{"txt": "x"}]')).toThrow(
      expect.objectContaining({ code: "config/invalid" }),
    );
  });

  it("says its calls as JSON text", async () => {
    const source = scriptSource("s", [{ calls: [{ tool: "search", arguments: { query: "x" } }] }]);

    expect((await source.write(ask(), SIGNAL)).calls).toMatchObject([
      { tool: "search", arguments: '{"query":"x"}' },
    ]);
  });
});

describe("a constraint", () => {
  const schema = {
    type: "object",
    properties: { city: { type: "string" }, note: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  };

  it("is met with the least JSON when the source does not meet it", async () => {
    const json = ask({}, { constraint: { type: "json", schema } });
    const choice = ask({}, { constraint: { type: "choice", choices: ["yes", "no"] } });
    const regex = ask({}, { constraint: { type: "regex", pattern: "[a-c]{3}-\\d" } });

    const said = await Promise.all(
      [json, choice, regex].map((one) => writeShaped(echoSource(), one, SERVER)),
    );

    expect(said.map(({ text }) => text)).toEqual([
      '{"city":"none"}',
      "yes",
      expect.stringMatching(/^[a-c]{3}-\d$/),
    ]);
  });

  it("leaves the source's own text where it fits", async () => {
    const source = scriptSource("s", [{ text: '{"city":"Oslo","note":"x"}' }]);

    const { text } = await writeShaped(
      source,
      ask({}, { constraint: { type: "json", schema } }),
      SERVER,
    );

    expect(text).toBe('{"city":"Oslo","note":"x"}');
  });

  it("is refused when nothing meets it", async () => {
    const never = { type: "object", required: ["a"], properties: { a: false } };

    await expect(
      writeShaped(echoSource(), ask({}, { constraint: { type: "json", schema: never } }), SERVER),
    ).rejects.toMatchObject({ code: "model/bad-request" });
  });
});

describe("what a server makes of a text", () => {
  const call = { tool: "search", arguments: { query: "sails" } };
  const source = scriptSource("s", [{ text: "Looking.", reasoning: "A search.", calls: [call] }]);
  const hermes = '<tool_call>\n{"name": "search", "arguments": {"query":"sails"}}\n</tool_call>';

  it("leaves calls in the text where no tools are offered, as a model writes them", async () => {
    const said = await Promise.all(
      [ask(), ask({ tools: [TOOL], toolChoice: "none" })].map((one) =>
        writeShaped(source, one, SERVER),
      ),
    );

    for (const { text, calls } of said) expect([text, calls]).toEqual([`Looking.\n${hermes}`, []]);
  });

  it("makes a call that must come", async () => {
    const asked = ask({ tools: [TOOL], toolChoice: "required" });

    const { calls } = await writeShaped(scriptSource("s", [{ text: "No." }]), asked, SERVER);

    expect(calls).toMatchObject([{ tool: "search", arguments: '{"query":"none"}' }]);
  });

  it("leaves thoughts in the text without a parser, and has none where thinking is off", async () => {
    const tools = [TOOL];
    const off = { extraBody: { chat_template_kwargs: { enable_thinking: false } } };

    const parsed = await writeShaped(source, ask({ tools }), SERVER);
    const plain = await writeShaped(source, ask({ tools }), {
      ...SERVER,
      reasoningParser: undefined,
    });
    const none = await writeShaped(source, ask({ tools, settings: off }), SERVER);

    expect([parsed.text, parsed.reasoning]).toEqual(["Looking.", "A search."]);
    expect([plain.text, plain.reasoning]).toEqual(["<think>\nA search.\n</think>\n\nLooking.", ""]);
    expect([none.text, none.reasoning]).toEqual(["Looking.", ""]);
  });
});
