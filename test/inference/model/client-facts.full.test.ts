import { describe, expect, it } from "vitest";
import { head, htmlReply, jsonReply, STALL, textReply } from "../../../src/test/wire-reply.ts";
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
