import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../src/clock.ts";
import { createProgress, type ProgressMode } from "../../src/cli/progress.ts";
import { printable } from "../../src/cli/width.ts";
import { createFakeOutput } from "./fake-terminal.ts";
import { FIRST_DONE, type Placed, toEvents, WRITING } from "./event-maker.ts";

const PROMPT: Placed = {
  at: 5,
  path: ["task:research", "turn:1"],
  fact: {
    type: "model-prompt",
    agent: "Analyst",
    parts: [
      { part: "system", tokens: 12, text: "You are\nan analyst" },
      { part: "task", tokens: 30, text: "Find" },
    ],
  },
};

describe("createProgress", () => {
  it("draws at most ten times a second, whatever comes", async () => {
    const { progress, output, clock } = setUp("live");
    const [start, ...rest] = toEvents(WRITING);
    if (start) progress.event(start);

    for (let at = 0; at < 1_000; at += 10) {
      for (const event of rest) progress.event({ ...event, at });
      await clock.advance(10);
    }

    expect(output.writes.length).toBeLessThanOrEqual(10);
    expect(output.writes.length).toBeGreaterThan(5);
  });

  it("draws nothing any more when it is disposed, and removes what it drew", async () => {
    const { progress, output, clock } = setUp("live");
    for (const event of toEvents(WRITING)) progress.event(event);
    await clock.advance(100);

    progress[Symbol.dispose]();
    const count = output.writes.length;
    await clock.advance(1_000);

    expect(count).toBe(2);
    expect(output.writes).toHaveLength(2);
    expect(output.writes[1]).toContain("\u001b[4A");
  });

  it("writes one line for each event elsewhere, and none for deltas", () => {
    const { progress, output } = setUp("lines");

    for (const event of toEvents(FIRST_DONE)) progress.event(event);

    expect(output.text.trimEnd().split("\n")).toEqual([
      "   0.0 s  run r1: crew report, 2 tasks, sequential",
      "   0.0 s  task research: Analyst starts",
      "   0.0 s  Analyst: asks m at gpu-1:8000",
      "   3.0 s  Analyst: answers, 1,200 tokens in, 90 out, 3.0 s",
      "   3.0 s  task research: done",
    ]);
  });

  it.each<ProgressMode>(["live", "lines", "none"])("shows prompts by part in mode %s", (mode) => {
    const { progress, output } = setUp(mode);

    for (const event of toEvents([...WRITING, PROMPT])) progress.event(event);

    const text = printable(output.text);
    expect(text).toContain(
      "prompt of Analyst, task:research / turn:1: ~42 tokens\n  system (~12 tokens)\n    You are\n    an analyst\n  task (~30 tokens)\n    Find\n",
    );
  });

  it("folds the events", () => {
    const { progress } = setUp("none");

    for (const event of toEvents(FIRST_DONE)) progress.event(event);

    expect(progress.state.tasks["research"]?.status).toBe("done");
    expect(progress.live.models).toEqual({ "m at gpu-1:8000": 1 });
  });
});

function setUp(mode: ProgressMode) {
  const clock = createVirtualClock({ auto: false });
  const output = createFakeOutput({ isTerminal: mode === "live", columns: 100 });
  return { clock, output, progress: createProgress({ mode, output, clock }) };
}
