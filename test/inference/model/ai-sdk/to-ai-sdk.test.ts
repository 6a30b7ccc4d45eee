import { describe, expect, it } from "vitest";
import { toAiSdk } from "../../../../src/ai-sdk.ts";
import { scriptedModel } from "../../../../src/test/scripted-model.ts";

describe("toAiSdk", () => {
  it("refuses a tool choice that names no tool", async () => {
    const call = toAiSdk(scriptedModel(["never"])).doGenerate({
      prompt: [{ role: "user", content: [{ type: "text", text: "p" }] }],
      toolChoice: { type: "tool", toolName: "absent" },
    });

    await expect(call).rejects.toMatchObject({ code: "model/bad-request" });
  });

  it("passes on results of tools in every form, and results that another provider's tools gave", async () => {
    const model = scriptedModel(["ok"]);
    const outputs = [
      { type: "text" as const, value: "a" },
      { type: "error-json" as const, value: { b: 1 } },
      { type: "execution-denied" as const },
      { type: "content" as const, value: [{ type: "text" as const, text: "c" }] },
    ];
    const results = outputs.map((output, index) => ({
      type: "tool-result" as const,
      toolCallId: `${index}`,
      toolName: "t",
      output,
    }));
    const [first = results[0], ...rest] = results;

    await toAiSdk(model).doGenerate({
      prompt: [
        {
          role: "assistant",
          content: [{ type: "reasoning", text: "hm" }, ...(first ? [first] : [])],
        },
        { role: "tool", content: rest },
      ],
    });

    expect(model.requests[0]?.messages.map(({ content }) => content)).toEqual([
      "",
      "a",
      '{"b":1}',
      "the call of this tool was denied",
      "c",
    ]);
  });

  it("refuses what is no Model, and options that it does not know", () => {
    const wrong = [
      // @ts-expect-error -- no Model
      () => toAiSdk({}),
      // @ts-expect-error -- no such option
      () => toAiSdk(scriptedModel([]), { models: "x" }),
      // @ts-expect-error -- an empty list
      () => toAiSdk(scriptedModel([]), { model: [] }),
    ];

    for (const make of wrong)
      expect(make).toThrow(expect.objectContaining({ code: "config/invalid" }));
  });
});
