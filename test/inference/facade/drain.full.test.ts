import { connect } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { createVirtualClock, systemClock } from "../../../src/clock.ts";
import { createFacade } from "../../../src/inference/facade/facade.ts";
import {
  type Listening,
  listen,
  type ListenOptions,
} from "../../../src/inference/facade/listen.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { becomesTrue } from "../twin/served-twin.ts";
import { CHAT, chat, USER } from "./ask.ts";
import { gatedModel } from "./gated-model.ts";

const servers: Listening[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});

async function serve(model: Model, options: Partial<ListenOptions> = {}): Promise<Listening> {
  const server = await listen(createFacade({ models: { small: model }, clock: systemClock }), {
    port: 0,
    ...options,
  });
  servers.push(server);
  return server;
}

describe("a server that drains", () => {
  const HI = { model: "small", messages: USER, stream: true };
  const ASK = chat(HI);

  it("lets an open answer end, takes no connection, and tells what still comes over an old one to go", async () => {
    const model = gatedModel();
    const controller = new AbortController();
    const drain = { ms: 60_000, clock: createVirtualClock({ auto: false }) };
    const server = await serve(model, { signal: controller.signal, drain });
    const { closed, port, url } = server;
    const socket = connect(port, "127.0.0.1");
    const body = JSON.stringify(HI);
    const head = `POST ${CHAT} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n`;
    socket.write(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
    let heard = "";
    socket.setEncoding("utf8").on("data", (text: string) => (heard += text));
    const ended = new Promise((resolve) => socket.once("close", resolve));
    await becomesTrue(() => heard.includes("word1"));

    controller.abort();
    await expect(fetch(`${url}/health`)).rejects.toThrow("fetch failed");
    socket.write("GET /health HTTP/1.1\r\nhost: localhost\r\n\r\n");
    await becomesTrue(() => server.openRequests() === 2);
    model.open();
    await becomesTrue(() => heard.includes("word2"));
    model.end();
    await Promise.all([closed, ended]);

    const [first = "", second = ""] = heard.split("[DONE]");
    expect(first).toContain("word2");
    expect(second).toContain("HTTP/1.1 503 ");
    expect(second.toLowerCase()).toContain("\r\nretry-after: 1\r\n");
    expect(second.toLowerCase()).toContain("\r\nconnection: close\r\n");
    expect(second).toContain('"code":"closing"');
  });

  it("cuts what is still open when its time is over", async () => {
    const model = gatedModel();
    const controller = new AbortController();
    const clock = createVirtualClock({ auto: false });
    const drain = { ms: 60_000, clock };
    const server = await serve(model, { signal: controller.signal, drain });
    const response = await fetch(server.url + CHAT, ASK);
    const text = response.text().catch((error: unknown) => error);

    controller.abort();
    await clock.advance(59_999);
    const before = server.openRequests();
    await clock.advance(1);
    await server.closed;

    expect(before).toBe(1);
    expect(await text).toBeInstanceOf(Error);
    await expect(model.aborted).resolves.toBeDefined();
  });

  it("does not wait for connections that have asked for nothing", async () => {
    const controller = new AbortController();
    const drain = { ms: 60_000, clock: createVirtualClock({ auto: false }) };
    const server = await serve(scriptedModel([]), { signal: controller.signal, drain });
    const silent = connect(server.port, "127.0.0.1");
    silent.on("error", () => undefined);
    await fetch(`${server.url}/health`); // its connection is kept alive, and the silent one accepted

    controller.abort();

    await expect(server.closed).resolves.toBeUndefined();
  });

  it("is closed at once by close()", async () => {
    const model = gatedModel();
    const controller = new AbortController();
    const drain = { ms: 60_000, clock: createVirtualClock({ auto: false }) };
    const server = await serve(model, { signal: controller.signal, drain });
    const response = await fetch(server.url + CHAT, ASK);
    const text = response.text().catch((error: unknown) => error);

    controller.abort();
    await server.close();

    expect(await text).toBeInstanceOf(Error);
  });
});
