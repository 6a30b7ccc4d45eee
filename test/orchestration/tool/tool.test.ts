import { describe, expect, it } from "vitest";
import { z } from "zod";
import { tool, type ToolOptions } from "../../../src/orchestration/tool/tool.ts";
import type { Schema } from "../../../src/schema.ts";
import { failureOf } from "./failure.ts";

const RIGHT: ToolOptions<Schema> = {
  name: "probe",
  description: "For tests.",
  parameters: { type: "object" },
  run: () => null,
};

describe("tool", () => {
  it("fills in the defaults", () => {
    expect(tool(RIGHT)).toEqual({
      ...RIGHT,
      type: "tool",
      timeoutMs: 60_000,
      output: { maxBytes: 65_536, maxTokens: 4_000 },
      summary: undefined,
      maxUses: undefined,
      cache: undefined,
      resultAsAnswer: false,
    });
  });

  it("types the arguments by the schema", () => {
    const made = tool({
      ...RIGHT,
      parameters: z.object({ n: z.number() }),
      run: ({ n }) => n.toFixed(2),
    });

    expect(made.name).toBe("probe");
  });

  it.each<[string, object]>([
    ["name must be", { name: "with space" }],
    ["name must be", { name: "x".repeat(65) }],
    ["description must be", { description: " " }],
    ["parameters must be the schema of an object, got undefined", { parameters: undefined }],
    ["parameters must be", { parameters: [] }],
    ["parameters must be", { parameters: { type: "string" } }],
    ["run must be a function", { run: "rm -rf" }],
    ["timeoutMs must be", { timeoutMs: 0 }],
    ["timeoutMs must be", { timeoutMs: Number.NaN }],
    ["output.maxBytes must be a whole number of at least 64, got 10", { output: { maxBytes: 10 } }],
    [
      "output.maxTokens must be a whole number of at least 16, got 1.5",
      { output: { maxTokens: 1.5 } },
    ],
    ["summary must be a function", { summary: "short" }],
    ["maxUses must be a positive whole number, got 0", { maxUses: 0 }],
    ["timeout must be one of the options name, description", { timeout: 5 }],
  ])("refuses a definition: %s", async (message, wrong) => {
    const failure = await failureOf(() => tool({ ...RIGHT, ...wrong }));

    expect(failure.code).toBe("tool/invalid");
    expect(failure.message).toContain(message);
  });
});
