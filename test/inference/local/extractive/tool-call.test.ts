import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../../src/json.ts";
import type { ToolSpec } from "../../../../src/inference/model/message.ts";
import type { ModelRequest, Reply } from "../../../../src/inference/model/model.ts";
import { validate } from "../../../../src/schema.ts";
import {
  agentMessages,
  ALL_RESULTS,
  found,
  type Prompt,
  replyTo,
  SEARCH,
  searchTurn,
} from "./chat.ts";

const TASK: Prompt = { task: "Research the KV cache", expected: "Key facts with sources" };

function tool(
  name: string,
  description: string,
  properties: JsonObject,
  required: readonly string[] = [],
): ToolSpec {
  return {
    name,
    description,
    parameters: { type: "object", properties, required, additionalProperties: false },
  };
}

function ask(
  prompt: Prompt,
  tools: readonly ToolSpec[],
  more: Partial<ModelRequest> = {},
): Promise<Reply> {
  return replyTo(agentMessages(prompt), { tools, ...more });
}

function argumentsOf(reply: Reply): JsonObject[] {
  return reply.calls.map((call) => JSON.parse(call.arguments) as JsonObject); // the model's own JSON
}

describe("a search tool", () => {
  it("is called with the task's topic, without the words about how to work", async () => {
    const reply = await ask(TASK, [SEARCH]);

    expect(argumentsOf(reply)).toEqual([{ query: "KV cache", limit: 5 }]);
    expect(reply.finish).toEqual({ unified: "tool-calls", raw: "tool_calls" });
    expect(reply.text).toBe("");
  });

  it("is called once for each aspect of the task, at most three times, with distinct queries", async () => {
    const task =
      "Research vLLM: block size of the KV pool, preemption of requests, prefix caching, chunked prefill";

    const reply = await ask({ ...TASK, task }, [SEARCH]);

    const queries = argumentsOf(reply).map((args) => args["query"]);
    expect(queries).toHaveLength(3);
    expect(new Set(queries).size).toBe(3);
    expect(new Set(reply.calls.map((call) => call.id)).size).toBe(3);
  });

  it("is asked for a joined name and for its words, because texts write both", async () => {
    const reply = await ask({ ...TASK, task: "Explain PagedAttention" }, [SEARCH]);

    expect(argumentsOf(reply)[0]?.["query"]).toBe("PagedAttention paged attention");
  });

  it("is not called again when it has found something", async () => {
    const reply = await replyTo([...agentMessages(TASK), ...searchTurn("KV cache", ALL_RESULTS)], {
      tools: [SEARCH],
    });

    expect(reply.calls).toEqual([]);
    expect(reply.text).toContain("[docs/kv-cache.md]");
  });

  it.each([
    ["found nothing", found()],
    ["found nothing, said in words", "No matching documents were found for this query."],
    ["failed", "Error: the index is not there"],
    ["failed, said as JSON", '{"error":{"message":"the index is not there"}}'],
  ])("is asked once more, with another query, when it %s", async (_, content) => {
    const messages = [
      ...agentMessages({ ...TASK, task: "Research the KV cache of vLLM" }),
      ...searchTurn("KV cache vLLM", content),
    ];

    const again = await replyTo(messages, { tools: [SEARCH] });

    expect(again.calls).toHaveLength(1);
    expect(argumentsOf(again)[0]?.["query"]).not.toBe("KV cache vLLM");
    expect(again.calls[0]?.id).not.toBe("call_1_1");
  });

  it("is given up after the second try, and the answer says what was looked for", async () => {
    const messages = [
      ...agentMessages({ ...TASK, task: "Research zeppelins of Lake Constance" }),
      ...searchTurn("zeppelins Lake Constance", found()),
      ...searchTurn("zeppelins Constance", "Error: the index is not there", { id: "call_2_1" }),
    ];

    const reply = await replyTo(messages, { tools: [SEARCH] });

    expect(reply.calls).toEqual([]);
    expect(reply.text).toContain(
      'Nothing was found for "zeppelins Lake Constance", "zeppelins Constance".',
    );
    expect(reply.text).toContain("search_docs failed: Error: the index is not there");
  });

  it("is called again for the next question of a chat", async () => {
    const messages = [
      { role: "user", content: "What is the KV cache?" } as const,
      ...searchTurn("KV cache", ALL_RESULTS),
      { role: "assistant", content: "It keeps keys and values." } as const,
      { role: "user", content: "What is preemption?" } as const,
    ];

    const reply = await replyTo(messages, { tools: [SEARCH] });

    expect(argumentsOf(reply)[0]?.["query"]).toBe("preemption");
    expect(reply.calls[0]?.id).not.toBe("call_1_1");
  });

  it("is not called when the request forbids it", async () => {
    const reply = await ask(TASK, [SEARCH], { toolChoice: "none" });

    expect(reply.calls).toEqual([]);
  });

  it("is called when the request demands it, even after it has found something, with other words", async () => {
    const messages = [
      ...agentMessages({ ...TASK, task: "Research KV cache eviction" }),
      ...searchTurn("KV cache eviction", ALL_RESULTS),
    ];

    const reply = await replyTo(messages, { tools: [SEARCH], toolChoice: "required" });

    expect(reply.calls).toHaveLength(1);
    expect(argumentsOf(reply)[0]?.["query"]).not.toBe("KV cache eviction");
  });
});

describe("other tools", () => {
  it("are left alone when nothing in the task speaks of them", async () => {
    const weather = tool("get_weather", "Current weather of a city", { city: { type: "string" } }, [
      "city",
    ]);

    expect((await ask(TASK, [weather])).calls).toEqual([]);
  });

  it("are left alone when they search for something else", async () => {
    const flights = tool(
      "search_flights",
      "Finds flights between two cities",
      { query: { type: "string" } },
      ["query"],
    );

    expect((await ask(TASK, [flights])).calls).toEqual([]);
  });

  it("are called when the task speaks of them, with the name that the task gives", async () => {
    const weather = tool("get_weather", "Current weather of a city", { city: { type: "string" } }, [
      "city",
    ]);

    const reply = await replyTo(
      [{ role: "user", content: "What is the weather in Paris today?" }],
      { tools: [weather] },
    );

    expect(argumentsOf(reply)).toEqual([{ city: "Paris" }]);
  });

  it("are not called for a deed that the task does not ask for, though its words are near", async () => {
    const mail = tool(
      "send_email",
      "Sends an email about the KV cache research with facts",
      { to: { type: "string" }, body: { type: "string" } },
      ["to", "body"],
    );
    const remove = tool(
      "delete_docs",
      "Deletes documents of the research about the KV cache",
      { path: { type: "string" } },
      [],
    );

    expect((await ask(TASK, [mail, remove])).calls).toEqual([]);
  });

  it("are called when a request demands a call, whatever fits", async () => {
    const weather = tool("get_weather", "Current weather of a city", { city: { type: "string" } }, [
      "city",
    ]);

    const reply = await ask(TASK, [weather], { toolChoice: "required" });

    expect(reply.calls.map((call) => call.tool)).toEqual(["get_weather"]);
  });

  it("that need a URL are called only when the task holds one", async () => {
    const fetch = tool(
      "fetch_page",
      "Fetches a page to find facts",
      { url: { type: "string", format: "uri" } },
      ["url"],
    );

    const without = await ask({ ...TASK, task: "Fetch the page on the KV cache" }, [fetch]);
    const given = await ask(
      { ...TASK, task: "Fetch the page https://example.org/kv-cache and find facts" },
      [fetch],
    );

    expect(without.calls).toEqual([]);
    expect(argumentsOf(given)).toEqual([{ url: "https://example.org/kv-cache" }]);
  });

  it("get the choice and the number that the task names, and the schema's defaults", async () => {
    const prices = tool(
      "find_prices",
      "Finds GPU prices",
      {
        query: { type: "string" },
        region: { type: "string", enum: ["us-east", "europe", "asia"] },
        days: { type: "integer", minimum: 1, maximum: 30 },
        currency: { type: "string", enum: ["EUR", "USD"], default: "USD" },
      },
      ["query", "region", "days", "currency"],
    );

    const reply = await ask({ ...TASK, task: "Find GPU prices in Europe for 7 days" }, [prices]);

    const [args] = argumentsOf(reply);
    expect(args).toMatchObject({ region: "europe", days: 7, currency: "USD" });
    expect((await validate(prices.parameters, args)).type).toBe("valid");
  });

  it("that delegate work get the task, the context and the fitting coworker", async () => {
    const delegate = tool(
      "delegate_work",
      "Delegates a task to a coworker",
      {
        task: { type: "string" },
        context: { type: "string" },
        coworker: { type: "string", enum: ["Writer", "Research analyst"] },
      },
      ["task", "context", "coworker"],
    );
    const prompt = {
      role: "Manager",
      goal: "Delegate work",
      context: { notes: "The KV cache is large." },
      task: "Delegate the research on the KV cache to an analyst",
    };

    const [args] = argumentsOf(await ask(prompt, [delegate]));

    expect(args).toEqual({
      task: prompt.task,
      context: "notes: The KV cache is large.",
      coworker: "Research analyst",
    });
  });

  it.each([
    ["no properties", {}, []],
    [
      "an array of queries",
      { queries: { type: "array", items: { type: "string" }, minItems: 1 } },
      ["queries"],
    ],
    [
      "a nested object",
      {
        filter: {
          type: "object",
          properties: { term: { type: "string", minLength: 3 } },
          required: ["term"],
        },
      },
      ["filter"],
    ],
    [
      "a number within bounds",
      { query: { type: "string" }, k: { type: "number", exclusiveMinimum: 2, default: 5 } },
      ["query", "k"],
    ],
    [
      "a flag",
      { query: { type: "string" }, deep: { type: "boolean", default: false } },
      ["query", "deep"],
    ],
    ["alternatives", { query: { anyOf: [{ type: "null" }, { type: "string" }] } }, ["query"]],
  ])("get arguments that fit their schema: %s", async (_, properties, required) => {
    const search = tool("search_index", "Searches an index", properties, required);

    const reply = await ask(TASK, [search]);

    expect(reply.calls).toHaveLength(1);
    expect(await validate(search.parameters, argumentsOf(reply)[0])).toMatchObject({
      type: "valid",
    });
  });
});
