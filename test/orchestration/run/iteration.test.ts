import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { errorOf, scene, worker } from "./scenario.ts";

const look = tool({
  name: "look",
  description: "Looks something up",
  parameters: z.object({ at: z.string() }),
  run: ({ at }) => `seen ${at}`,
});

const calling = (at: string) => ({ calls: [{ tool: "look", arguments: { at } }] });

const lookIntoIt = (maxIterations: number) =>
  task({
    name: "t",
    description: "d",
    expectedOutput: "e",
    agent: worker("Looker", { tools: [look], maxIterations }),
  });

describe("maxIterations", () => {
  it("is followed by one last call without tools, whose text is the answer", async () => {
    const { bosun, model } = scene([calling("1"), calling("2"), "from what I have"]);

    const result = await crew({ name: "c", tasks: [lookIntoIt(2)], bosun }).kickoff();

    expect(result.raw).toBe("from what I have");
    expect(model.requests.map(({ tools }) => tools?.length ?? 0)).toEqual([1, 1, 0]);
    expect(model.requests.map(({ hints }) => hints.purpose)).toEqual(["work", "work", "final"]);
    expect(model.requests.at(-1)?.messages.at(-1)).toMatchObject({ role: "user" });
    expect(model.requests.at(-1)?.messages.at(-1)?.content).toContain("final answer");
  });

  it("ends a model that still calls tools with agent/iterations, in a bounded number of calls", async () => {
    const { bosun, model } = scene(() => calling("again"));

    const error = await errorOf(crew({ name: "c", tasks: [lookIntoIt(3)], bosun }).kickoff());

    expect(error.code).toBe("agent/iterations");
    expect(error.message).toContain("Looker");
    expect(error.message).toContain("maxIterations");
    expect(model.requests.length).toBeLessThanOrEqual(3 + 3);
  });

  it("counts no tool that is not there: a model that calls tools although it has none ends too", async () => {
    const bare = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("Bare", { maxIterations: 3 }),
    });
    const { bosun, model } = scene((_request, index) => {
      if (index >= 100) throw new BosunError("model/bad-request", "the loop has no end");
      return calling("again");
    });

    const error = await errorOf(crew({ name: "c", tasks: [bare], bosun }).kickoff());

    expect(error.message).not.toContain("the loop has no end");
    expect(error.code).toBe("agent/iterations");
    expect(model.requests.length).toBeLessThan(10);
  });

  it("has a default of 25", async () => {
    const endless = task({
      name: "t",
      description: "d",
      expectedOutput: "e",
      agent: worker("Looker", { tools: [look] }),
    });
    const { bosun, model } = scene(() => calling("again"));

    await errorOf(crew({ name: "c", tasks: [endless], bosun }).kickoff());

    expect(model.requests.filter(({ tools }) => (tools?.length ?? 0) > 0)).toHaveLength(25);
  });

  it("takes the text of a last answer that has calls beside it", async () => {
    const { bosun } = scene([calling("1"), { text: "the answer", ...calling("2") }]);

    const result = await crew({ name: "c", tasks: [lookIntoIt(1)], bosun }).kickoff();

    expect(result.raw).toBe("the answer");
  });
});

describe("an empty answer", () => {
  const plain = task({ name: "t", description: "d", expectedOutput: "e", agent: worker("Silent") });

  it("is asked for once more, and the second answer counts", async () => {
    const { bosun, model } = scene(["", "here it is"]);

    const result = await crew({ name: "c", tasks: [plain], bosun }).kickoff();

    expect(result.raw).toBe("here it is");
    expect(model.requests[1]?.messages.at(-1)?.content).toContain("empty");
  });

  it("ends in agent/empty-answer after one request to mend it", async () => {
    const { bosun, model } = scene(() => "  \n");

    const error = await errorOf(crew({ name: "c", tasks: [plain], bosun }).kickoff());

    expect(error.code).toBe("agent/empty-answer");
    expect(error.message).toContain("Silent");
    expect(model.requests).toHaveLength(2);
  });

  it("tells of the thinking that used up its tokens", async () => {
    const { bosun } = scene(() => ({ text: "", reasoning: "hmm", finish: "length" }));

    const error = await errorOf(crew({ name: "c", tasks: [plain], bosun }).kickoff());

    expect(error.code).toBe("agent/empty-answer");
    expect(error.message).toContain("thinking");
  });
});
