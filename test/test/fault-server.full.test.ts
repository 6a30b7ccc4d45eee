import { connect } from "node:net";
import { Agent, request as httpRequest, type IncomingMessage } from "node:http";
import { describe, expect, it } from "vitest";
import { startFaultServer, type FaultServer } from "../../src/test/fault-server.ts";
import {
  chunk,
  completionReply,
  CUT,
  DONE,
  errorReply,
  finishChunk,
  head,
  htmlReply,
  jsonReply,
  RESET,
  STALL,
  streamReply,
  textReply,
  wait,
  write,
} from "../../src/test/wire-reply.ts";

describe("startFaultServer", () => {
  it("streams the writes of a reply and records the request", async () => {
    await using server = await startFaultServer({ replies: [textReply("Hel", "lo")] });

    const response = await post(server, { model: "m", stream: true });
    const body = await bodyOf(response);

    expect(response.headers["content-type"]).toContain("text/event-stream");
    expect(body).toContain('"delta":{"content":"Hel"}');
    expect(body.endsWith(DONE)).toBe(true);
    expect(server.calls).toMatchObject([
      { method: "POST", path: "/v1/chat/completions", body: { model: "m", stream: true } },
    ]);
  });

  it("sends each write by itself, also inside a character", async () => {
    const reading = Promise.withResolvers<void>();
    const [first, second] = [Buffer.from("é").subarray(0, 1), Buffer.from("é").subarray(1)];
    const reply = [head(), wait(reading.promise), write(first), write(second), write("x")];
    await using server = await startFaultServer({ replies: [reply] });

    const response = await post(server, {});
    const parts = Array.fromAsync(response as AsyncIterable<Buffer>);
    reading.resolve();

    expect((await parts).map((part) => part.length)).toEqual([1, 1, 1]);
  });

  it("holds an answer until the test lets it go on", async () => {
    const gate = Promise.withResolvers<void>();
    const replies = [[head(), write("first"), wait(gate.promise), write("second")]];
    await using server = await startFaultServer({ replies });

    const response = await post(server, {});
    const parts: string[] = [];
    for await (const part of response as AsyncIterable<Buffer>) {
      parts.push(part.toString());
      gate.resolve();
    }

    expect(parts).toEqual(["first", "second"]);
  });

  it("holds back its headers when the reply waits first", async () => {
    const gate = Promise.withResolvers<void>();
    await using server = await startFaultServer({
      replies: [[wait(gate.promise), ...textReply("late")]],
    });
    let isAnswered = false;

    const responding = post(server, {}).then((response) => {
      isAnswered = true;
      return response;
    });
    await server.received(0);
    const before = isAnswered;
    gate.resolve();
    await bodyOf(await responding);

    expect(before).toBe(false);
    expect(isAnswered).toBe(true);
  });

  it("goes on when what it waits for fails", async () => {
    const failed = Promise.reject(new Error("gate"));
    await using server = await startFaultServer({ replies: [[wait(failed), ...textReply("on")]] });

    const response = await post(server, {});

    expect(await bodyOf(response)).toContain("on");
  });

  it("chooses the reply by a function of the request", async () => {
    await using server = await startFaultServer({
      replies: (request, index) => jsonReply({ index, path: request.path }, 200 + index),
    });

    const first = await post(server, {});
    const second = await post(server, {});

    expect([first.statusCode, second.statusCode]).toEqual([200, 201]);
    expect(await bodyOf(second)).toBe('{"index":1,"path":"/v1/chat/completions"}');
  });

  it("says which call has no reply, and why a function gave none", async () => {
    await using empty = await startFaultServer();
    await using broken = await startFaultServer({
      replies: () => {
        throw new Error("my script");
      },
    });

    const none = await post(empty, {});
    const failed = await post(broken, {});

    expect(none.statusCode).toBe(400);
    expect(await bodyOf(none)).toContain("no reply left for call 0, the list has 0");
    expect(failed.statusCode).toBe(500);
    expect(await bodyOf(failed)).toContain("my script");
  });

  it.each([
    [
      "a failure with headers",
      errorReply(429, "slow down", { "retry-after": "7" }),
      429,
      "slow down",
    ],
    ["one JSON answer", completionReply({ content: "hi" }), 200, '"content":"hi"'],
    ["a page", htmlReply(404), 404, "<h1>"],
    ["garbage", streamReply("data: {not json\n\n"), 200, "{not json"],
    ["no end", streamReply(chunk({ content: "a" })), 200, '"content":"a"'],
    ["a finish", streamReply(finishChunk("length")), 200, '"finish_reason":"length"'],
    ["nothing", [], 200, ""],
  ])("answers with %s", async (_what, reply, status, part) => {
    await using server = await startFaultServer({ replies: [reply] });

    const response = await post(server, {});

    expect(response.statusCode).toBe(status);
    expect(await bodyOf(response)).toContain(part);
  });

  it("cuts the connection amid an answer", async () => {
    await using server = await startFaultServer({ replies: [[head(), write("data: {"), CUT]] });

    const response = await post(server, {});

    await expect(bodyOf(response)).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await server.closed(0)).toBe("server");
  });

  it("resets the connection before its headers", async () => {
    await using server = await startFaultServer({ replies: [[RESET]] });

    await expect(post(server, {})).rejects.toMatchObject({ code: "ECONNRESET" });
    expect(await server.closed(0)).toBe("server");
  });

  it("is silent after its headers until the client leaves", async () => {
    await using server = await startFaultServer({ replies: [[head(), STALL]] });

    const response = await post(server, {});
    response.on("error", () => undefined); // the client's own leaving
    response.destroy();

    expect(response.statusCode).toBe(200);
    expect(await server.closed(0)).toBe("client");
    expect(server.openSockets).toBe(0);
  });

  it("tells a kept connection from a new one", async () => {
    await using server = await startFaultServer({ replies: () => textReply("hi") });
    const agent = new Agent({ keepAlive: true });

    await bodyOf(await post(server, {}, agent));
    await bodyOf(await post(server, {}, agent));
    const kept = [server.totalSockets, server.openSockets];
    agent.destroy();

    expect(kept).toEqual([1, 1]);
    expect(await Promise.all([server.closed(0), server.closed(1)])).toEqual(["client", "client"]);
  });

  it("lists its models and its version, and neither when told so", async () => {
    await using vllm = await startFaultServer({
      models: [{ id: "a", owned_by: "vllm", max_model_len: 8192 }],
      version: "0.28.0",
    });
    await using bare = await startFaultServer({ models: "not-found" });

    const models = JSON.parse(await bodyOf(await get(vllm, "/v1/models"))) as unknown;
    const version = await bodyOf(await get(vllm, "/version"));
    const missing = [
      await get(bare, "/v1/models"),
      await get(bare, "/version"),
      await get(vllm, "/nowhere"),
    ];

    expect(models).toEqual({
      object: "list",
      data: [{ id: "a", object: "model", owned_by: "vllm", max_model_len: 8192 }],
    });
    expect(version).toBe('{"version":"0.28.0"}');
    expect(missing.map((response) => response.statusCode)).toEqual([404, 404, 404]);
    expect(vllm.requests).toHaveLength(3);
    expect(vllm.calls).toHaveLength(0);
  });

  it("answers other paths as told, also instead of its own", async () => {
    const routes = { "/metrics": [head(200, {}), write("up 1")], "/v1/models": htmlReply(502) };
    await using server = await startFaultServer({ routes });

    const metrics = await get(server, "/metrics?all=1");
    const models = await get(server, "/v1/models");

    expect(await bodyOf(metrics)).toBe("up 1");
    expect(models.statusCode).toBe(502);
  });

  it("says which head HTTP does not allow", async () => {
    await using server = await startFaultServer({ replies: [[head(200, { "no name": "x" })]] });

    const response = await post(server, {});

    expect(response.statusCode).toBe(500);
    expect(await bodyOf(response)).toContain("no name");
  });

  it("knows a connection that it closes by a header as its own closing", async () => {
    const reply = [head(200, { connection: "close" }), write("bye")];
    await using server = await startFaultServer({ replies: [reply] });

    await bodyOf(await post(server, {}));

    expect(await server.closed(0)).toBe("server");
  });

  it("drops a client that leaves amid its request and serves the next", async () => {
    await using server = await startFaultServer({ replies: [textReply("next")] });
    const rude = connect(Number(new URL(server.url).port), "127.0.0.1");
    rude.write("POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{");
    await new Promise((resolve) => rude.once("connect", resolve));
    rude.destroy();

    const response = await post(server, {});

    expect(await bodyOf(response)).toContain("next");
    expect(server.calls).toHaveLength(1);
  });

  it("cuts every connection when it closes", async () => {
    const server = await startFaultServer({ replies: [[head(), STALL]] });
    const response = await post(server, {});
    const reading = bodyOf(response);

    await Promise.all([
      server.close(),
      expect(reading).rejects.toMatchObject({ code: "ECONNRESET" }),
    ]);

    expect(server.openSockets).toBe(0);
    expect(await server.closed(0)).toBe("server");
    await expect(post(server, {})).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });
});

function post(server: FaultServer, body: object, agent = new Agent()): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const url = `${server.url}/chat/completions`;
    const request = httpRequest(url, { method: "POST", agent }, resolve);
    request.on("error", reject);
    request.end(JSON.stringify(body));
  });
}

function get(server: FaultServer, path: string): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    httpRequest(new URL(path, server.url), { agent: new Agent() }, resolve)
      .on("error", reject)
      .end();
  });
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const parts = await Array.fromAsync(response as AsyncIterable<Buffer>);
  return Buffer.concat(parts).toString();
}
