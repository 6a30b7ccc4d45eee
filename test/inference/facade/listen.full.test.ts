import { request as httpRequest } from "node:http";
import { createServer } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { systemClock } from "../../../src/clock.ts";
import { createFacade } from "../../../src/inference/facade/facade.ts";
import {
  type Listening,
  listen,
  type ListenOptions,
} from "../../../src/inference/facade/listen.ts";
import { createExtractive } from "../../../src/inference/local/extractive/extractive.ts";
import { createEndpointModel } from "../../../src/inference/model/client.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import type { Model, ModelEvent } from "../../../src/inference/model/model.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { CHAT, chat, eventsIn, HELLO, USER } from "./ask.ts";
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

/** A GET with headers that fetch would not let through. @returns the status. */
function statusOf(url: string, headers: Readonly<Record<string, string>>): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(url, { headers, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    sent.on("error", reject);
    sent.end();
  });
}

describe("a façade on a port", () => {
  it("answers whole and streamed", async () => {
    const { url } = await serve(scriptedModel([HELLO, HELLO]));

    const whole = await fetch(url + CHAT, chat({ model: "small", messages: USER }));
    const streamed = await fetch(
      url + CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );

    expect(await whole.json()).toMatchObject({ choices: [{ message: { content: "Hello" } }] });
    expect(eventsIn(await streamed.text()).at(-1)).toBe("[DONE]");
    expect(streamed.headers.get("content-type")).toContain("text/event-stream");
  });

  it("sends each word when it is there, not when the answer is whole", async () => {
    const model = gatedModel();
    const { url } = await serve(model);
    const response = await fetch(
      url + CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const read = async (word: string): Promise<string> => {
      for (let text = ""; ;) {
        const next = await reader?.read();
        text += next?.value ?? "";
        if (next?.done || text.includes(word)) return text;
      }
    };

    const first = await read("word1");
    model.open();
    const second = await read("word2");

    expect(first).not.toContain("word2");
    expect(second).toContain("word2");
    await reader?.cancel();
  });

  it.each([true, false])(
    "aborts the model's call when the client leaves (stream: %s)",
    async (stream) => {
      const model = gatedModel();
      const { url } = await serve(model);
      const controller = new AbortController();
      const response = fetch(
        url + CHAT,
        chat({ model: "small", messages: USER, stream }, { signal: controller.signal }),
      );
      response.catch(() => undefined);
      if (stream) await (await response).body?.getReader().read();
      else await model.started;

      controller.abort();

      await expect(model.aborted).resolves.toBeDefined();
    },
  );

  it("refuses a body over the limit that is sent in chunks", async () => {
    const { url } = await serve(scriptedModel([HELLO]));
    const chunks = Array.from({ length: 40 }, () => "x".repeat(65_536));

    const response = await fetch(url + CHAT, {
      method: "POST",
      body: ReadableStream.from(chunks).pipeThrough(new TextEncoderStream()),
      duplex: "half",
    });

    expect(response.status).toBe(413);
  });

  it("tells a client that forgot /v1 where it belongs", async () => {
    const { url } = await serve(createExtractive());
    const client = createEndpointModel({
      endpoint: endpoint({ url, model: "small" }),
      clock: systemClock,
      env: {},
    });

    const error: unknown = await client
      .facts(new AbortController().signal)
      .catch((e: unknown) => e);

    expect(error).toMatchObject({ code: "model/protocol" });
    expect(String(error)).toContain("/v1");
  });

  it("serves the extractive model to Bosun's own client", async () => {
    const { url } = await serve(createExtractive());
    const remote = endpoint({ url: `${url}/v1`, model: "small" });
    const client = createEndpointModel({ endpoint: remote, clock: systemClock, env: {} });
    const content =
      "Summarise the text.\n\n" + "The KV cache holds keys and values of all tokens. ".repeat(15);

    const events: ModelEvent[] = [];
    const hints = { runId: "r", path: [], purpose: "work", remainingCalls: undefined } as const;
    for await (const event of client.call(
      { models: [remote], messages: [{ role: "user", content }], settings: {}, hints },
      new AbortController().signal,
    ))
      events.push(event);

    expect(await client.contextTokens([remote], new AbortController().signal)).toBe(32_768);
    expect(events.at(-1)).toMatchObject({ type: "end", finish: { unified: "stop" } });
    expect(events.at(-1)).toMatchObject({ usage: { source: "estimated" } }); // an estimate is called one over HTTP too
    expect(events.at(-1)).toMatchObject({
      text: expect.stringContaining(
        "The KV cache holds keys and values of all tokens. [message]",
      ) as string,
    });
    client.close();
  });
});

describe("a port", () => {
  it("that is in use is refused with its number", async () => {
    const { port } = await serve(scriptedModel([]));

    const second = listen(createFacade({ models: {}, clock: systemClock }), { port });

    await expect(second).rejects.toMatchObject({
      code: "server/failed",
      message: expect.stringContaining(`port ${port}`) as string,
      details: { port, reason: "EADDRINUSE" },
    });
  });

  it.each([-1, 65_536, 1.5, Number.NaN])("of %s is refused", async (port) => {
    const attempt = listen(createFacade({ models: {}, clock: systemClock }), { port });

    await expect(attempt).rejects.toMatchObject({ code: "config/invalid" });
  });

  it("is free again after close, which cuts what is open", async () => {
    const model = gatedModel();
    const server = await serve(model);
    const { url, port } = server;
    const response = await fetch(
      url + CHAT,
      chat({ model: "small", messages: USER, stream: true }),
    );
    const text = response.text().catch((error: unknown) => error);

    await server.close();
    await server.closed;

    await expect(model.aborted).resolves.toBeDefined();
    expect(await text).toBeInstanceOf(Error);
    const probe = createServer();
    await new Promise<void>((resolve) => probe.listen(port, "127.0.0.1", resolve));
    await new Promise((resolve) => probe.close(resolve));
  });

  it("is closed by its signal, and never opened by one that is aborted", async () => {
    const controller = new AbortController();
    const server = await serve(scriptedModel([]), { signal: controller.signal });

    controller.abort(new Error("enough"));
    await server.closed;

    await expect(fetch(`${server.url}/health`)).rejects.toThrow("fetch failed");
    await expect(serve(scriptedModel([]), { signal: controller.signal })).rejects.toThrow("enough");
    await server.close();
  });
});

describe("a loopback address", () => {
  it("answers to local names only, whoever resolves to it", async () => {
    const { url, port } = await serve(scriptedModel([]));

    expect(await statusOf(`${url}/health`, { host: "evil.example" })).toBe(403);
    expect(await statusOf(`${url}/health`, { host: `localhost:${port}` })).toBe(200);
    expect(await statusOf(`${url}/health`, { host: `[::1]:${port}` })).toBe(200);
    expect(await statusOf(`${url}/health`, { host: `127.0.0.1.evil.example:${port}` })).toBe(403);
  });

  it("answers no page of another site", async () => {
    const { url } = await serve(scriptedModel([]));

    expect(await statusOf(`${url}/health`, { origin: "https://evil.example" })).toBe(403);
    expect(await statusOf(`${url}/health`, { origin: "null" })).toBe(403);
    expect(await statusOf(`${url}/health`, { origin: "http://localhost:5173" })).toBe(200);
  });
});

describe("an address that others can reach", () => {
  it("needs a token", async () => {
    await expect(serve(scriptedModel([]), { host: "0.0.0.0" })).rejects.toMatchObject({
      code: "config/invalid",
    });
  });

  it("answers those who have the token, and anyone about its health", async () => {
    const { port } = await serve(scriptedModel([]), { host: "0.0.0.0", token: "s3cret" });
    const url = `http://127.0.0.1:${port}`;

    expect(
      await statusOf(`${url}/v1/models`, {
        authorization: "Bearer s3cret",
        host: "bosun.internal",
      }),
    ).toBe(200);
    expect(await statusOf(`${url}/v1/models`, { authorization: "Bearer wrong" })).toBe(401);
    expect(await statusOf(`${url}/v1/models`, {})).toBe(401);
    expect(await statusOf(`${url}/health`, {})).toBe(200);
  });
});
