import { describe, expect, it } from "vitest";
import { fromAiSdk } from "../../../../src/ai-sdk.ts";
import { createTurnMemory, type Turn } from "../../../../src/inference/model/ai-sdk/turn-memory.ts";
import type { ToolCall } from "../../../../src/inference/model/message.ts";
import type { ModelRequest } from "../../../../src/inference/model/model.ts";
import { FINISH, listen, REQUEST, said, sdkModel } from "./sdk-model.ts";

function turnOf(args: string): ModelRequest {
  const calls = [{ id: "c1", tool: "weather", arguments: args }];
  return {
    ...REQUEST,
    messages: [
      { role: "assistant", content: "", calls },
      { role: "tool", content: "21", callId: "c1", tool: "weather" },
    ],
  };
}

function turn(text: string): Turn {
  const providerOptions = { acme: { id: "r" } };
  return {
    reasoning: [{ type: "reasoning", text, providerOptions }],
    text: undefined,
    calls: new Map(),
  };
}

function call(id: number): ToolCall {
  return { id: `c${id}`, tool: "t", arguments: "{}" };
}

describe("a turn with tool calls", () => {
  it("gives a provider's signatures back with the results of its calls", async () => {
    const sdk = sdkModel(
      [
        { type: "reasoning-start", id: "r" },
        { type: "reasoning-delta", id: "r", delta: "Hm." },
        {
          type: "reasoning-delta",
          id: "r",
          delta: "",
          providerMetadata: { acme: { signature: "s1" } },
        },
        {
          type: "tool-call",
          toolCallId: "c1",
          toolName: "weather",
          input: "{}",
          providerMetadata: { acme: { thoughtSignature: "s2" } },
        },
        FINISH,
      ],
      [said("ok"), FINISH],
      [said("ok"), FINISH],
    );
    const model = fromAiSdk(sdk);

    await listen(model);
    await listen(model, turnOf("{}"));
    await listen(model, turnOf('{"city":"Oslo"}'));

    expect(sdk.asked[1]?.prompt[0]?.content).toMatchObject([
      { type: "reasoning", text: "Hm.", providerOptions: { acme: { signature: "s1" } } },
      { type: "tool-call", providerOptions: { acme: { thoughtSignature: "s2" } } },
    ]);
    // Another call that has the same id, as servers give that count from one.
    expect(sdk.asked[2]?.prompt[0]?.content).toEqual([
      { type: "tool-call", toolCallId: "c1", toolName: "weather", input: { city: "Oslo" } },
    ]);
  });
});

describe("the memory of turns", () => {
  it("forgets the oldest of more than 1,024 turns", () => {
    const memory = createTurnMemory();

    for (let id = 0; id < 1_030; id++) memory.keep(call(id), turn("Hm."));

    expect(memory.find(call(5))).toBeUndefined();
    expect(memory.find(call(6))).toEqual(turn("Hm."));
  });

  it("forgets the oldest where all of them are over 16 Mi characters", () => {
    const memory = createTurnMemory();
    const long = "x".repeat(7 * 1024 * 1024);

    for (let id = 0; id < 3; id++) memory.keep(call(id), turn(long));

    expect([0, 1, 2].map((id) => memory.find(call(id)) !== undefined)).toEqual([false, true, true]);
  });

  it("keeps no turn that nobody wants back", () => {
    const memory = createTurnMemory();

    memory.keep(call(1), {
      reasoning: [{ type: "reasoning", text: "Hm." }],
      text: undefined,
      calls: new Map(),
    });

    expect(memory.find(call(1))).toBeUndefined();
  });
});
