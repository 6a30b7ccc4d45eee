import { describe, expect, it } from "vitest";
import { eventLine } from "../../src/cli/event-line.ts";
import type { Path } from "../../src/inference/model/model.ts";
import type { RunEvent, RunFact } from "../../src/orchestration/run/event.ts";

function lineOf(path: Path, fact: RunFact): string | undefined {
  const about = { seq: 1, at: 0, runId: "r1", attempt: 1, n: 1, replayed: false, path };
  const event: RunEvent = { ...about, ...fact };
  return eventLine(event, 0)?.trim();
}

const TASK = ["task:t"];
const IN_FLOW = ["step:each", "crew:one~2", "task:t"];
const start: RunFact = { type: "task-start", task: "t", agent: "R" };
const call: RunFact = { type: "tool-start", agent: "R", tool: "look", arguments: "{}" };
const hook: RunFact = { type: "hook-end", hook: "onStep", status: "failed", reason: "x" };
const asked = { type: "ask-start", name: "", timeoutMs: 60_000, onTimeout: "reject" } as const;
const good = { ...asked, agent: "R", task: "t", subject: "answer", text: "x" } as const;

describe("the line of an event", () => {
  it("names tasks and agents of a crew alone by their own names", () => {
    expect(lineOf(TASK, start)).toBe("0.0 s  task t: R starts");
    expect(lineOf(TASK, call)).toBe("0.0 s  R: calls look({})");
    expect(lineOf(TASK, hook)).toBe("0.0 s  hook onStep: failed: x");
    expect(lineOf(TASK, good)).toContain("R: waits for a person at most 1m 00s: is the answer of");
  });

  it("has the place in a flow before them, so that crews that run at once are told apart", () => {
    expect(lineOf(IN_FLOW, start)).toBe("0.0 s  task each/one~2/t: R starts");
    expect(lineOf(IN_FLOW, call)).toBe("0.0 s  each/one~2/t, R: calls look({})");
    expect(lineOf(IN_FLOW.slice(0, 2), hook)).toBe("0.0 s  each/one~2: hook onStep: failed: x");
    expect(lineOf(IN_FLOW, good)).toContain("is the answer of task each/one~2/t good?");
  });

  it("says what a step asks, which is no agent's answer to a task", () => {
    const path = ["step:approve", "ask:1"];
    const about = { agent: "approve", task: "approve" };
    const question = { ...asked, ...about, subject: "question", text: "Pay\n100?" } as const;
    const answer = { type: "ask-end", name: "", answer: "approved", by: "person" } as const;

    expect(lineOf(path, question)).toBe(
      "0.0 s  step approve asks: Pay 100? (waits for a person at most 1m 00s)",
    );
    expect(lineOf(path, { ...answer, agent: "approve" })).toBe(
      "0.0 s  step approve: approved by a person",
    );
  });
});
