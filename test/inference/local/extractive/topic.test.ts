import { describe, expect, it } from "vitest";
import { answerTo } from "./chat.ts";

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
});
