// What a run keeps of what was paid for: results that fit at the last moment, causes, details, finishes.

import { describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { errorOf, eventsOf, job, only, scene, thrownBy, worker } from "./scenario.ts";

const long = (name: string, tokens: number) =>
  tool({ name, description: "Reads", parameters: z.object({}), run: () => "word".repeat(tokens) });

describe("two long results of one turn", () => {
  it("are cut to the context rather than ending the run", async () => {
    const { bosun, model } = scene(
      (_request, index) =>
        index === 0
          ? {
              calls: [
                { tool: "one", arguments: {} },
                { tool: "two", arguments: {} },
              ],
            }
          : "done",
      { contextTokens: 8_192 },
    );
    const reader = worker("A", { tools: [long("one", 3_900), long("two", 3_900)] });

    const { events, error } = await eventsOf(
      crew({ name: "c", tasks: [job("a", { agent: reader })], bosun }).stream(),
    );

    expect(error).toBeUndefined();
    expect(only(events, "context-trim").map(({ part }) => part)).toEqual(["turn:1:tool"]);
    expect(model.requests).toHaveLength(2);
  });
});

describe("an answer", () => {
  it("says that it was cut at maxTokens", async () => {
    const { bosun } = scene(() => ({ text: "half of", finish: "length" }));

    const result = await crew({ name: "c", tasks: [job("a")], bosun }).kickoff();

    expect(result.tasks.a).toMatchObject({ status: "done", finish: "length" });
  });

  it("may be mended after an empty one, with its tools still on offer", async () => {
    const look = long("look", 3);
    const { bosun, model } = scene((_request, index) =>
      index === 0
        ? ""
        : index === 1
          ? { calls: [{ tool: "look", arguments: {} }] }
          : "now it works",
    );

    const result = await crew({
      name: "c",
      tasks: [job("a", { agent: worker("A", { tools: [look] }) })],
      bosun,
    }).kickoff();

    expect(result.raw).toBe("now it works");
    expect(model.requests[1]?.tools).toHaveLength(1);
  });

  it("may be empty once also after it did not fit its schema", async () => {
    const typed = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ n: z.number() }),
    });
    const replies = ["no JSON", "", '{"n": 1}'];
    const { bosun } = scene((_request, index) => replies[index] ?? "");

    const result = await crew({ name: "c", tasks: [typed], bosun }).kickoff();

    expect(result.tasks.a.output).toEqual({ n: 1 });
  });
});

describe("a run that failed", () => {
  it("throws an error with the details and the cause of the task's error", async () => {
    const cause = new Error("the defect");
    const { bosun } = scene(() => {
      throw new BosunError("model/not-found", "no such model", {
        cause,
        details: { served: ["a", "b"] },
      });
    });

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

    expect(error).toMatchObject({
      code: "model/not-found",
      details: { served: ["a", "b"], status: "failed" },
    });
    expect(error.cause).toMatchObject({ code: "model/not-found", cause });
  });

  it("is not partial when its only task has no text at all, whatever onError says", async () => {
    const { bosun } = scene(() => new BosunError("model/unauthorized", "wrong key"));

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a", { onError: "partial" })], bosun }).kickoff(),
    );

    expect(error.code).toBe("model/unauthorized");
  });

  it("keeps the reason of its caller's abort", async () => {
    const controller = new AbortController();
    const { bosun } = scene(() => {
      controller.abort(new Error("the user left"));
      return "x";
    });

    const error = await errorOf(
      crew({ name: "c", tasks: [job("a"), job("b")], bosun }).kickoff({
        signal: controller.signal,
      }),
    );

    expect(error.code).toBe("run/cancelled");
    expect(error.cause).toMatchObject({ cause: { message: "the user left" } });
  });
});

describe("an option that would be ignored", () => {
  it("is refused: context and async of a stand-in, retries without a retry, a name of digits", () => {
    const other = job("other");
    const standIn = (options: object) => () =>
      crew({ name: "c", tasks: [other, job("a", { onError: job("b", options) })] });

    expect(thrownBy(standIn({ context: [other] })).message).toContain("context");
    expect(thrownBy(standIn({ async: true })).message).toContain("async");
    expect(thrownBy(() => job("a", { retries: 3 })).message).toContain("retries");
    expect(thrownBy(() => job("10")).message).toContain("digits");
  });

  it("is refused in a kickoff: a signal that is none, a flag that is none", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    expect((await errorOf(made.kickoff({ signal: {} } as never))).message).toContain("signal");
    expect((await errorOf(made.kickoff({ showPrompts: "no" } as never))).message).toContain(
      "showPrompts",
    );
  });
});

describe("a JSON Schema whose reference leads nowhere", () => {
  it("is refused before any call is paid for, with the task that has it", async () => {
    const { bosun, model } = scene(() => "{}");
    const typed = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: { $ref: "#/$defs/nope" },
    });

    const error = await errorOf(crew({ name: "c", tasks: [typed], bosun }).kickoff());

    expect(error.code).toBe("schema/invalid");
    expect(error.message).toContain('task "a"');
    expect(model.requests).toHaveLength(0);
  });
});

describe("a tool's result that is the answer", () => {
  it("is handed over whole, however little of it a prompt would get", async () => {
    const tools = [
      tool({
        name: "all",
        description: "Gives all",
        parameters: z.object({}),
        run: () => "word ".repeat(20_000),
        resultAsAnswer: true,
      }),
    ];
    const { bosun } = scene(() => ({ calls: [{ tool: "all", arguments: {} }] }));

    const result = await crew({
      name: "c",
      tasks: [job("a", { agent: worker("A", { tools }) })],
      bosun,
    }).kickoff();

    expect(result.raw).toHaveLength(100_000);
  });
});

describe("a Bosun that is closed", () => {
  it("says so, and closing it twice is no error", async () => {
    const { bosun } = scene(() => "x");
    await bosun.close();
    await bosun.close();

    const error = await errorOf(crew({ name: "c", tasks: [job("a")], bosun }).kickoff());

    expect(error.message).toContain("closed");
  });
});

describe("the time-outs of an agent", () => {
  it("go with each of its calls", async () => {
    const { bosun, model } = scene(() => "x");
    const patient = worker("A", { timeouts: { firstTokenMs: 900_000 } });

    await crew({ name: "c", tasks: [job("a", { agent: patient })], bosun }).kickoff();

    expect(model.requests[0]?.timeouts).toEqual({ firstTokenMs: 900_000 });
  });
});
