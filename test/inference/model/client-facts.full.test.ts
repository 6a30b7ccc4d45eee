import { describe, expect, it, onTestFinished } from "vitest";
import { createVirtualClock, type Clock } from "../../../src/clock.ts";
import { createEndpointModel, type EndpointModel } from "../../../src/inference/model/client.ts";
import { endpoint } from "../../../src/inference/model/endpoint.ts";
import {
  errorReply,
  head,
  htmlReply,
  jsonReply,
  RESET,
  STALL,
  textReply,
} from "../../../src/test/wire-reply.ts";
import { ask, bench, errorOf, modelAt, NEVER, replyOf } from "./endpoint-bench.ts";

/** A call that must know the dialect, of an endpoint that does not say it. */
const UNKNOWN = { dialect: undefined, thinking: false } as const;

describe("facts of an endpoint", () => {
  it.each([
    ["vllm", { owned_by: "vllm", max_model_len: 32768 }, 32768],
    ["sglang", { owned_by: "sglang", max_model_len: 8192 }, 8192],
    ["llama.cpp", { owned_by: "llamacpp", meta: { n_ctx_train: 131072 } }, undefined],
    ["ollama", { owned_by: "library" }, undefined],
    [undefined, { owned_by: "somebody" }, undefined],
  ])("are read from the list of models: %s", async (dialect, card, maxModelLen) => {
    const models = [
      { id: "other", max_model_len: 1 },
      { id: "test-model", ...card },
    ];
    const { model } = await bench([], { dialect: undefined }, { models });

    const facts = await model.facts(NEVER);

    expect(facts).toEqual({ models: ["other", "test-model"], dialect, maxModelLen });
  });

  it("are asked with the key", async () => {
    const { server } = await bench([]);
    const model = modelAt(server.url, { apiKeyEnv: "MY_KEY" }, { MY_KEY: "sk-1" });

    await model.facts(NEVER);

    expect(server.requests).toMatchObject([
      { method: "GET", path: "/v1/models", headers: { authorization: "Bearer sk-1" } },
    ]);
  });

  it("say the context that a call may meet, asked once", async () => {
    const { server, model } = await bench([], { dialect: undefined });

    const contexts = [await model.contextTokens([], NEVER), await model.contextTokens([], NEVER)];

    expect(contexts).toEqual([4096, 4096]);
    expect(server.requests).toHaveLength(1);
  });

  it("are asked anew after five minutes", async () => {
    const { server } = await bench([], {}, { models: [{ id: "test-model", max_model_len: 100 }] });
    const clock = createVirtualClock({ auto: false });
    const model = modelOn(server.url, clock);

    await model.contextTokens([], NEVER);
    await clock.advance(299_000);
    await model.contextTokens([], NEVER);
    const before = server.requests.length;
    await clock.advance(2_000);
    await model.contextTokens([], NEVER);

    expect([before, server.requests.length]).toEqual([1, 2]);
  });

  it.each([
    ["a model is not found", errorReply(404, "The model `test-model` does not exist."), 2],
    ["a prompt is too long", errorReply(400, "maximum context length is 10 tokens"), 2],
    ["a server cannot be reached", [RESET], 2],
    ["none of these", errorReply(400, "no"), 1],
  ])("are forgotten when %s", async (_what, reply, asked) => {
    const { server, model } = await bench([reply]);
    await model.facts(NEVER);

    await errorOf(model);
    await model.facts(NEVER);

    expect(server.requests.filter(({ path }) => path === "/v1/models")).toHaveLength(asked);
  });

  it("tell which models are served now when a model is not found", async () => {
    const served = [{ id: "test-model" }];
    const { server, model } = await bench(
      [errorReply(404, "model not found")],
      {},
      {
        models: served,
      },
    );
    await model.facts(NEVER);
    served[0] = { id: "renamed" };

    const error = await errorOf(model);

    expect(error.details).toMatchObject({ served: ["renamed"] });
    expect(server.calls).toHaveLength(1);
  });

  it.each([
    ["several, of which none is named", [{ id: "a", max_model_len: 1 }, { id: "b" }], undefined],
    ["one", [{ id: "a", max_model_len: 7 }], 7],
    ["one with a context that is none", [{ id: "a", max_model_len: 0.5 }], undefined],
  ])("say the context only where it is the model's own: %s", async (_what, models, expected) => {
    const { model } = await bench([], {}, { models });

    expect(await model.contextTokens([], NEVER)).toBe(expected);
  });

  it("are not asked for a context that is given", async () => {
    const { server, model } = await bench([], { maxModelLen: 2048 });

    expect(await model.contextTokens([], NEVER)).toBe(2048);
    expect(server.requests).toHaveLength(0);
  });

  it("leave the context unknown where the endpoint is down or lists nothing", async () => {
    const down = await bench([]);
    await down.server.close();
    const bare = await bench([], {}, { models: "not-found" });

    expect(await modelAt(down.server.url).contextTokens([], NEVER)).toBeUndefined();
    expect(await bare.model.contextTokens([], NEVER)).toBeUndefined();
  });

  it("that are not listed are no condition of a call", async () => {
    const { model } = await bench([textReply("hi")], UNKNOWN, { models: "not-found" });

    const reply = await replyOf(model);

    expect(reply.text).toBe("hi");
  });

  it.each([
    ["a page", htmlReply(200), "model/protocol"],
    ["a page with 404", htmlReply(404), "model/protocol"],
    ["JSON that is no list", jsonReply({ hello: 1 }), "model/protocol"],
    ["a wrong key", jsonReply({ error: "Unauthorized" }, 401), "model/unauthorized"],
    ["an engine that is dead", jsonReply({ error: "dead" }, 503), "model/overloaded"],
  ])("that are %s are an error, and no condition of a call", async (_what, reply, code) => {
    const routes = { "/v1/models": reply };
    const { model } = await bench([textReply("hi")], UNKNOWN, { routes });

    await expect(model.facts(NEVER)).rejects.toMatchObject({ code });
    expect((await replyOf(model)).text).toBe("hi");
  });

  it("may be aborted, also when a call asks for them", async () => {
    const routes = { "/v1/models": [head(), STALL] };
    const { server, model } = await bench([textReply("never")], UNKNOWN, { routes });
    const controller = new AbortController();

    const asking = model.facts(controller.signal).catch((error: unknown) => error);
    const calling = errorOf(model, ask(), controller.signal);
    await expect.poll(() => server.requests.length).toBeGreaterThan(0);
    controller.abort();

    expect(await asking).toMatchObject({ code: "model/cancelled" });
    expect(await calling).toMatchObject({ code: "model/cancelled" });
    await expect.poll(() => server.openSockets).toBe(0);
    expect(server.calls).toHaveLength(0);
  });

  it.each([
    ["down", "model/unreachable"],
    ["aborted", "model/cancelled"],
  ])("that cannot be had are an error: %s", async (why, code) => {
    const { server, model } = await bench([]);
    if (why === "down") await server.close();

    const asking = model.facts(why === "aborted" ? AbortSignal.abort() : NEVER);

    await expect(asking).rejects.toMatchObject({ code });
  });
});

function modelOn(url: string, clock: Clock): EndpointModel {
  const spec = endpoint({ url, model: "test-model" });
  const model = createEndpointModel({ endpoint: spec, clock, env: {} });
  onTestFinished(() => model.close());
  return model;
}
