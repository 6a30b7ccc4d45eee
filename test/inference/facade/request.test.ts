import { describe, expect, it } from "vitest";
import type { Json, JsonObject } from "../../../src/json.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { CHAT, chat, createApp, USER } from "./ask.ts";

const SEARCH = {
  type: "function",
  function: {
    name: "search",
    description: "Finds",
    parameters: { type: "object", properties: { q: { type: "string" } } },
  },
} satisfies Json;
const CLOCK = { type: "function", function: { name: "clock" } } satisfies Json;

/** The request that reaches the model. */
async function requestFor(body: JsonObject): Promise<ModelRequest | undefined> {
  const model = scriptedModel(["ok"]);
  const response = await createApp({ small: model }).request(
    CHAT,
    chat({ model: "small", messages: USER, ...body }),
  );
  expect(await response.text()).toContain("chat.completion");
  return model.requests[0];
}

async function refusalOf(
  body: Json,
): Promise<{ readonly status: number; readonly error: JsonObject }> {
  const app = createApp({ small: scriptedModel(["ok"]) });
  const response = await app.request(CHAT, chat(body));
  const { error } = (await response.json()) as { error: JsonObject };
  return { status: response.status, error };
}

describe("the request that a body asks for", () => {
  it("says who asks, whom and what", async () => {
    expect(await requestFor({})).toEqual({
      models: ["small"],
      messages: [{ role: "user", content: "Hello" }],
      settings: {},
      hints: { runId: "chatcmpl-1", path: [], purpose: "work", remainingCalls: undefined },
    });
  });

  it("holds a whole conversation, with parts of text joined and tools named by their calls", async () => {
    const messages = [
      { role: "developer", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "text", text: "A" },
          { type: "text", text: "B" },
        ],
      },
      {
        role: "assistant",
        content: null,
        tool_calls: [{ id: "c1", type: "function", function: { name: "search", arguments: "{}" } }],
      },
      { role: "tool", tool_call_id: "c1", content: "found" },
      { role: "assistant", content: "Done." },
    ];

    const request = await requestFor({ messages });

    expect(request?.messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "AB" },
      { role: "assistant", content: "", calls: [{ id: "c1", tool: "search", arguments: "{}" }] },
      { role: "tool", callId: "c1", tool: "search", content: "found" },
      { role: "assistant", content: "Done." },
    ]);
  });

  it("holds tools and the choice among them", async () => {
    const request = await requestFor({ tools: [SEARCH, CLOCK], tool_choice: "required" });

    expect(request?.tools).toEqual([
      { name: "search", description: "Finds", parameters: SEARCH.function.parameters },
      { name: "clock", description: "", parameters: { type: "object", properties: {} } },
    ]);
    expect(request?.toolChoice).toBe("required");
  });

  it("holds only the tool that is chosen by its name, and demands a call", async () => {
    const request = await requestFor({
      tools: [SEARCH, CLOCK],
      tool_choice: { type: "function", function: { name: "clock" } },
    });

    expect(request?.tools?.map((tool) => tool.name)).toEqual(["clock"]);
    expect(request?.toolChoice).toBe("required");
  });

  it.each<[string, Json, ModelRequest["output"]]>([
    [
      "a schema",
      {
        type: "json_schema",
        json_schema: { name: "facts", strict: true, schema: { type: "array" } },
      },
      { name: "facts", schema: { type: "array" } },
    ],
    ["any object", { type: "json_object" }, { name: "json_object", schema: { type: "object" } }],
    ["text", { type: "text" }, undefined],
  ])("holds the output's form: %s", async (_, format, output) => {
    expect((await requestFor({ response_format: format }))?.output).toEqual(output);
  });

  it("holds the settings, and the newer of two names of one", async () => {
    const request = await requestFor({
      temperature: 0,
      top_p: 0.9,
      seed: 7,
      stop: "END",
      max_tokens: 5,
      max_completion_tokens: 50,
    });

    expect(request?.settings).toEqual({
      temperature: 0,
      topP: 0.9,
      seed: 7,
      stop: ["END"],
      maxTokens: 50,
    });
  });

  it("takes null for a field that is not given", async () => {
    const request = await requestFor({
      temperature: null,
      stop: null,
      tools: null,
      tool_choice: null,
      response_format: null,
      n: null,
      stream: null,
    });

    expect(request?.settings).toEqual({});
  });

  it("passes fields on that it has no word for", async () => {
    const request = await requestFor({
      top_k: 20,
      chat_template_kwargs: { enable_thinking: false },
      user: "u1",
    });

    expect(request?.settings).toEqual({
      extraBody: { top_k: 20, chat_template_kwargs: { enable_thinking: false }, user: "u1" },
    });
  });
});

describe("a body that is refused", () => {
  it.each<[string, JsonObject, string]>([
    ["no model", { model: undefined }, "model"],
    ["no messages", { messages: [] }, "messages"],
    ["an unknown role", { messages: [{ role: "robot", content: "" }] }, "messages[0].role"],
    [
      "an image",
      { messages: [{ role: "user", content: [{ type: "image_url", image_url: { url: "x" } }] }] },
      "messages[0].content",
    ],
    [
      "a tool's answer to nothing",
      { messages: [{ role: "tool", tool_call_id: "c9", content: "" }] },
      "messages[0].tool_call_id",
    ],
    [
      "a choice of an unknown tool",
      { tools: [SEARCH], tool_choice: { type: "function", function: { name: "gone" } } },
      "tool_choice",
    ],
    ["a demand without tools", { tool_choice: "required" }, "tool_choice"],
    [
      "a schema without a name",
      { response_format: { type: "json_schema", json_schema: { schema: {} } } },
      "response_format.json_schema.name",
    ],
    ["a temperature out of bounds", { temperature: 3 }, "temperature"],
    ["no tokens at all", { max_tokens: 0 }, "max_tokens"],
    ["too many stops", { stop: Array.from({ length: 17 }, () => "x") }, "stop"],
    ["two choices", { n: 2 }, "n"],
    ["log probabilities", { logprobs: true }, "logprobs"],
    ["the old form of tools", { functions: [] }, "functions"],
    [
      "stream options without a stream",
      { stream_options: { include_usage: true } },
      "stream_options",
    ],
  ])("has %s", async (_, body, param) => {
    const { status, error } = await refusalOf({ model: "small", messages: USER, ...body });

    expect(status).toBe(400);
    expect(error).toMatchObject({ type: "invalid_request_error", param, code: "invalid_request" });
    expect(error["message"]).toContain(param);
  });

  it.each<[string, Json]>([
    ["no JSON", "{"],
    ["an empty body", ""],
    ["no object", [1]],
    ["too deep", `{"model":${"[".repeat(200)}${"]".repeat(200)}}`],
  ])("is %s", async (_, body) => {
    expect((await refusalOf(body)).status).toBe(400);
  });

  it("is larger than the limit, whether it says so or not", async () => {
    const app = createApp({ small: scriptedModel(["ok", "ok"]) }, { maxBodyBytes: 100 });
    const body = JSON.stringify({
      model: "small",
      messages: [{ role: "user", content: "x".repeat(200) }],
    });

    const said = await app.request(CHAT, chat(body, { headers: { "content-length": "300" } }));
    const unsaid = await app.request(CHAT, chat(body, { headers: {} }));
    const fits = await app.request(
      CHAT,
      chat('{"model":"small","messages":[{"role":"user","content":"x"}]}'),
    );

    expect([said.status, unsaid.status, fits.status]).toEqual([413, 413, 200]);
    expect(await said.json()).toMatchObject({ error: { code: "request_too_large" } });
  });
});
