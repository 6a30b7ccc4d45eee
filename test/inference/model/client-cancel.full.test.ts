import { describe, expect, it } from "vitest";
import { detailOf } from "../../../src/error.ts";
import type { ModelEvent } from "../../../src/inference/model/model.ts";
import {
  chunk,
  head,
  STALL,
  textReply,
  wait,
  write,
  type WireReply,
} from "../../../src/test/wire-reply.ts";
import { ask, bench, benchOf, errorOf, eventsOf, NEVER, replyOf } from "./endpoint-bench.ts";

const SPEAKING: WireReply = [
  head(),
  write(chunk({ role: "assistant", content: "" })),
  write(chunk({ content: "one " })),
  write(chunk({ content: "two " })),
  STALL,
];

describe("a call that is aborted", () => {
  it("sends nothing when the signal was aborted before", async () => {
    const { model, server } = await benchOf(textReply("never"));

    const error = await errorOf(model, ask(), AbortSignal.abort(new Error("enough")));

    expect(error).toMatchObject({ code: "model/cancelled", cause: { message: "enough" } });
    expect(server.calls).toHaveLength(0);
  });

  it.each([
    ["before the headers", [STALL]],
    ["before the first token", [head(), STALL]],
  ])("%s closes its socket", async (_when, reply) => {
    const { model, server } = await benchOf(reply);
    const controller = new AbortController();

    const failing = errorOf(model, ask(), controller.signal);
    await server.received(0);
    controller.abort();
    const error = await failing;

    expect(error.code).toBe("model/cancelled");
    expect(detailOf(error, "text") ?? "").toBe("");
    expect(await server.closed(0)).toBe("client");
    expect(server.openSockets).toBe(0);
  });

  it("amid its answer carries what had come, closes its socket and gives no end", async () => {
    const { model, server } = await benchOf(SPEAKING);
    const controller = new AbortController();
    const events: ModelEvent[] = [];

    const reading = (async () => {
      for await (const event of model.call(ask(), controller.signal)) {
        events.push(event);
        if (textOf(events) === "one two ") controller.abort(new Error("enough"));
      }
    })();

    await expect(reading).rejects.toMatchObject({
      code: "model/cancelled",
      retryable: false,
      cause: { message: "enough" },
      details: { text: "one two ", usage: { source: "estimated", output: { total: 2 } } },
    });
    expect(events.some((event) => event.type === "end")).toBe(false);
    expect(await server.closed(0)).toBe("client");
  });

  it("while it waits for a connection leaves the others alone", async () => {
    const gate = Promise.withResolvers<void>();
    const held: WireReply = [wait(gate.promise), ...textReply("first")];
    const { model, server } = await bench([held, textReply("third")], { maxConnections: 1 });
    const controller = new AbortController();

    const first = replyOf(model);
    await server.received(0);
    const second = errorOf(model, ask(), controller.signal);
    const third = replyOf(model);
    controller.abort();
    const error = await second;
    gate.resolve();

    expect(error.code).toBe("model/cancelled");
    expect([(await first).text, (await third).text]).toEqual(["first", "third"]);
    expect(server.calls).toHaveLength(2);
  });

  it("after its end has no effect: the socket serves the next call", async () => {
    const { model, server } = await bench([textReply("one"), textReply("two")]);
    const controller = new AbortController();

    await eventsOf(model, ask(), controller.signal);
    controller.abort();
    const reply = await replyOf(model);

    expect(reply.text).toBe("two");
    expect(server.totalSockets).toBe(1);
  });
});

describe("a loop that is left early", () => {
  it.each([
    ["at the start", "start", [head(), STALL]],
    ["at the first text", "text-delta", SPEAKING],
  ])("%s closes the socket at once", async (_when, type, reply) => {
    const { model, server } = await benchOf(reply);

    for await (const event of model.call(ask(), NEVER)) {
      if (event.type === "start") await server.received(0);
      if (event.type === type) break;
    }

    expect(await server.closed(0)).toBe("client");
    expect(server.openSockets).toBe(0);
  });

  it("by an error of the caller throws that error and closes the socket", async () => {
    const { model, server } = await benchOf(SPEAKING);

    const reading = (async () => {
      for await (const event of model.call(ask(), NEVER)) {
        if (event.type === "text-delta") throw new TypeError("my own");
      }
    })();

    await expect(reading).rejects.toThrow("my own");
    expect(await server.closed(0)).toBe("client");
  });

  it("frees its connection for the next call", async () => {
    const { model } = await bench([SPEAKING, textReply("next")], { maxConnections: 1 });

    for await (const event of model.call(ask(), NEVER)) if (event.type === "text-delta") break;
    const reply = await replyOf(model);

    expect(reply.text).toBe("next");
  });
});

describe("a caller that is slow", () => {
  it("loses nothing and lets the server wait", async () => {
    const piece = "x".repeat(64 * 1024);
    const { model } = await benchOf(textReply(...Array.from({ length: 64 }, () => piece)));
    let length = 0;

    for await (const event of model.call(ask(), NEVER)) {
      if (event.type === "text-delta") length += event.text.length;
      await new Promise((resolve) => setImmediate(resolve));
    }

    expect(length).toBe(64 * piece.length);
  });

  it("is given the time that it takes: only the server's silence is timed", async () => {
    const piece = "x".repeat(64 * 1024);
    const { model } = await benchOf(textReply(...Array.from({ length: 64 }, () => piece)), {
      timeouts: { interTokenMs: 100 },
    });
    let length = 0;
    let isFirst = true;

    for await (const event of model.call(ask(), NEVER)) {
      if (event.type !== "text-delta") continue;
      length += event.text.length;
      if (isFirst) await new Promise((resolve) => setTimeout(resolve, 400));
      isFirst = false;
    }

    expect(length).toBe(64 * piece.length);
  });

  it("is waited for anew by the server's silence after that", async () => {
    const piece = "x".repeat(64 * 1024);
    const writes = Array.from({ length: 16 }, () => write(chunk({ content: piece })));
    const { model } = await benchOf([head(), ...writes, STALL], {
      timeouts: { interTokenMs: 100 },
    });

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/timed-out", details: { phase: "inter-token" } });
  });
});

function textOf(events: readonly ModelEvent[]): string {
  return events.map((event) => (event.type === "text-delta" ? event.text : "")).join("");
}
