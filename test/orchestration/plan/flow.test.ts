import { describe, expect, it } from "vitest";
import { defineCrew } from "../../../src/orchestration/crew/crew.ts";
import { defineFlow, type FlowSteps } from "../../../src/orchestration/flow/flow.ts";
import { listen, router, start } from "../../../src/orchestration/flow/step.ts";
import { and, or } from "../../../src/orchestration/flow/trigger.ts";
import { type FlowPlan, planFlow } from "../../../src/orchestration/plan/flow.ts";
import { job } from "../run/scenario.ts";

const plan = (steps: FlowSteps): FlowPlan => planFlow(defineFlow("f", {}, steps));
const after = ({ steps }: FlowPlan, name: string): readonly string[] | undefined =>
  steps.find((step) => step.name === name)?.after;
const nothing = (): null => null;
const one = defineCrew({ name: "one", tasks: [job("a")] });
const wide = defineCrew({ name: "wide", process: "parallel", tasks: [job("a"), job("b")] });
const long = defineCrew({ name: "long", tasks: [job("a"), job("b"), job("c")] });

describe("a flow's plan", () => {
  it("needs one call at once where one step follows the other", () => {
    const { width, criticalPath } = plan({
      a: start(nothing),
      b: listen("a", nothing),
      c: listen("b", nothing),
    });

    expect([width, criticalPath]).toEqual([1, ["a", "b", "c"]]);
  });

  it("needs as many as steps can run at once, each with its widest crew", () => {
    const { width, widest } = plan({
      a: start(nothing, { crews: [one] }),
      b: start(nothing, { crews: [one, wide] }),
      c: listen(and("a", "b"), nothing, { crews: [wide] }),
      d: listen("a", nothing, { crews: [] }),
    });

    expect([width, widest]).toEqual([3, ["a", "b"]]);
  });

  it("counts a step once for each router that may emit what it listens to, and for each way to a join the rarest", () => {
    const planned = plan({
      a: router(or("in", "again"), ["go", "again"], () => "go", { crews: [], maxCalls: 5 }),
      b: router("in", ["go"], () => "go", { crews: [] }),
      in: start(nothing, { crews: [] }),
      work: listen("go", nothing, { crews: [wide] }),
      joined: listen(and("work", "in"), nothing, { crews: [one] }),
      capped: listen("go", nothing, { crews: [], maxCalls: 1 }),
    });

    expect(planned.steps.map(({ name, calls }) => [name, calls])).toEqual([
      ["a", 1],
      ["b", 1],
      ["in", 1],
      ["work", 2],
      ["joined", 1],
      ["capped", 1],
    ]);
    expect(planned.width).toBe(4);
  });

  it("counts a step after what every way to it has passed", () => {
    const planned = plan({
      a: start(nothing),
      b: start(nothing),
      either: listen(or("a", "b"), nothing),
      both: listen(and("a", "b"), nothing),
      nested: listen(or("both", and("a", "either")), nothing),
    });

    expect(after(planned, "either")).toEqual([]);
    expect(after(planned, "both")).toEqual(["a", "b"]);
    expect(after(planned, "nested")).toEqual(["a"]);
  });

  it("looks at a loop's first round", () => {
    const planned = plan({
      research: start(nothing),
      write: listen(or("research", "again"), nothing),
      check: router("write", ["good", "again"], () => "good"),
      publish: listen("good", nothing),
    });

    expect(after(planned, "write")).toEqual(["research"]);
    expect(after(planned, "publish")).toEqual(["research", "write", "check"]);
    expect(planned.width).toBe(1);
  });

  it("takes the chain with the most tasks for the longest", () => {
    const { criticalPath } = plan({
      a: start(nothing, { crews: [one] }),
      b: start(nothing, { crews: [long] }),
      c: listen("a", nothing, { crews: [one] }),
      d: listen("b", nothing, { crews: [] }),
    });

    expect(criticalPath).toEqual(["b"]);
  });

  it("tells which steps can never run, and counts them nowhere", () => {
    const { steps, width } = plan({
      a: start(nothing),
      x: listen("y", nothing),
      y: listen("x", nothing),
    });

    expect(steps.map(({ name, canRun }) => [name, canRun])).toEqual([
      ["a", true],
      ["x", false],
      ["y", false],
    ]);
    expect(width).toBe(1);
  });
});
