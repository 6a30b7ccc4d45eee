import { describe, expect, it } from "vitest";
import type { ModelEvent } from "../../../../src/inference/model/model.ts";
import { startFaultServer } from "../../../../src/test/fault-server.ts";
import {
  CUT,
  DONE,
  errorReply,
  htmlReply,
  RESET,
  STALL,
  streamReply,
  textReply,
  type WireReply,
  write,
} from "../../../../src/test/wire-reply.ts";
import { KEY, modelAt, SPEAKING } from "./provider-bench.ts";
import { failure, listen, REQUEST } from "./sdk-model.ts";

async function failing(...replies: WireReply[]) {
  await using server = await startFaultServer({ replies });
  return await failure(listen(modelAt(server))); // the server lives until then
}

describe("a provider that fails", () => {
  it.each([
    [401, "bad key", { code: "model/unauthorized", retryable: false }],
    [404, "The model `test-model` does not exist.", { code: "model/not-found", retryable: false }],
    [
      400,
      "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens.",
      { code: "model/context-length", details: { contextTokens: 4_096 } },
    ],
    [500, "oops", { code: "model/server", retryable: true }],
    [503, "busy", { code: "model/overloaded", retryable: true }],
  ])("with %i is told apart by its code", async (status, words, expected) => {
    const error = await failing(errorReply(status, words));

    expect(error).toMatchObject(expected);
    expect(error.message).toContain("test-model at acme.chat");
  });

  it("with 429 says how long to wait, and is not asked again by the adapter", async () => {
    const busy = errorReply(429, "slow down", { "retry-after": "2" });
    await using server = await startFaultServer({ replies: [busy, textReply("never")] });

    const error = await failure(listen(modelAt(server)));

    expect(error).toMatchObject({
      code: "model/rate-limited",
      retryable: true,
      details: { retryAfterMs: 2_000 },
    });
    expect(server.calls).toHaveLength(1);
  });

  it("with a web page is told by its status, without the page", async () => {
    const error = await failing(htmlReply(502));

    expect(error).toMatchObject({ code: "model/server", retryable: true });
    expect(error.message).not.toContain("nginx");
  });

  it("with its key in its words does not get it into ours", async () => {
    const error = await failing(errorReply(401, `no such key: ${KEY}`));

    expect(error.message).toContain("[key]");
    expect(error.message).not.toContain(KEY);
  });

  it.each([
    ["cut", [...SPEAKING, CUT]],
    ["reset", [...SPEAKING, RESET]],
    ["ended without a finish", SPEAKING],
  ])("amid its answer, %s, is a cut with what had come", async (_how, reply) => {
    const error = await failing(reply);

    expect(error).toMatchObject({
      code: "model/cut",
      retryable: false,
      details: { text: "one two ", usage: { source: "estimated" } },
    });
  });

  it("inside of its stream is read as it would be outside", async () => {
    const error = await failing(
      streamReply(`data: {"error":{"message":"maximum context length is 10","code":400}}\n\n`),
    );

    expect(error.code).toBe("model/context-length");
  });

  it("with a chunk that is no chat completion is a protocol error", async () => {
    const error = await failing([...SPEAKING, write("data: {nonsense\n\n"), write(DONE)]);

    expect(error).toMatchObject({ code: "model/protocol", details: { text: "one two " } });
  });

  it("by a reset before its answer, or because nobody listens, is unreachable", async () => {
    const server = await startFaultServer();
    await server.close();

    const absent = await failure(listen(modelAt(server)));
    const reset = await failing([RESET]);

    for (const error of [absent, reset])
      expect(error).toMatchObject({ code: "model/unreachable", retryable: true });
  });
});

/** Reads until "two ", then does what `then` does. */
async function read(events: AsyncIterable<ModelEvent>, then: () => void): Promise<void> {
  for await (const event of events)
    if (event.type === "text-delta" && event.text === "two ") {
      then();
      if (then === leave) return;
    }
}

function leave(): void {}

describe("a provider's call that ends early", () => {
  it("closes its socket when the signal aborts", async () => {
    await using server = await startFaultServer({ replies: [[...SPEAKING, STALL]] });
    const controller = new AbortController();
    const call = modelAt(server).call(REQUEST, controller.signal);

    const error = await failure(read(call, () => controller.abort()));

    expect(error).toMatchObject({ code: "model/cancelled", details: { text: "one two " } });
    expect(await server.closed(0)).toBe("client");
  });

  it("closes its socket when the signal aborts before the headers", async () => {
    await using server = await startFaultServer({ replies: [[STALL]] });
    const controller = new AbortController();

    const error = failure(listen(modelAt(server), REQUEST, controller.signal));
    await server.received(0);
    controller.abort();

    expect(await error).toMatchObject({ code: "model/cancelled" });
    expect(await server.closed(0)).toBe("client");
  });

  it("closes its socket when the loop is left", async () => {
    await using server = await startFaultServer({ replies: [[...SPEAKING, STALL]] });

    await read(modelAt(server).call(REQUEST, new AbortController().signal), leave);

    expect(await server.closed(0)).toBe("client");
  });

  it("closes its socket when it waits too long for a token", async () => {
    await using server = await startFaultServer({ replies: [[...SPEAKING, STALL]] });

    const error = await failure(listen(modelAt(server, { interTokenMs: 30 })));

    expect(error).toMatchObject({ code: "model/timed-out", details: { phase: "inter-token" } });
    expect(await server.closed(0)).toBe("client");
  });
});
