import { describe, expect, it } from "vitest";
import { jsonReply, STALL, type WireReply } from "../../../src/test/wire-reply.ts";
import { createTwinModel } from "../../../src/inference/twin/model.ts";
import { MODEL, serveTwin } from "../twin/served-twin.ts";
import { errorOf } from "../../orchestration/run/scenario.ts";
import { bench, type EndpointOptions, modelAt, NEVER } from "./endpoint-bench.ts";

const TOOL = { name: "look", description: "Looks", parameters: { type: "object" } };
const ASK = {
  models: ["any"],
  messages: [
    { role: "system", content: "You are brief." },
    { role: "user", content: "How many sailors?" },
  ],
  tools: [TOOL],
} as const;

/** A client before a server with these routes. */
function counting(
  routes: Readonly<Record<string, WireReply>>,
  options: EndpointOptions = {},
): ReturnType<typeof bench> {
  return bench([], options, { routes });
}

describe("a prompt's tokens", () => {
  it("are counted by vLLM's /tokenize, beside /v1, for the messages and tools that would be sent", async () => {
    const { server, model } = await counting({ "/tokenize": jsonReply({ count: 42 }) });

    expect(await model.countTokens?.(ASK, NEVER)).toBe(42);
    const asked = server.requests.find(({ path }) => path === "/tokenize");
    expect(asked?.body).toMatchObject({
      model: "test-model",
      messages: ASK.messages,
      tools: [{ type: "function", function: TOOL }],
      add_generation_prompt: true,
    });
  });

  it("are counted by llama.cpp's template and tokenizer", async () => {
    const { server, model } = await counting(
      {
        "/apply-template": jsonReply({ prompt: "<|im_start|>…" }),
        "/tokenize": jsonReply({ tokens: [1, 2, 3] }),
      },
      { dialect: "llama.cpp" },
    );

    expect(await model.countTokens?.(ASK, NEVER)).toBe(3);
    expect(server.requests.at(-1)?.body).toMatchObject({ content: "<|im_start|>…" });
  });

  it("are not asked of a server that cannot tell", async () => {
    const { server, model } = await counting({}, { dialect: "openai" });

    expect(await model.countTokens?.(ASK, NEVER)).toBeUndefined();
    expect(server.requests.every(({ path }) => path === "/v1/models")).toBe(true);
  });

  it("are an error of the asking, not of the run, when the route is not there", async () => {
    const { model } = await counting({});

    const error = await errorOf(model.countTokens?.(ASK, NEVER) ?? Promise.resolve());

    expect(error.code).toBe("model/protocol");
  });

  it("are given up with the signal", async () => {
    const { server, model } = await counting({ "/tokenize": [STALL] });
    const abort = new AbortController();
    const work = model.countTokens?.(ASK, abort.signal) ?? Promise.resolve();

    while (!server.requests.some(({ path }) => path === "/tokenize"))
      await new Promise((resolve) => setImmediate(resolve));
    abort.abort();

    expect((await errorOf(work)).code).toBe("model/cancelled");
  });

  it("are those that a twin's engine sees, over HTTP as in process", async () => {
    await using served = await serveTwin();
    const model = modelAt(served.url, { model: MODEL });

    const counted = await model.countTokens?.(ASK, NEVER);

    expect(counted).toBe(await createTwinModel(served.twin).countTokens?.(ASK, NEVER));
    expect(counted).toBeGreaterThan(20);
  });
});
