import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { errorOf, eventsOf, job, only, promptOf, scene, taskIn, worker } from "./scenario.ts";

const refusal = (text = ""): BosunError =>
  new BosunError("model/bad-request", "the model refuses", text ? { details: { text } } : {});

describe("onError with a task", () => {
  it("does that task in its place, with its own agent and text", async () => {
    const standIn = job("plan-b", { agent: worker("Substitute") });
    const { bosun, model } = scene((request) => {
      if (taskIn(request) === "b") return "the last one";
      return promptOf(request).includes("plan-b") ? "from the stand-in" : refusal();
    });

    const { events } = await eventsOf(
      crew({ name: "c", tasks: [job("a", { onError: standIn }), job("b")], bosun }).stream(),
    );

    expect(only(events, "run-end")[0]).toMatchObject({ status: "done" });
    expect(only(events, "task-start").map(({ task: name, agent }) => [name, agent])).toEqual([
      ["a", "agent of a"],
      ["a", "Substitute"],
      ["b", "agent of b"],
    ]);
    expect(promptOf(model.requests[1])).toContain("Do plan-b");
  });

  it("gives its output and its agent to the task's result, and its events name that agent", async () => {
    const standIn = job("plan-b", { agent: worker("Substitute") });
    const { bosun } = scene((request) =>
      promptOf(request).includes("plan-b") ? "from the stand-in" : refusal(),
    );
    const tasks = [job("a", { onError: standIn })] as const;

    const result = await crew({ name: "c", tasks, bosun }).kickoff();
    const { events } = await eventsOf(crew({ name: "c", tasks, bosun }).stream());

    expect(result.tasks.a).toMatchObject({
      status: "done",
      raw: "from the stand-in",
      output: "from the stand-in",
      agent: "Substitute",
    });
    expect(only(events, "task-end")).toMatchObject([{ task: "a", agent: "Substitute" }]);
  });

  it("sees the context that the failed task saw", async () => {
    const standIn = job("plan-b");
    const { bosun, model } = scene((request) => {
      if (taskIn(request) === "first") return "the context";
      return promptOf(request).includes("plan-b") ? "ok" : refusal();
    });

    await crew({
      name: "c",
      tasks: [job("first"), job("a", { onError: standIn })],
      bosun,
    }).kickoff();

    expect(promptOf(model.requests.at(-1))).toContain("the context");
  });

  it("fails the task with the stand-in's error when that fails too", async () => {
    const standIn = job("plan-b");
    const { bosun, model } = scene((request) =>
      promptOf(request).includes("plan-b")
        ? new BosunError("model/unauthorized", "the stand-in may not")
        : refusal(),
    );

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { onError: standIn })], bosun }).kickoff(),
    );

    expect(error.code).toBe("model/unauthorized");
    expect(model.requests).toHaveLength(2);
  });

  it("types the output by the stand-in when the task has a schema and the stand-in has none", async () => {
    const standIn = job("plan-b");
    const typed = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ n: z.number() }),
      onError: standIn,
    });
    const { bosun } = scene((request) =>
      promptOf(request).includes("plan-b") ? "plain text" : refusal(),
    );

    const result = await crew({ name: "c", tasks: [typed], bosun }).kickoff();

    expect(result.tasks.a.status).toBe("done");
    expect(result.tasks.a.output).toBe("plain text");
  });

  it("does not read the task's own text by the stand-in's schema", async () => {
    const standIn = task({
      name: "plan-b",
      description: "d",
      expectedOutput: "e",
      agent: worker("B"),
      output: z.object({ n: z.number() }),
    });
    const plain = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      onError: standIn,
    });
    const { bosun } = scene(() => "plain text");

    const result = await crew({ name: "c", tasks: [plain], bosun }).kickoff();

    expect(result.tasks.a.status).toBe("done");
    expect(result.tasks.a.output).toBe("plain text");
  });

  it("reads the stand-in's answer by the stand-in's own schema", async () => {
    const standIn = task({
      name: "plan-b",
      description: "plan-b",
      expectedOutput: "e",
      agent: worker("B"),
      output: z.object({ m: z.string() }),
    });
    const typed = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ n: z.number() }),
      onError: standIn,
    });
    const { bosun } = scene((request) =>
      promptOf(request).includes("plan-b") ? '{"m":"x"}' : refusal(),
    );

    const result = await crew({ name: "c", tasks: [typed], bosun }).kickoff();

    expect(result.tasks.a.output).toEqual({ m: "x" });
  });

  it("does what the stand-in's own onError says, or refuses it when the crew is made", async () => {
    const last = job("plan-c");
    const standIn = job("plan-b", { onError: last });
    const { bosun } = scene((request) =>
      promptOf(request).includes("plan-c") ? "from plan c" : refusal(),
    );

    const outcome = await (async () =>
      crew({ name: "c", tasks: [job("a", { onError: standIn })], bosun }).kickoff())().then(
      ({ raw }) => raw,
      (error: unknown) => (error instanceof BosunError ? error.code : error),
    );

    expect(["from plan c", "crew/invalid", "crew/not-built"]).toContain(outcome);
  });
});
