import { describe, expect, it } from "vitest";
import { agentMessages, answerTo, replyTo } from "./chat.ts";

describe("a topic that no source speaks of", () => {
  it("is said to be not found, also when the task's other words are in the sources", async () => {
    const text = await answerTo({
      task: "Research key facts about breeding unicorns in Bavaria, with tokens, blocks and bytes",
    });

    expect(text).toContain('Nothing was found about "breeding unicorns in Bavaria');
    expect(text).not.toContain("GPU");
  });

  it("is answered as soon as one source has a word of it", async () => {
    const text = await answerTo({ task: "Research key facts about preempting unicorns" });

    expect(text).toContain("preempting the request that came last");
  });

  it.each([
    'Nothing was found for "quantum sheep", "sheep".',
    'Nothing was found about "quantum sheep" in the sources given.',
  ])("is still not found for an agent that gets only this to work with: %s", async (line) => {
    const context = { research: `*model: extractive (no neural network)*\n\n${line}` };

    const { text } = await replyTo(agentMessages({ task: "Explain quantum sheep.", context }));

    expect(text).toContain('Nothing was found about "quantum sheep" in the sources given.');
    expect(text).not.toContain("[research]");
  });
});
