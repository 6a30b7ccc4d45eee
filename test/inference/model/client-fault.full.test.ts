import { createServer } from "node:net";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  chunk,
  CUT,
  finishChunk,
  head,
  RESET,
  STALL,
  streamReply,
  textReply,
  wait,
  write,
} from "../../../src/test/wire-reply.ts";
import { ask, bench, benchOf, errorOf, eventsOf, modelAt, replyOf } from "./endpoint-bench.ts";

const ROLE = chunk({ role: "assistant", content: "" });

describe("a server that cannot be reached", () => {
  it("refuses the connection", async () => {
    const { server } = await bench([]);
    await server.close();

    const error = await errorOf(modelAt(server.url));

    expect(error).toMatchObject({ code: "model/unreachable", retryable: true });
    expect(error.message).toContain(new URL(server.url).host);
  });

  it("has a name that nobody knows", async () => {
    // A label over 63 characters: the resolver refuses it without asking anybody.
    const error = await errorOf(modelAt(`http://${"a".repeat(64)}.invalid:8000/v1`));

    expect(error).toMatchObject({ code: "model/unreachable", retryable: true });
  });

  it("resets the connection before its headers", async () => {
    const { model } = await benchOf([RESET]);

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/unreachable", retryable: true });
  });

  it("closes the connection before its headers", async () => {
    const { model } = await benchOf([CUT]);

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/unreachable", retryable: true });
  });

  it("is reached again as soon as it is back", async () => {
    const { model } = await bench([[RESET], textReply("back")]);

    const error = await errorOf(model);
    const reply = await replyOf(model);

    expect(error.code).toBe("model/unreachable");
    expect(reply.text).toBe("back");
  });

  it("is asked once: repeating is not the client's work", async () => {
    const { model, server } = await bench(() => [RESET]);

    await errorOf(model);

    expect(server.calls).toHaveLength(1);
  });
});

describe("a stream that is cut", () => {
  const partial = [
    head(),
    write(ROLE),
    write(chunk({ content: "Hel" })),
    write(chunk({ content: "lo" })),
  ];

  it.each([
    ["amid a chunk", [...partial, write('data: {"choices":[{"ind'), CUT]],
    ["between chunks", [...partial, CUT]],
    ["by a reset", [...partial, RESET]],
    ["by an end that has no finish", partial],
    ["by an end amid a chunk", [...partial, write('data: {"choices":[{"ind')]],
  ])("%s is model/cut with what had come", async (_where, reply) => {
    const { model } = await benchOf(reply);

    const error = await errorOf(model);

    expect(error).toMatchObject({
      code: "model/cut",
      retryable: false,
      details: { text: "Hello", usage: { source: "estimated", output: { total: 2 } } },
    });
  });

  it("keeps the server's own count where it had come", async () => {
    const counted = `data: ${JSON.stringify({ choices: [{ index: 0, delta: { content: "Hi" }, finish_reason: null }], usage: { prompt_tokens: 28, completion_tokens: 1 } })}\n\n`;
    const { model } = await benchOf([head(), write(counted), CUT]);

    const error = await errorOf(model);

    expect(error).toMatchObject({
      code: "model/cut",
      details: { text: "Hi", usage: { source: "server", input: { total: 28 } } },
    });
  });

  it.each([
    ["its headers", [head(), CUT]],
    ["an end without anything", [head()]],
    ["a role alone", [head(), write(ROLE), CUT]],
    ["a comment", [head(), write(": ping\n\n")]],
  ])("may be repeated when no token had come: after %s", async (_what, reply) => {
    const { model } = await benchOf(reply);

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/cut", retryable: true });
  });

  it("may not be repeated after a thought or a part of a call", async () => {
    const thought = streamReply(ROLE, chunk({ reasoning: "Hm" }));
    const call = streamReply(
      chunk({ tool_calls: [{ index: 0, id: "a", function: { name: "now" } }] }),
    );
    const { model } = await bench([thought, call]);

    const errors = [await errorOf(model), await errorOf(model)];

    expect(errors).toMatchObject([
      { code: "model/cut", retryable: false },
      { code: "model/cut", retryable: false },
    ]);
  });

  it("gives what had come before it throws", async () => {
    const { model } = await benchOf([...partial, CUT]);
    const heard: string[] = [];

    const reading = (async () => {
      for await (const event of model.call(ask(), new AbortController().signal)) {
        if (event.type === "text-delta") heard.push(event.text);
      }
    })();

    await expect(reading).rejects.toMatchObject({ code: "model/cut" });
    expect(heard.join("")).toBe("Hello");
  });

  it("answers the next call on a new connection", async () => {
    const { model } = await bench([[...partial, CUT], textReply("whole")]);

    await errorOf(model);
    const reply = await replyOf(model);

    expect(reply.text).toBe("whole");
  });
});

describe("a server that is too slow", () => {
  it.each([
    ["first-token", "its headers do not come", [STALL]],
    ["first-token", "no event comes", [head(), STALL]],
    ["first-token", "a role comes and nothing more", [head(), write(ROLE), STALL]],
    ["first-token", "only comments come", [head(), write(": ping\n\n"), STALL]],
  ])("%s: %s", async (phase, _what, reply) => {
    const { model, server } = await benchOf(reply, { timeouts: { firstTokenMs: 50 } });

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/timed-out", details: { phase } });
    expect(await server.closed(0)).toBe("client");
  });

  it("inter-token: the next token does not come", async () => {
    const reply = [head(), write(ROLE), write(chunk({ content: "Hi" })), STALL];
    const { model, server } = await benchOf(reply, { timeouts: { interTokenMs: 50 } });

    const error = await errorOf(model);

    expect(error).toMatchObject({
      code: "model/timed-out",
      retryable: false,
      details: { phase: "inter-token", text: "Hi", usage: { source: "estimated" } },
    });
    expect(await server.closed(0)).toBe("client");
  });

  it("total: tokens come and no end", async () => {
    const reply = [head(), write(chunk({ content: "Hi" })), STALL];
    const { model, server } = await benchOf(reply, { timeouts: { totalMs: 50 } });

    const error = await errorOf(model);

    expect(error).toMatchObject({
      code: "model/timed-out",
      details: { phase: "total", text: "Hi" },
    });
    expect(await server.closed(0)).toBe("client");
  });

  it("total: the answer comes without a stream and not to its end", async () => {
    const reply = [head(200, { "content-type": "application/json" }), write('{"choices":['), STALL];
    const { model, server } = await benchOf(reply, { timeouts: { totalMs: 50 } });

    const error = await errorOf(model, ask({ stream: false }));

    expect(error).toMatchObject({ code: "model/timed-out", details: { phase: "total" } });
    expect(await server.closed(0)).toBe("client");
  });

  it("queue: no connection is free", async () => {
    const { model, server } = await bench([[head(), STALL], textReply("never")], {
      maxConnections: 1,
      timeouts: { queueMs: 50 },
    });
    const controller = new AbortController();
    const first = errorOf(model, ask(), controller.signal);
    await server.received(0);

    const error = await errorOf(model);
    controller.abort();
    await first;

    expect(error).toMatchObject({ code: "model/timed-out", details: { phase: "queue" } });
    expect(server.calls).toHaveLength(1);
  });

  it("connect: the connection is not made", async () => {
    const url = await silentTlsUrl();
    const model = modelAt(url, { timeouts: { connectMs: 50 } });

    const error = await errorOf(model);

    expect(error).toMatchObject({ code: "model/timed-out", details: { phase: "connect" } });
  });

  it("has the bounds of the request before those of the endpoint", async () => {
    const { model } = await benchOf([head(), STALL], { timeouts: { firstTokenMs: 600_000 } });

    const error = await errorOf(model, ask({ timeouts: { firstTokenMs: 50 } }));

    expect(error).toMatchObject({ code: "model/timed-out", details: { phase: "first-token" } });
  });

  it("is waited for as long as the bounds allow", async () => {
    const gate = Promise.withResolvers<void>();
    const reply = [
      wait(gate.promise),
      head(),
      write(chunk({ content: "late" })),
      write(finishChunk()),
    ];
    const { model, server } = await benchOf(reply);

    const reading = eventsOf(model);
    await server.received(0);
    gate.resolve();

    expect((await reading).at(-1)).toMatchObject({ type: "end", text: "late" });
  });
});

/** An https URL behind which TCP connects and nothing ever speaks TLS. */
async function silentTlsUrl(): Promise<string> {
  const server = createServer((socket) => socket.on("error", () => undefined));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  const address = server.address();
  if (typeof address !== "object" || !address) throw new Error("no port");
  return `https://127.0.0.1:${address.port}/v1`;
}
