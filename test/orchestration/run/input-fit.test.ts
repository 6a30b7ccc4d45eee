import { describe, expect, it } from "vitest";
import { estimatePrompt, estimateTokens } from "../../../src/inference/model/tokens.ts";
import { defineCrew } from "../../../src/orchestration/crew/crew.ts";
import { analyse, CONTEXT, run } from "./input-scene.ts";
import { customerRecord } from "./record.ts";
import { only, promptOf, thrownBy } from "./scenario.ts";

describe("inputs: { record: { fit } }", () => {
  it('"retrieve" pastes what answers the task, in the order of the text, and offers no tools', async () => {
    const { model, events, result } = await run(() => "450 euros", { fit: "retrieve" });

    const prompt = promptOf(model.requests[0]);
    expect(prompt).toContain("The deductible for water damage was set to 450 euros.");
    expect(prompt).toMatch(/\(lines \d+-\d+, Correspondence of 2013\)/);
    expect(model.requests[0]?.tools ?? []).toEqual([]);
    expect(estimateTokens(prompt)).toBeLessThan(2_200);
    expect(only(events, "context-trim")).toMatchObject([
      { part: "input:record", how: "retrieval" },
    ]);
    expect((await result()).tasks.analyse.unread).toHaveLength(1);
  });

  it('"head" pastes the beginning', async () => {
    const { model, events } = await run(() => "?", { fit: "head" });

    const prompt = promptOf(model.requests[0]);
    expect(prompt).toContain("Ann Lee, customer since 2011");
    expect(prompt).not.toContain("450 euros");
    expect(estimateTokens(prompt)).toBeGreaterThan(1_500);
    expect(only(events, "context-trim")).toMatchObject([{ part: "input:record", how: "cut" }]);
  });

  it('"summary" has the model read all of it, four pieces at once, each call a step of its own', async () => {
    let [open, most] = [0, 0];
    const { model, events, result } = await run(
      async ({ hints }) => {
        if (hints.purpose !== "summary") return "done";
        most = Math.max(most, ++open);
        await new Promise((resolve) => setImmediate(resolve));
        open--;
        return `summary at ${hints.path.at(-1)}`;
      },
      { fit: "summary" },
    );

    const summaries = model.requests.filter(({ hints }) => hints.purpose === "summary");
    expect(summaries.length).toBeGreaterThan(4);
    expect(most).toBe(4);
    expect(summaries[0]?.hints.path).toEqual(["task:analyse", "input:record", "summary:1"]);
    expect(Math.max(...summaries.map(({ messages }) => estimatePrompt(messages)))).toBeLessThan(
      CONTEXT - 512,
    );
    expect(promptOf(model.requests.at(-1))).toContain(
      "summary at summary:1\n\nsummary at summary:2",
    );
    const ends = only(events, "model-end").filter(({ purpose }) => purpose === "summary");
    expect(ends).toHaveLength(summaries.length);
    const done = await result();
    expect(done.tasks.analyse.unread).toEqual([]);
    expect(done.purposes.summary?.calls).toBe(summaries.length);
  });

  it('"summary" summarises the summaries again until they are short enough', async () => {
    const long = "Something of note happened. ".repeat(70);
    const { model } = await run(({ hints }) => (hints.purpose === "summary" ? long : "done"), {
      fit: "summary",
      record: customerRecord(60_000),
    });

    const last = model.requests.at(-1);
    expect(model.requests.filter(({ hints }) => hints.purpose === "summary").length).toBeLessThan(
      40,
    );
    expect(estimateTokens(promptOf(last))).toBeLessThan(2_300);
  });

  it("is an error for an input that no text has", () => {
    const error = thrownBy(() =>
      defineCrew({ name: "c", tasks: [analyse], inputs: { recrod: { fit: "head" } } }),
    );

    expect(error.code).toBe("crew/invalid");
    expect(error.message).toMatch(/recrod.*\{record\}/);
  });

  it.each([
    { inputs: { record: { fit: "all" } } },
    { inputs: { record: { fit: "head", more: 1 } } },
    { inputs: { record: "head" } },
    { inlineTokens: 0 },
    { fit: "shorter" },
  ])("refuses %j", (options) => {
    const error = thrownBy(() =>
      defineCrew({ name: "c", tasks: [analyse], ...(options as object) }),
    );

    expect(error.code).toBe("crew/invalid");
  });
});
