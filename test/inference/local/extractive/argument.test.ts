import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../../src/json.ts";
import type { ToolSpec } from "../../../../src/inference/model/message.ts";
import type { ModelRequest, Reply } from "../../../../src/inference/model/model.ts";
import { agentMessages, replyTo, searchTurn } from "./chat.ts";

function tool(name: string, properties: JsonObject): ToolSpec {
  const required = Object.keys(properties);
  return {
    name,
    description: `${name.replaceAll("_", " ")} and answers`,
    parameters: { type: "object", properties, required, additionalProperties: false },
  };
}

function ask(task: string, one: ToolSpec, more: Partial<ModelRequest> = {}): Promise<Reply> {
  return replyTo([{ role: "user", content: task }], { tools: [one], ...more });
}

function argumentsOf(reply: Reply): unknown[] {
  return reply.calls.map((call) => JSON.parse(call.arguments));
}

const TEXT = { type: "string" };

describe("a required argument", () => {
  it.each<[string, JsonObject, string, JsonObject]>([
    [
      "a number near its words",
      { city: TEXT, days: { type: "integer", minimum: 1 } },
      "Get the weather forecast in Paris for 3 days",
      { city: "Paris", days: 3 },
    ],
    [
      "an option",
      { city: TEXT, unit: { enum: ["celsius", "fahrenheit"] } },
      "Get the weather in Paris in celsius",
      { city: "Paris", unit: "celsius" },
    ],
    ["a switch", { hourly: { type: "boolean" } }, "Get the hourly weather", { hourly: true }],
    [
      "no to a switch",
      { hourly: { type: "boolean" } },
      "Get the weather, not hourly",
      { hourly: false },
    ],
    [
      "a date",
      { city: TEXT, day: { type: "string", format: "date" } },
      "Get the weather in Paris on 2026-05-01",
      { city: "Paris", day: "2026-05-01" },
    ],
    [
      "a piece that fits a pattern",
      { airport: { type: "string", pattern: "^[A-Z]{3}$" } },
      "Get the weather at CDG today",
      { airport: "CDG" },
    ],
    [
      "an example of the schema that the task names",
      { city: { type: "string", examples: ["lyon", "nantes"] } },
      "get weather for lyon",
      { city: "lyon" },
    ],
    [
      "a value under its label",
      { station_id: TEXT },
      "Get the weather.\nStation id: WX-17",
      { station_id: "WX-17" },
    ],
    [
      "each name of the task once",
      { city: TEXT, country: TEXT },
      'Get the weather in "Paris", "France"',
      { city: "Paris", country: "France" },
    ],
  ])("is taken from the task: %s", async (_, properties, task, expected) => {
    expect(argumentsOf(await ask(task, tool("get_weather", properties)))).toEqual([expected]);
  });

  it.each<[string, JsonObject, JsonObject]>([
    ["a default", { unit: { type: "string", default: "celsius" } }, { unit: "celsius" }],
    ["a default number", { days: { type: "integer", default: 2 } }, { days: 2 }],
    ["a default switch", { hourly: { type: "boolean", default: true } }, { hourly: true }],
    ["a constant", { kind: { const: "forecast" } }, { kind: "forecast" }],
    ["an enum of one value", { kind: { enum: ["forecast"] } }, { kind: "forecast" }],
    ["null", { city: { type: ["string", "null"] } }, { city: null }],
    ["an empty list", { cities: { type: "array", items: TEXT } }, { cities: [] }],
  ])(
    "is taken from the schema where the task says nothing: %s",
    async (_, properties, expected) => {
      expect(argumentsOf(await ask("get the weather", tool("get_weather", properties)))).toEqual([
        expected,
      ]);
    },
  );

  it("is taken from what an earlier tool answered under its label", async () => {
    const messages = [
      ...agentMessages({ task: "Look up the customer and get the weather there" }),
      ...searchTurn("customer", '{"customer":"Moreno","station_id":"WX-17"}', {
        tool: "look_up_customer",
      }),
    ];

    const reply = await replyTo(messages, { tools: [tool("get_weather", { station_id: TEXT })] });

    expect(argumentsOf(reply)).toEqual([{ station_id: "WX-17" }]);
  });

  it.each<[string, JsonObject, string]>([
    ["a name", { city: TEXT }, "city"],
    ["a second name", { city: TEXT, country: TEXT }, "country"],
    ["a number", { days: { type: "integer", minimum: 1 } }, "days"],
    ["a switch", { hourly: { type: "boolean" } }, "hourly"],
    ["an option", { unit: { enum: ["celsius", "fahrenheit"] } }, "unit"],
    ["a date", { day: { type: "string", format: "date" } }, "day"],
    ["a text of a pattern", { airport: { type: "string", pattern: "^[A-Z]{3}$" } }, "airport"],
    ["a list with an item", { cities: { type: "array", items: TEXT, minItems: 1 } }, "cities"],
    [
      "a part of an object",
      { place: { type: "object", properties: { city: TEXT }, required: ["city"] } },
      "city",
    ],
    ["a longer text than there is", { query: { type: "string", minLength: 500 } }, "query"],
  ])("that nothing gives is named, and the tool is not called: %s", async (_, properties, name) => {
    const task = name === "country" ? "Get the weather in Paris" : "get the weather";

    const reply = await ask(task, tool("get_weather", properties));

    expect(reply.calls).toEqual([]);
    expect(reply.text).toContain(`get_weather was not called: the task does not say ${name}.`);
  });

  it("is not made up when the request demands a call either", async () => {
    const weather = tool("get_weather", { days: { type: "integer", minimum: 1 } });

    const reply = await ask("get the weather", weather, { toolChoice: "required" });

    expect(reply.calls).toEqual([]);
    expect(reply.text).toContain("days");
  });

  it("keeps another tool from being called only when it is that tool's own", async () => {
    const dated = tool("get_weather", { day: { type: "string", format: "date" } });
    const search = tool("search_weather_docs", { query: TEXT });

    const reply = await replyTo([{ role: "user", content: "get the weather" }], {
      tools: [dated, search],
    });

    expect(reply.calls.map((call) => call.tool)).toEqual(["search_weather_docs"]);
  });
});
