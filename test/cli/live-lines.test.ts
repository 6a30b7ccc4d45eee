import { describe, expect, it } from "vitest";
import { liveLines } from "../../src/cli/live-lines.ts";
import { displayWidth } from "../../src/cli/width.ts";
import { FIRST_DONE, fold, type Placed, WRITING } from "./event-maker.ts";

const VIEW = { now: 2_000, columns: 100, rows: 24 };

function rowsOf(placed: readonly Placed[], view = VIEW): readonly string[] {
  const { state, live } = fold(placed);
  return liveLines(state, live, view).slice(2);
}

const PATH = ["task:research", "turn:1"];

describe("liveLines", () => {
  it("has a head with the crew, its status, its tasks and the time", () => {
    const { state, live } = fold(WRITING);

    expect(liveLines(state, live, VIEW)[0]).toBe("report · running · 0 of 2 tasks · 2.0 s · r1");
  });

  it("estimates tokens and speed while an answer comes, and says what waits for what", () => {
    const [analyst, writer] = rowsOf(WRITING);

    expect(analyst).toMatch(/^● {2}Analyst {2}research +~100 +~100 +2\.0 s {2}writing$/);
    expect(writer).toMatch(/^○ {2}Writer +write +waits for research$/);
  });

  it("shows the server's counts when an answer has ended", () => {
    const [analyst, writer] = rowsOf(FIRST_DONE, { ...VIEW, now: 9_000 });

    expect(analyst).toMatch(/^✓ {2}Analyst {2}research +1,200 +90 +45 +3\.0 s {2}done$/);
    expect(writer).toMatch(/^○ {2}Writer +write +waits$/);
  });

  it.each<[string, Placed["fact"], string]>([
    [
      "a queue",
      { type: "model-queued", agent: "Analyst", reason: "KV budget full" },
      "queued: KV budget full",
    ],
    [
      "a back-off",
      {
        type: "model-retry",
        agent: "Analyst",
        call: 1,
        afterMs: 2_000,
        code: "model/overloaded",
        message: "503",
      },
      "tries again in 2.0 s after model/overloaded",
    ],
    [
      "a fallback",
      { type: "model-fallback", agent: "Analyst", from: "a", to: "b", code: "model/server" },
      "queued: goes on with b after model/server",
    ],
    [
      "a tool",
      { type: "tool-start", agent: "Analyst", tool: "search_docs", arguments: "{}" },
      "tool search_docs, +1",
    ],
    [
      "thinking",
      { type: "model-delta", agent: "Analyst", channel: "reasoning", text: "hm" },
      "thinking",
    ],
  ])("names %s", (_what, fact, said) => {
    const path = fact.type === "tool-start" ? [...PATH, "tool:0"] : PATH;
    const [analyst] = rowsOf([...WRITING, { at: 1_500, path, fact }]);

    expect(analyst?.endsWith(said)).toBe(true);
  });

  it("gives the reason of a task that failed", () => {
    const error = { code: "model/server", message: "boom", retryable: false } as const;
    const [analyst] = rowsOf([
      ...WRITING,
      {
        at: 1_500,
        fact: {
          type: "task-end",
          task: "research",
          agent: "Analyst",
          status: "failed",
          raw: "",
          error,
        },
      },
    ]);

    expect(analyst).toMatch(/^✗ .*failed: model\/server$/);
  });

  it.each([1, 2, 10, 20, 34, 40, 50, 60, 75, 200])("is narrower than %i columns", (columns) => {
    const { state, live } = fold(
      toWide(FIRST_DONE, "研究員 👩‍🔬 with a very long name that goes on"),
    );

    const lines = liveLines(state, live, { ...VIEW, columns });

    expect(lines.every((line) => displayWidth(line) <= Math.max(1, columns - 1))).toBe(true);
  });

  it.each([2, 3, 4, 6, 10])("has fewer lines than %i rows, and keeps those that run", (rows) => {
    const tasks = Array.from({ length: 20 }, (_, index) => ({
      name: `t${index}`,
      agent: `A${index}`,
      needs: [],
    }));
    const start: Placed = {
      at: 0,
      fact: { type: "run-start", crew: "c", process: "parallel", inputs: {}, tasks, width: 20 },
    };
    const running: Placed = {
      at: 1,
      fact: { type: "task-start", task: "t19", agent: "A19" },
    };
    const { state, live } = fold([start, running]);

    const lines = liveLines(state, live, { ...VIEW, rows });

    expect(lines.length).toBeLessThan(rows);
    expect(lines.join("\n").includes("A19")).toBe(rows > 3);
    expect(/… and \d+ more agents/.test(lines.at(-1) ?? "")).toBe(rows > 4);
  });

  it.each(["constructor", "toString", "__proto__"])("takes the name %s", (name) => {
    const text = JSON.stringify(FIRST_DONE);
    const renamed = JSON.parse(
      text.replaceAll('"Writer"', JSON.stringify(name)).replaceAll('"write"', JSON.stringify(name)),
    ) as readonly Placed[];

    expect(rowsOf(renamed)[1]).toContain(name);
  });

  it("shows no escape sequences of a tool's name or a crew's", () => {
    const { state, live } = fold(toWide(WRITING, "evil\u001b[2J\nname"));

    expect(liveLines(state, live, VIEW).join("")).not.toContain("\u001b");
  });
});

function toWide(placed: readonly Placed[], name: string): readonly Placed[] {
  return JSON.parse(
    JSON.stringify(placed).replaceAll('"Analyst"', JSON.stringify(name)),
  ) as readonly Placed[];
}
