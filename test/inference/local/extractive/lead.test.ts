import { describe, expect, it } from "vitest";
import {
  type Message,
  PLAN_OUTPUT,
  type ToolSpec,
  VERDICT_OUTPUT,
} from "../../../../src/inference/model/message.ts";
import { CACHE, found, replyTo } from "./chat.ts";

const object = (properties: ToolSpec["parameters"]): ToolSpec["parameters"] => ({
  type: "object",
  properties,
  required: Object.keys(properties),
});
const COWORKERS = ["Cook", "Librarian"];
const DELEGATE: ToolSpec = {
  name: "delegate_work",
  description: "Give a piece of work to a coworker, who does it and answers.",
  parameters: object({
    coworker: { type: "string", enum: COWORKERS },
    task: { type: "string" },
    context: { type: "string" },
  }),
};
const SEND_BACK: ToolSpec = {
  name: "send_back",
  description: "Send a result back.",
  parameters: object({ id: { type: "string" }, reasons: { type: "string" } }),
};
const OPENING: readonly Message[] = [
  {
    role: "system",
    content:
      "You are Manager.\nGoal: Get it done\nYou lead this crew:\n- Cook: Make dinner\n- Librarian: Find what documents say about the KV cache\nSplit the task.",
  },
  {
    role: "user",
    content:
      "# Context\n## notes\nThe cache is new.\n\n# Task\nExplain the KV cache\n\n# Expected output\nA text",
  },
];

describe("the extractive model as a manager", () => {
  it("gives its task, with the context, to the coworker whose goal speaks of it most", async () => {
    const { calls } = await replyTo(OPENING, { tools: [DELEGATE, SEND_BACK] });

    expect(calls).toHaveLength(1);
    expect(calls[0]?.tool).toBe("delegate_work");
    expect(JSON.parse(calls[0]?.arguments ?? "")).toEqual({
      coworker: "Librarian",
      task: "Explain the KV cache",
      context: "## notes\nThe cache is new.",
    });
  });

  it("answers from what comes back, and gives nothing away twice", async () => {
    const messages: readonly Message[] = [
      ...OPENING,
      {
        role: "assistant",
        content: "",
        calls: [{ id: "call_1_1", tool: "delegate_work", arguments: "{}" }],
      },
      {
        role: "tool",
        callId: "call_1_1",
        tool: "delegate_work",
        content: `[d1] Librarian answers:\n${found(CACHE)}`,
      },
    ];

    const { calls, text } = await replyTo(messages, { tools: [DELEGATE, SEND_BACK] });

    expect(calls).toEqual([]);
    expect(text).toContain("The KV cache keeps the keys and values of every token");
  });

  it("does not delegate as one who only may: it has no way to judge when that is worth it", async () => {
    const { calls } = await replyTo(OPENING, { tools: [DELEGATE] });

    expect(calls).toEqual([]);
  });
});

describe("the extractive model asked for what quoting cannot do", () => {
  it.each([
    ["a verdict", VERDICT_OUTPUT, { ok: { type: "boolean" } }, "cannot judge"],
    ["a plan", PLAN_OUTPUT, { plans: { type: "array" } }, "cannot plan"],
  ])("says so instead of filling the schema of %s", async (_, name, properties, said) => {
    const output = { name, schema: { type: "object", properties } };
    const { text } = await replyTo(OPENING, { output });

    expect(text).toContain(said);
    expect(text).not.toContain("{");
  });
});
