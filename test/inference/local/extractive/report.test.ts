import { describe, expect, it } from "vitest";
import { titleOf } from "../../../../src/inference/local/extractive/cite.ts";
import { answerTo, found } from "./chat.ts";

describe("a report", () => {
  const notes = found(
    {
      source: "docs/kv-sizing.md",
      section: "What was published",
      text: "The paper by Doe and co-authors on cache size appeared at a conference in 2023. The paper compared the cache size of four models.",
    },
    {
      source: "docs/kv-sizing.md",
      section: "Formula",
      text: "Operators ask for the KV cache size before each start of a server. KV bytes per token equal 2 × layers × heads × bytes per element.",
    },
  );

  it("answers a question about sizes with the formula before it tells who published what", async () => {
    const text = await answerTo({ task: "Explain how to size a KV cache in two sentences" }, notes);

    expect(text).toContain("KV bytes per token equal 2 × layers");
    expect(text).not.toContain("appeared at");
  });

  it("puts what was published last", async () => {
    const task = "Write a report of about 300 words about the KV cache size";

    const text = await answerTo({ task }, notes);

    expect(text.indexOf("### Formula")).toBeGreaterThan(0);
    expect(text.indexOf("### What was published")).toBeGreaterThan(text.indexOf("### Formula"));
  });

  it("writes an acronym in capitals when it makes a heading of a file's name", () => {
    expect(titleOf("docs/kv-cache-sizing.md")).toBe("KV cache sizing");
    expect(titleOf("docs/cold-starts.md")).toBe("Cold starts");
  });
});
