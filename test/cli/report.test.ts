import { describe, expect, it } from "vitest";
import { reportLines } from "../../src/cli/report.ts";
import { unfinishedLines } from "../../src/cli/unfinished.ts";
import { displayWidth } from "../../src/cli/width.ts";
import { FIRST_DONE, fold, type Placed, usage } from "./event-maker.ts";

const FAILED: readonly Placed[] = [
  ...FIRST_DONE,
  { at: 3_000, fact: { type: "task-start", task: "write", agent: "Writer" } },
  {
    at: 5_000,
    path: ["task:write", "turn:1"],
    fact: {
      type: "model-end",
      agent: "Writer",
      purpose: "work",
      status: "failed",
      usage: usage(500, 20, "estimated"),
      error: { code: "model/cut", message: "cut", retryable: true },
    },
  },
  {
    at: 5_000,
    fact: {
      type: "task-end",
      task: "write",
      agent: "Writer",
      status: "failed",
      raw: "half a \u001b[31mtext",
      error: { code: "model/cut", message: "cut", retryable: true },
    },
  },
  {
    at: 5_000,
    fact: {
      type: "run-end",
      status: "failed",
      raw: "",
      error: { code: "model/cut", message: "cut", retryable: true },
    },
  },
];

const called = (agent: string, more: object) => ({
  at: 1_000,
  fact: {
    type: "model-end",
    agent,
    purpose: "work",
    status: "done",
    endpoint: "e",
    model: "m",
    finish: { unified: "stop", raw: "stop" },
    usage: usage(1_000, 100),
    timings: { queueMs: 0, firstTokenMs: 1, totalMs: 10 },
    ...more,
  } as const,
});

describe("reportLines", () => {
  it("shows what calls cost and where the prices come from, and a run that was over budget", () => {
    const cost = { currency: "USD", amount: 0.00241, source: "given", date: "2026-11-25" } as const;
    const error = { code: "run/over-budget", message: "no more", retryable: false } as const;
    const { state, live } = fold([
      ...FIRST_DONE,
      called("Writer", { cost }),
      { at: 2_000, fact: { type: "run-end", status: "over-budget", raw: "", error } },
    ]);

    const text = reportLines({ state, models: live.models, keptIn: undefined }).join("\n");

    expect(text).toMatch(/^Analyst .* unknown /m);
    expect(text).toMatch(/^Writer .* \$0\.0024 /m);
    expect(text).toMatch(/^total .* over \$0\.0024 /m);
    expect(text).toMatch(/^prices +given, 2026-11-25; 1 without a price$/m);
    expect(text).toMatch(/^run +r1 \(report\): over-budget in/m);
  });

  it("has a row per agent with a total, a row per task, and where the data went", () => {
    const { state, live } = fold(FAILED);

    const lines = reportLines({ state, models: live.models, keptIn: "/data/runs.db" });

    expect(lines).toEqual([
      "agent    calls  retries  tools      in  cached   out     cost  model time  share",
      "Analyst      1        0      0   1,200       –    90  unknown       3.0 s  100 %",
      "Writer       1        0      0    ~500       –   ~20  unknown        0 ms    0 %",
      "total        2        0      0  ~1,700       –  ~110  unknown       3.0 s  100 %",
      "",
      "task      status    agent    attempts   time  note",
      "research  ✓ done    Analyst         1  3.0 s",
      "write     ✗ failed  Writer          1  2.0 s  model/cut",
      "",
      "run      r1 (report): failed in 5.0 s",
      "models   m at gpu-1:8000 ×1",
      "kept in  /data/runs.db; bosun runs show r1",
      "~ estimated from the text: the server did not count",
    ]);
  });

  it("says when nothing answered, nothing was kept and the run was interrupted", () => {
    const { state } = fold(FIRST_DONE.slice(0, 2));

    const lines = reportLines({ state, models: {}, keptIn: undefined, status: "interrupted" });

    expect(lines.slice(-3)).toEqual([
      "run      r1 (report): interrupted in –",
      "models   none answered",
      "kept in  nowhere",
    ]);
  });

  it("says of the embedded model that it has no neural network", () => {
    const { state } = fold(FIRST_DONE);

    const lines = reportLines({
      state,
      models: { "extractive at embedded": 3 },
      keptIn: undefined,
    });

    expect(lines).toContain("models   extractive (no neural network) ×3");
    expect(lines.at(-1)).toContain("give --model for a language model");
  });

  it("shows failed tools, who stood in, and an answer that was cut", () => {
    const { state } = fold([
      ...FIRST_DONE,
      ...(["done", "failed"] as const).map((status, index) => ({
        at: 3_100,
        path: ["task:write", "turn:1", `tool:${index}`],
        fact: {
          type: "tool-end",
          agent: "Writer",
          tool: "search",
          status,
          tokens: 1,
          truncated: false,
          cached: false,
          content: "",
        } as const,
      })),
      {
        at: 4_000,
        fact: {
          type: "task-end",
          task: "write",
          agent: "Writer",
          status: "done",
          raw: "half",
          finish: "length",
          standIn: "rescue",
        },
      },
    ]);

    const text = reportLines({ state, models: {}, keptIn: undefined }).join("\n");

    expect(text).toMatch(/Writer +0 +0 +2 \(1 failed\)/);
    expect(text).toMatch(/write +✓ done.* stood in: rescue, cut at maxTokens/);
  });

  it("drops cached, retries and share on a narrow terminal before anything is cut", () => {
    const { state, live } = fold(FAILED);

    const [titles = ""] = reportLines({ state, models: live.models, keptIn: "x" }, { columns: 62 });

    expect(titles).toBe("agent    calls  tools      in   out     cost  model time");
  });

  it("has tables that fit a narrow terminal", () => {
    const { state, live } = fold(FAILED);

    const lines = reportLines({ state, models: live.models, keptIn: "x" }, { columns: 40 });

    expect(lines.slice(0, 8).every((line) => displayWidth(line) <= 40)).toBe(true);
  });
});

describe("unfinishedLines", () => {
  it("shows the texts of tasks that did not end well, cleaned, and nothing else", () => {
    const { state } = fold(FAILED);

    expect(unfinishedLines(state)).toEqual([
      "Text of the task write, which is failed:",
      "half a text",
      "",
    ]);
  });

  it("shows the beginning of a long one and how much is left", () => {
    const long = FAILED.map((one) =>
      one.fact.type === "task-end" && one.fact.status === "failed"
        ? { ...one, fact: { ...one.fact, raw: "x".repeat(5_000) } }
        : one,
    );

    const lines = unfinishedLines(fold(long).state);

    expect(lines[1]).toHaveLength(4_000);
    expect(lines[2]).toBe("… 1,000 more characters");
  });
});
