import { describe, expect, it } from "vitest";
import { keepBeforeStep } from "../src/flow-fork.ts";
import { defineFlow } from "../src/orchestration/flow/flow.ts";
import { listen, start } from "../src/orchestration/flow/step.ts";
import type { StepRecord } from "../src/orchestration/durable/engine.ts";

const flow = defineFlow("f", {}, { a: start(() => 1), write: listen("a", () => 2) });
const record = (key: string, status: StepRecord["status"] = "done"): StepRecord => ({
  key,
  status,
  attempt: 1,
  startedAt: 0,
  ms: 1,
  bytes: 1,
});
const STEPS = [
  record("state"),
  record("step:a/end"),
  record("step:write/step:x"),
  record("step:write/end"),
  record("step:write~2/end"),
];
const kept = (from?: string, steps: readonly StepRecord[] = STEPS): readonly string[] =>
  steps.filter(keepBeforeStep(flow, steps, { from, isOther: false })).map(({ key }) => key);

describe("a fork of a flow's run", () => {
  it("takes over what was kept before the first call of a step", () => {
    expect(kept("write")).toEqual(["state", "step:a/end"]);
  });

  it("takes over what was kept before another call, or before a key", () => {
    expect(kept("write~2")).toEqual(STEPS.slice(0, 4).map(({ key }) => key));
    expect(kept("step:write/end")).toEqual(STEPS.slice(0, 3).map(({ key }) => key));
    const tries = [...STEPS, record("step:write~3/x"), record("step:write~3.2/end")];
    expect(kept("write~3.2", tries)).toEqual(tries.slice(0, -1).map(({ key }) => key));
  });

  it("means the step where something from outside has its name, and else what it is called in the journal", () => {
    const steps = [record("wait:write"), record("wait:paid"), record("sleep:n"), ...STEPS];

    expect(kept("write", steps)).toEqual([
      "wait:write",
      "wait:paid",
      "sleep:n",
      "state",
      "step:a/end",
    ]);
    expect(kept("wait:write", steps)).toEqual([]);
    expect(kept("paid", steps)).toEqual(["wait:write"]);
    expect(kept("sleep:n", steps)).toEqual(["wait:write", "wait:paid"]);
  });

  it("that says nothing takes over all but what the step that ended the run did from its first failure on", () => {
    const failed = [
      record("step:b/step:x"),
      record("step:b/step:y", "failed"),
      record("step:c/end"),
      record("step:b/step:z"),
      record("step:b/end", "failed"),
      record("limit:step:b"),
    ];

    expect(kept(undefined, [...STEPS, ...failed])).toEqual([
      ...STEPS.map(({ key }) => key),
      "step:b/step:x",
      "step:c/end",
    ]);
  });

  it("that says nothing keeps a failure that another try has followed, since what came later has seen it", () => {
    const steps = [
      record("step:write/end", "failed"),
      record("step:write~1.2/end"),
      record("step:publish/end"),
    ];

    expect(kept(undefined, steps)).toEqual(steps.map(({ key }) => key));
  });

  it("with other inputs begins anew, and cannot begin in the middle", () => {
    const all = STEPS.filter(keepBeforeStep(flow, STEPS, { from: undefined, isOther: true }));

    expect(all).toEqual([]);
    expect(() => keepBeforeStep(flow, STEPS, { from: "write", isOther: true })).toThrow(
      expect.objectContaining({ code: "usage" }),
    );
  });

  it("from a step that the run has not done names those that there are", () => {
    expect(() => kept("wirte")).toThrow(/"wirte": did you mean write\? The flow's steps:/);
    expect(() => kept("nosuch")).toThrow(/"nosuch"\. The flow's steps:/);
  });
});
