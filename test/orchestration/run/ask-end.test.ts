import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { AskLimits } from "../../../src/orchestration/tool/approval.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { startedRun } from "./ask-scene.ts";
import { errorOf, eventsOf, job, only, scene, settle } from "./scenario.ts";
import { calling, resultsIn } from "./team-scene.ts";

const reviewed = (humanInput: true | AskLimits) => {
  const { bosun, model, clock } = scene(() => "x");
  return {
    bosun,
    model,
    clock,
    made: crew({ name: "c", tasks: [job("a", { humanInput })], bosun }),
  };
};
const nobody = () => ({ nobody: "a batch has no people" });

describe("a question that nobody can be asked", () => {
  it("is rejected at once by default, and the event says why", async () => {
    const { made, clock } = reviewed(true);

    const { events, error } = await eventsOf(made.stream({ onAsk: nobody }));

    expect(error).toMatchObject({ code: "task/unanswered" });
    expect(only(events, "ask-end")).toMatchObject([{ answer: "rejected", by: "nobody" }]);
    expect(only(events, "ask-end")[0]?.reason).toContain("a batch has no people");
    expect(clock.now()).toBe(0);
  });

  it('is approved at once with onTimeout: "approve"', async () => {
    const { made, clock } = reviewed({ onTimeout: "approve" });

    const { events, error } = await eventsOf(made.stream({ onAsk: nobody }));

    expect(error).toBeUndefined();
    expect(only(events, "ask-end")).toMatchObject([{ answer: "approved", by: "nobody" }]);
    expect(clock.now()).toBe(0);
  });

  it("about a tool's call refuses it, and the agent goes on", async () => {
    const { bosun, model } = scene([calling({ tool: "pay", arguments: {} }), "did without"]);
    const pay = tool({
      name: "pay",
      description: "d",
      parameters: {},
      run: () => "paid",
      approval: true,
    });

    const result = await crew({ name: "c", tasks: [job("a", { tools: [pay] })], bosun }).kickoff({
      onAsk: nobody,
    });

    expect(result.raw).toBe("did without");
    expect(resultsIn(model.requests[1])[0]).toMatch(/was not approved: .*a batch has no people/);
  });
});

describe("a question whose run is cancelled", () => {
  it("ends in an event of its own, before its task does", async () => {
    const { bosun, made } = reviewed(true);
    const { run, events } = await startedRun(bosun, made);

    run.cancel("enough");
    await run.ended;
    await settle();

    expect(only(events, "ask-end")).toMatchObject([{ answer: "cancelled", by: "nobody" }]);
    expect(events.slice(-3).map(({ type }) => type)).toEqual(["ask-end", "task-end", "run-end"]);
  });
});

describe("a kickoff without onAsk", () => {
  it("waits for nobody: a question gets its own default at once", async () => {
    const { bosun, clock } = scene(["x", "y"]);
    const limits = { timeoutMs: 5_000, onTimeout: "approve" } as const;
    const strict = crew({ name: "c", tasks: [job("a", { humanInput: true })], bosun });
    const mild = crew({ name: "c", tasks: [job("a", { humanInput: limits })], bosun });

    const error = await errorOf(strict.kickoff());
    const { raw } = await mild.kickoff();

    expect(error).toMatchObject({ code: "task/unanswered" });
    expect(error.message).toContain("the kickoff has no onAsk");
    expect(raw).toBe("y");
    expect(clock.now()).toBe(0);
  });
});
