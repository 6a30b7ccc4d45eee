import { describe, expect, it } from "vitest";
import { readTextCalls } from "../../../src/inference/model/text-tools.ts";
import {
  chunk,
  DONE,
  errorReply,
  finishChunk,
  head,
  streamReply,
  type WireReply,
  write,
} from "../../../src/test/wire-reply.ts";
import { bench, benchOf, errorOf, replyOf } from "./endpoint-bench.ts";

const MEGABYTE = "x".repeat(1024 * 1024);
const DEEP = "[".repeat(20_000) + "]".repeat(20_000);

const argumentsChunk = (text: string): string =>
  chunk({ tool_calls: [{ index: 0, id: "c", function: { name: "t", arguments: text } }] });

describe("a streamed answer without an end", () => {
  it.each([
    ["text", chunk({ content: MEGABYTE })],
    ["reasoning", chunk({ reasoning_content: MEGABYTE })],
    ["arguments", argumentsChunk(MEGABYTE)],
  ])("is given up over its bound: %s", async (_what, piece) => {
    const { model, server } = await benchOf([
      head(),
      ...Array.from({ length: 20 }, () => write(piece)),
      write(finishChunk()),
      write(DONE),
    ]);

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/protocol", retryable: false });
    expect(error.message).toContain("16777216 characters");
    await expect.poll(() => server.openSockets).toBe(0);
  });
});

describe("a server that sends odd sizes", () => {
  it("has a tool's name cut", async () => {
    const call = { index: 0, id: "c", function: { name: MEGABYTE, arguments: "{}" } };
    const { model } = await benchOf(
      streamReply(chunk({ tool_calls: [call] }), finishChunk("tool_calls"), DONE),
    );

    const reply = await replyOf(model);

    expect(reply.calls[0]?.tool).toHaveLength(256);
  });

  it.each([
    ["deep", DEEP],
    ["large", JSON.stringify(MEGABYTE)],
  ])("has its raw usage and metrics left out: %s", async (_what, value) => {
    const usage = `{"prompt_tokens":7,"completion_tokens":3,"x":${value}}`;
    const { model } = await benchOf(
      streamReply(
        chunk({ content: "hi" }),
        finishChunk(),
        `data: {"choices":[],"usage":${usage},"metrics":{"x":${value}}}\n\n`,
        DONE,
      ),
    );

    const reply = await replyOf(model);

    expect(reply.usage).toMatchObject({ input: { total: 7 }, output: { total: 3 } });
    expect(reply.usage).not.toHaveProperty("raw");
    expect(reply.timings).not.toHaveProperty("server");
  });

  it.each<[string, WireReply]>([
    ["an error", errorReply(400, DEEP)],
    ["an error's field", raw(`{"error":{"x":${DEEP}}}`)],
    ["a fault's place", raw(`{"detail":[{"loc":${DEEP},"msg":"no"}]}`)],
  ])("is refused without harm: %s", async (_what, reply) => {
    const { model } = await bench([reply]);

    expect(await errorOf(model)).toMatchObject({ code: "model/bad-request" });
  });

  it("has arguments that are too deep left out", async () => {
    const args = `{"x":${DEEP}}`;
    const call = `{"index":0,"id":"c","function":{"name":"t","arguments":${args}}}`;
    const { model } = await benchOf(
      streamReply(
        `data: {"choices":[{"delta":{"tool_calls":[${call}]}}]}\n\n`,
        finishChunk("tool_calls"),
        DONE,
      ),
    );

    const reply = await replyOf(model);

    expect(reply.calls).toMatchObject([{ tool: "t", arguments: "" }]);
  });
});

describe("calls that stand in a text", () => {
  it.each([
    ["newlines", `<tool_call>${"\n".repeat(100_000)}`.repeat(3)],
    ["newlines and a word", `<tool_call>${"\n".repeat(100_000)}x${"\n".repeat(100_000)}`],
    ["openings", "<tool_call>".repeat(100_000)],
    ["a deep value", `<tool_call>{"name":"t","arguments":${DEEP}}</tool_call>`],
  ])("are not looked for at length: %s", (_what, text) => {
    expect(readTextCalls(text)).toEqual({ text, calls: [] });
  });

  it("are no more than 128", () => {
    const block = '<tool_call>{"name":"t"}</tool_call>';

    const { calls } = readTextCalls(block.repeat(200));

    expect(calls).toHaveLength(128);
  });
});

function raw(body: string): WireReply {
  return [head(400, { "content-type": "application/json" }), write(body)];
}
