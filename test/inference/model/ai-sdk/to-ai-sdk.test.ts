import { generateText } from "ai";
import { describe, expect, it } from "vitest";
import { toAiSdk } from "../../../../src/ai-sdk.ts";
import { createBosun } from "../../../../src/bosun.ts";
import type { Model } from "../../../../src/inference/model/model.ts";
import { scriptedModel } from "../../../../src/test/scripted-model.ts";

const PROMPT = [{ role: "user" as const, content: [{ type: "text" as const, text: "p" }] }];

describe("toAiSdk", () => {
  it("lets the model tidy up behind its end, streamed or not", async () => {
    const scripted = scriptedModel(["one", "two"]);
    let tidied = 0;
    const model: Model = {
      async *call(request, signal) {
        try {
          yield* scripted.call(request, signal);
        } finally {
          tidied++;
        }
      },
      contextTokens: async () => undefined,
    };

    await toAiSdk(model).doGenerate({ prompt: PROMPT });
    const { stream } = await toAiSdk(model).doStream({ prompt: PROMPT });
    await Array.fromAsync(stream);

    expect(tidied).toBe(2);
  });

  it("answers with the embedded model, and says that its usage is an estimate", async () => {
    const bosun = createBosun({ data: false, env: {} });
    const model = toAiSdk(bosun.pool, { model: bosun.defaultModel });

    const { text, usage } = await generateText({ model, prompt: "What is a bollard?" });
    await bosun.close();

    expect(model.modelId).toBe("extractive");
    expect(text).not.toBe("");
    expect(usage.raw).toMatchObject({ estimated: true });
  });

  it("refuses a tool choice that names no tool", async () => {
    const call = toAiSdk(scriptedModel(["never"])).doGenerate({
      prompt: PROMPT,
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
