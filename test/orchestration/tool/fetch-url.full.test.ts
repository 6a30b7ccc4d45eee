import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { fetchUrl, type FetchUrlOptions } from "../../../src/orchestration/tool/fetch-url.ts";
import { readFile } from "../../../src/orchestration/tool/read-file.ts";
import type { ToolOutcome } from "../../../src/orchestration/tool/run.ts";
import { contextOf, runForReal } from "./probe.ts";

let server: Server;
let port = 0;
let asked: string[] = [];
let answer: (request: IncomingMessage, response: ServerResponse) => void = () => undefined;

beforeEach(async () => {
  asked = [];
  server = createServer((request, response) => {
    asked.push(`${request.headers.host}${request.url}`);
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  port = typeof address === "object" && address ? address.port : 0;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Every name leads to the test's server; only page.test may. */
function fetchPath(path: string, options: FetchUrlOptions = {}): Promise<ToolOutcome> {
  const tool = fetchUrl({
    allowPrivate: ["page.test"],
    resolve: () => Promise.resolve(["127.0.0.1"]),
    ...options,
  });
  return runForReal(tool, JSON.stringify({ url: `http://page.test:${port}${path}` }));
}

function send(type: string, body: string | Uint8Array, status: number = 200): void {
  answer = (_request, response) =>
    response.writeHead(status, type === "" ? {} : { "content-type": type }).end(body);
}

describe("fetchUrl", () => {
  it("closes the connection of an answer that it refuses, however long that goes on", async () => {
    const closed = new Promise<void>((resolve) => {
      answer = (request, response) => {
        request.socket.once("close", () => resolve());
        response.writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" });
        response.write("never ended");
      };
    });

    const outcome = await fetchPath("/");
    await closed;

    expect(outcome).toMatchObject({ type: "failed", code: "tool/refused" });
  });

  it("gives a page as text, with its title and URL", async () => {
    send(
      "text/html; charset=utf-8",
      "<title>A page</title><script>x</script><h1>Head</h1><p>Text &amp; more.</p>",
    );

    expect(await fetchPath("/a?b=c#d")).toMatchObject({
      type: "done",
      value: {
        url: `http://page.test:${port}/a?b=c#d`,
        title: "A page",
        type: "text/html",
        text: "# Head\n\nText & more.",
      },
    });
    expect(asked).toEqual([`page.test:${port}/a?b=c`]);
  });

  it.each([
    ["text/plain", "a < b", "a < b"],
    ["application/json", '{"a":1}', '{"a":1}'],
    ["application/ld+json", "{}", "{}"],
    ["text/plain; charset=iso-8859-1", Buffer.from([0x63, 0x61, 0x66, 0xe9]), "café"],
    ["text/plain; charset=no-such", "plain", "plain"],
    ["", "no type", "no type"],
    ["", "<!DOCTYPE html><p>page</p>", "page"],
  ])("gives %j as text", async (type, body, text) => {
    send(type, body);

    expect(await fetchPath("/")).toMatchObject({ type: "done", value: { text } });
  });

  it.each([
    ["image/png", "x"],
    ["application/octet-stream", "x"],
    ["application/pdf", "%PDF"],
    ["text/plain", Buffer.from([65, 0, 66])],
    ["", Buffer.from([65, 0, 66])],
  ])("refuses %j", async (type, body) => {
    send(type, body);

    expect(await fetchPath("/")).toMatchObject({
      code: "tool/refused",
      message: expect.stringContaining("not a text"),
    });
  });

  it("connects to the address that was checked, whatever the name resolves to a moment later", async () => {
    send("text/plain", "pinned");
    let lookups = 0;
    const resolve = (): Promise<readonly string[]> =>
      Promise.resolve(++lookups === 1 ? ["127.0.0.1"] : ["127.0.0.99"]);

    expect(await fetchPath("/", { resolve })).toMatchObject({
      type: "done",
      value: { text: "pinned" },
    });
    expect(lookups).toBe(1);
  });

  it("never connects to a private address, also when the name was public before", async () => {
    send("text/plain", "private");
    const tool = fetchUrl({ resolve: () => Promise.resolve(["127.0.0.1"]) });

    const outcome = await runForReal(
      tool,
      JSON.stringify({ url: `http://rebound.example:${port}/` }),
    );

    expect(outcome).toMatchObject({ code: "tool/refused" });
    expect(asked).toEqual([]);
  });

  it("follows redirects, relative ones too, up to five", async () => {
    answer = (request, response) => {
      const hop = Number(request.url?.slice(1));
      if (hop < 5) {
        response
          .writeHead(302, {
            location: hop % 2 === 0 ? `${hop + 1}` : `http://page.test:${port}/${hop + 1}`,
          })
          .end();
      } else response.writeHead(200, { "content-type": "text/plain" }).end("there");
    };

    expect(await fetchPath("/0")).toMatchObject({
      type: "done",
      value: { url: `http://page.test:${port}/5`, text: "there" },
    });
    expect(asked).toHaveLength(6);
  });

  it("gives up after five redirects", async () => {
    answer = (_request, response) => response.writeHead(301, { location: "/again" }).end();

    expect(await fetchPath("/")).toMatchObject({
      code: "tool/failed",
      message: expect.stringContaining("more than 5 times"),
    });
    expect(asked).toHaveLength(6);
  });

  it.each([
    "http://evil.test:PORT/",
    "http://127.0.0.1:PORT/",
    "//localhost:PORT/",
    "file:///etc/passwd",
    "http://u:p@page.test:PORT/",
  ])("checks a redirect to %s like a first URL", async (location) => {
    answer = (_request, response) =>
      response.writeHead(302, { location: location.replace("PORT", String(port)) }).end();

    expect(await fetchPath("/")).toMatchObject({ code: "tool/refused" });
    expect(asked).toEqual([`page.test:${port}/`]);
  });

  it("reads no more than maxBytes, and says so", async () => {
    answer = (_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      const more = (): void => {
        while (response.write("x".repeat(65_536)));
        response.once("drain", more);
      };
      more(); // never ends
    };

    expect(await fetchPath("/", { maxBytes: 1_000, output: { maxTokens: 10_000 } })).toMatchObject({
      type: "done",
      value: { text: "x".repeat(1_000), cut: true },
    });
  });

  it("refuses compressed answers, which it did not ask for", async () => {
    answer = (request, response) => {
      expect(request.headers["accept-encoding"]).toBe("identity");
      response
        .writeHead(200, { "content-type": "text/plain", "content-encoding": "gzip" })
        .end(gzipSync("x".repeat(1_000_000)));
    };

    expect(await fetchPath("/")).toMatchObject({ code: "tool/refused" });
  });

  it.each([404, 500, 304])("fails with the HTTP status %d", async (status) => {
    send("text/plain", "", status);

    expect(await fetchPath("/")).toMatchObject({
      code: "tool/failed",
      message: `http://page.test:${port}/ answered with HTTP status ${status}`,
    });
  });

  it("ends when its time is over, also in the middle of an answer", async () => {
    answer = (_request, response) =>
      response.writeHead(200, { "content-type": "text/plain" }).write("and then nothing");

    expect(await fetchPath("/", { timeoutMs: 50 })).toMatchObject({ code: "tool/timed-out" });
  });

  it("closes the connection when the run is aborted", async () => {
    const controller = new AbortController();
    const reason = new Error("left");
    const closed = new Promise((resolve) => {
      answer = (_request, response) => {
        response.on("close", resolve);
        controller.abort(reason);
      };
    });
    const tool = fetchUrl({ allowPrivate: true, resolve: () => Promise.resolve(["127.0.0.1"]) });

    const call = Reflect.apply(tool.run, undefined, [
      { url: `http://page.test:${port}/` },
      contextOf(controller.signal),
    ]);

    await expect(call).rejects.toBe(reason);
    await closed;
  });

  it("survives a server that hangs up or talks nonsense", async () => {
    answer = (request) => request.socket.destroy();
    expect(await fetchPath("/")).toMatchObject({
      code: "tool/failed",
      message: expect.stringContaining(`no answer from page.test:${port}`),
    });

    answer = (request) => request.socket.end("nonsense\r\n\r\n");
    expect(await fetchPath("/")).toMatchObject({ code: "tool/failed" });

    answer = (request) =>
      request.socket.end(`HTTP/1.1 200 OK\r\nx: ${"y".repeat(100_000)}\r\n\r\n`);
    expect(await fetchPath("/")).toMatchObject({ code: "tool/failed" });

    answer = (request) =>
      request.socket.end(
        "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 100\r\n\r\ncut",
      );
    expect(await fetchPath("/")).toMatchObject({ code: "tool/failed" });
  });
});

describe("readFile", () => {
  it("does not wait for a pipe that nobody writes to", async () => {
    const root = mkdtempSync(join(tmpdir(), "bosun-pipe-"));
    execFileSync("sh", ["-c", `mkfifo "$0"`, join(root, "pipe")]);

    expect(await runForReal(readFile({ root }), '{"path":"pipe"}')).toMatchObject({
      code: "tool/refused",
      message: expect.stringContaining("not a regular file"),
    });
    rmSync(root, { recursive: true });
  });
});
