import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { startFaultServer, type FaultServer } from "../../../src/test/fault-server.ts";
import {
  completionReply,
  head,
  STALL,
  textReply,
  wait,
  type WireReply,
} from "../../../src/test/wire-reply.ts";
import { ask, bench, errorOf, eventsOf, modelAt, NEVER, replyOf } from "./endpoint-bench.ts";
import { type ForwardProxy, startForwardProxy } from "./forward-proxy.ts";

describe("connections", () => {
  it("are kept: calls in a row use one socket, whatever they end with", async () => {
    const refusal = completionReply({ content: "whole" });
    const { server, model } = await bench([textReply("one"), refusal, textReply("three")]);

    await replyOf(model);
    await replyOf(model, ask({ stream: false }));
    const last = await replyOf(model);

    expect(last.text).toBe("three");
    expect(server.totalSockets).toBe(1);
  });

  it("are kept after a refusal", async () => {
    const { server, model } = await bench([]);

    await errorOf(model);
    await errorOf(model);

    expect(server.calls).toHaveLength(2);
    expect(server.totalSockets).toBe(1);
  });

  it("are no more than maxConnections", async () => {
    const gate = Promise.withResolvers<void>();
    const held: WireReply = [wait(gate.promise), ...textReply("done")];
    const { server, model } = await bench(() => held, { maxConnections: 2 });

    const calls = Array.from({ length: 5 }, () => replyOf(model));
    await Promise.all([server.received(0), server.received(1)]);
    const open = server.openSockets;
    gate.resolve();
    const replies = await Promise.all(calls);

    expect(open).toBe(2);
    expect(replies.map((reply) => reply.text)).toEqual(Array.from({ length: 5 }, () => "done"));
    expect(server.totalSockets).toBe(2);
  });

  it("are waited for in the open: queued, then start when one is there", async () => {
    const gate = Promise.withResolvers<void>();
    const held: WireReply = [wait(gate.promise), ...textReply("done")];
    const { server, model } = await bench(() => held, { maxConnections: 1 });
    const seen: string[] = [];

    const first = eventsOf(model);
    await server.received(0);
    const second = (async () => {
      for await (const event of model.call(ask(), NEVER))
        seen.push(event.type === "queued" ? event.reason : event.type);
    })();
    await expect.poll(() => seen).toHaveLength(1);
    const whileWaiting = [...seen];
    gate.resolve();
    const events = await first;
    await second;

    const reason = `all 1 connections to ${new URL(server.url).host} are in use`;
    expect(whileWaiting).toEqual([reason]);
    expect(seen).toEqual([reason, "start", "text-delta", "end"]);
    expect(events.map(({ type }) => type)).not.toContain("queued");
  });

  it("that never come leave a call queued, never started", async () => {
    const { server, model } = await bench([[head(), STALL]], {
      maxConnections: 1,
      timeouts: { queueMs: 50 },
    });
    const controller = new AbortController();
    const first = errorOf(model, ask(), controller.signal);
    await server.received(0);
    const seen: string[] = [];

    const second = (async () => {
      for await (const event of model.call(ask(), NEVER)) seen.push(event.type);
    })();

    await expect(second).rejects.toMatchObject({ details: { phase: "queue" } });
    expect(seen).toEqual(["queued"]);
    controller.abort();
    await first;
  });

  it("are closed when the client is closed", async () => {
    const { server, model } = await bench([textReply("one")]);
    await replyOf(model);

    model.close();

    expect(await server.closed(0)).toBe("client");
    expect(server.openSockets).toBe(0);
  });

  it("that the server does not keep are made anew", async () => {
    const { server, model } = await bench([closing(textReply("one")), textReply("two")]);

    const first = await replyOf(model);
    const closer = await server.closed(0);
    const second = await replyOf(model);

    expect([first.text, closer, second.text]).toEqual(["one", "server", "two"]);
    expect(server.totalSockets).toBe(2);
  });
});

describe("a proxy of the environment", () => {
  it("forwards calls over HTTP", async () => {
    const proxy = await withProxy();
    const { server } = await bench([textReply("through")]);
    const model = modelAt(server.url, {}, { HTTP_PROXY: proxy.url });

    const reply = await replyOf(model);

    expect(reply.text).toBe("through");
    expect(proxy.asked).toEqual([expect.stringContaining("chat/completions")]);
  });

  it("is known by its name in small letters too", async () => {
    const proxy = await withProxy();
    const { server } = await bench([textReply("through")]);
    const model = modelAt(server.url, {}, { http_proxy: proxy.url });

    await replyOf(model);

    expect(proxy.asked).toHaveLength(1);
  });

  it("is left out for the hosts of NO_PROXY", async () => {
    const proxy = await withProxy();
    const { server } = await bench([textReply("direct")]);
    const model = modelAt(server.url, {}, { HTTP_PROXY: proxy.url, NO_PROXY: "127.0.0.1" });

    const reply = await replyOf(model);

    expect(reply.text).toBe("direct");
    expect(proxy.asked).toEqual([]);
  });

  it("is not taken from the process: the environment comes as an argument", async () => {
    const proxy = await withProxy();
    const { server } = await bench([textReply("direct")]);
    const before = process.env["HTTP_PROXY"];
    process.env["HTTP_PROXY"] = proxy.url;
    onTestFinished(() => {
      if (before === undefined) delete process.env["HTTP_PROXY"];
      else process.env["HTTP_PROXY"] = before;
    });

    await replyOf(modelAt(server.url));

    expect(proxy.asked).toEqual([]);
  });

  it("that is down makes the endpoint unreachable", async () => {
    const proxy = await withProxy();
    const { server } = await bench([textReply("never")]);
    const model = modelAt(server.url, {}, { HTTP_PROXY: proxy.url });
    await proxy.close();

    const error = await errorOf(model);

    expect(error.code).toBe("model/unreachable");
    expect(server.calls).toHaveLength(0);
  });
});

describe.skipIf(!hasOpenssl())("a server with a certificate of a private authority", () => {
  const folder = mkdtempSync(join(tmpdir(), "bosun-tls-"));
  const caFile = join(folder, "cert.pem");
  const keyFile = join(folder, "key.pem");

  beforeAll(() => {
    const subject = ["-subj", "/CN=bosun test", "-addext", "subjectAltName=IP:127.0.0.1"];
    const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
    const files = ["-keyout", keyFile, "-out", caFile, "-days", "2"];
    execFileSync("openssl", ["req", "-x509", ...key, ...files, ...subject], { stdio: "ignore" });
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it("is trusted by caFile", async () => {
    const server = await tlsServer([textReply("safe"), textReply("kept")]);
    const model = modelAt(server.url, { caFile });

    const replies = [await replyOf(model), await replyOf(model)];

    expect(replies.map((reply) => reply.text)).toEqual(["safe", "kept"]);
    expect(server.totalSockets).toBe(1);
  });

  it("is not trusted without it", async () => {
    const server = await tlsServer([textReply("never")]);

    const error = await errorOf(modelAt(server.url));

    expect(error.code).toBe("model/unreachable");
    expect(error.message).toMatch(/certificate/i);
    expect(server.calls).toHaveLength(0);
  });

  it("is reached through a tunnel of HTTPS_PROXY", async () => {
    const proxy = await withProxy();
    const server = await tlsServer([textReply("tunnelled")]);
    const model = modelAt(server.url, { caFile }, { HTTPS_PROXY: proxy.url });

    const reply = await replyOf(model);

    expect(reply.text).toBe("tunnelled");
    expect(proxy.asked).toEqual([`CONNECT ${new URL(server.url).host}`]);
  });

  it("has its socket closed when a call is aborted", async () => {
    const server = await tlsServer([[head(), STALL]]);
    const model = modelAt(server.url, { caFile });
    const controller = new AbortController();

    const failing = errorOf(model, ask(), controller.signal);
    await server.received(0);
    controller.abort();

    expect((await failing).code).toBe("model/cancelled");
    expect(await server.closed(0)).toBe("client");
  });

  it("cannot be used with a file that is not there", async () => {
    const missing = join(folder, "none.pem");

    expect(() => modelAt("https://127.0.0.1:1/v1", { caFile: missing })).toThrow(
      expect.objectContaining({ code: "config/invalid" }),
    );
  });

  async function tlsServer(replies: readonly WireReply[]): Promise<FaultServer> {
    const tls = { key: readFileSync(keyFile, "utf8"), cert: readFileSync(caFile, "utf8") };
    const server = await startFaultServer({ replies, tls });
    onTestFinished(() => server.close());
    return server;
  }
});

/** The reply with the header that ends the connection after it. */
function closing([first, ...rest]: WireReply): WireReply {
  if (first?.type !== "head") throw new Error("the reply has no head");
  return [head(first.status, { ...first.headers, connection: "close" }), ...rest];
}

async function withProxy(): Promise<ForwardProxy> {
  const proxy = await startForwardProxy();
  onTestFinished(() => proxy.close());
  return proxy;
}

function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false; // the tests of TLS are skipped where the command is missing
  }
}
