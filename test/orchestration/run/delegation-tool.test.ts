import { describe, expect, it } from "vitest";
import { defineCrew } from "../../../src/orchestration/crew/crew.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import type { ScriptedCall } from "../../../src/test/scripted-model.ts";
import { job, thrownBy, worker } from "./scenario.ts";
import { byWho, calling, helper, lead, peers, resultsIn } from "./team-scene.ts";

describe("the arguments of a delegation", () => {
  it.each<[string, ScriptedCall["arguments"], RegExp]>([
    ["no text", "not JSON {", /^Error: /],
    ["a list", [1], /^Error: .*must be a JSON object/],
    ["without a task", { coworker: "Helper" }, /say the task in words/],
    ["with an empty task", { coworker: "Helper", task: "  " }, /say the task in words/],
    ["without a coworker", { task: "t" }, /none of your coworkers/],
  ])("that are %s are an error that the model reads", async (_, given, message) => {
    const { made, model } = peers(
      byWho({ lead: [calling({ tool: "delegate_work", arguments: given }), "ok"] }),
      [lead, helper],
    );

    const result = await made.kickoff();

    expect(result.status).toBe("done");
    expect(resultsIn(model.requests[1])[0]).toMatch(message);
  });
});

describe("a tool that is called like one of a team's", () => {
  const own = tool({ name: "delegate_work", description: "d", parameters: {}, run: () => "own" });

  it("is refused at an agent that may delegate, and at a manager", () => {
    const errors = [
      () =>
        defineCrew({
          name: "c",
          tasks: [job("t", { agent: worker("A", { allowDelegation: true, tools: [own] }) })],
          agents: [helper],
        }),
      () =>
        defineCrew({
          name: "c",
          tasks: [job("t", { tools: [own] })],
          agents: [helper],
          process: "hierarchical",
        }),
    ].map((make) => thrownBy(make));

    for (const error of errors) {
      expect(error.code).toBe("crew/invalid");
      expect(error.message).toContain("delegate_work");
    }
  });

  it("is the agent's own where nobody delegates", async () => {
    const { made, model } = peers(
      [calling({ tool: "delegate_work", arguments: {} }), "ok"],
      [worker("A", { tools: [own] }), helper],
    );

    await made.kickoff();

    expect(resultsIn(model.requests[1])).toEqual(["own"]);
  });
});
