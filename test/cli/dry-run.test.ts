import { describe, expect, it } from "vitest";
import { dryRun } from "../../src/cli/dry-run.ts";
import { crew } from "../../src/crew.ts";
import type { Crew } from "../../src/orchestration/crew/crew.ts";
import { job, scene } from "../orchestration/run/scenario.ts";
import { createFakeTerminal } from "./fake-terminal.ts";

async function dry(
  made: Crew,
  options: { readonly contextTokens?: number; readonly json?: boolean } = {},
) {
  const { json = false, ...rest } = options;
  const { bosun, model } = scene(() => "never called", rest);
  const terminal = createFakeTerminal();
  const code = await dryRun({ crew: made, inputs: {}, model: undefined, json }, bosun, terminal);
  expect(model.requests).toEqual([]);
  return { code, text: terminal.out.text };
}

describe("bosun run --dry-run", () => {
  it("prints the prompts by part, the widest moment, calls, tokens and cost, and calls nothing", async () => {
    const tasks = [job("a", { maxTokens: 100 }), job("b", { maxTokens: 100 })];

    const { code, text } = await dry(crew({ name: "c", tasks }), { contextTokens: 8_192 });

    expect(code).toBe(0);
    expect(text).toContain("Nothing was called; all tokens are estimated");
    expect(text).toMatch(
      /^task +agent +model +system +tools +context .* prompt +answer ≤ +fits +calls$/m,
    );
    expect(text).toMatch(/^b +agent of b .* 10[0-9] .* left of 8,192 +1 to 2$/m);
    expect(text).toMatch(/^widest +1 task at once, \d+ tokens: b$/m);
    expect(text).toMatch(/^calls +2 to 4, with \d+ tokens at least, \d+ expected$/m);
    expect(text).toMatch(/^cost +unknown: no price for given$/m);
    expect(text).toMatch(/^KV cache .*bytes unknown/m);
  });

  it("exits with 1 and the numbers when a task does not fit", async () => {
    const made = crew({ name: "c", tasks: [job("a", { maxTokens: 490 })] });

    const { code, text } = await dry(made, { contextTokens: 500 });

    expect(code).toBe(1);
    expect(text).toMatch(
      /task a does not fit: its prompt needs \d+ tokens and its answer up to 490, the context is 500: \d+ too many/,
    );
  });

  it("exits with 1 when the least of the run passes tokensPerRun", async () => {
    const made = crew({ name: "c", tasks: [job("a")], limits: { tokensPerRun: 10 } });

    const { code, text } = await dry(made);

    expect(code).toBe(1);
    expect(text).toMatch(/the run needs \d+ tokens at least, tokensPerRun is 10/);
  });

  it("prints one report object for --json", async () => {
    const { text } = await dry(crew({ name: "c", tasks: [job("a")] }), { json: true });

    const plan = JSON.parse(text) as Record<string, unknown>; // a test reads it
    expect(text.trimEnd()).not.toContain("\n");
    expect(plan).toMatchObject({
      crew: "c",
      isFit: true,
      calls: { least: 1, most: 2 },
      cost: { type: "unknown" },
      tasks: [{ task: "a", fit: { type: "unknown" } }],
    });
  });
});
