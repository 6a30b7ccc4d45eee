import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { agent } from "../../../src/agent.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import type { Question } from "../../../src/orchestration/tool/approval.ts";
import { startedRun } from "./ask-scene.ts";
import { errorOf, eventsOf, job, only, scene, settle, worker } from "./scenario.ts";

describe("the questions of a run", () => {
  it("are told in its stream, and answered by onAsk there too", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a", { humanInput: true })], bosun });

    const { events } = await eventsOf(made.stream({ onAsk: () => ({ ok: true }) }));

    const types = events.map(({ type }) => type);
    expect(types.slice(types.indexOf("ask-start"))).toEqual([
      "ask-start",
      "ask-end",
      "task-end",
      "run-end",
    ]);
    expect(only(events, "ask-start")).toMatchObject([{ task: "a", subject: "answer", text: "x" }]);
  });

  it("belong to it alone: runs of a for-each are asked each about their own", async () => {
    const { bosun } = scene((request) => request.messages[1]?.content.match(/Say (\w)/)?.[1] ?? "");
    const say = task({
      name: "say",
      description: "Say {word}",
      expectedOutput: "e",
      agent: worker("A"),
      humanInput: true,
    });
    const asked: Question[] = [];

    const results = await crew({ name: "c", tasks: [say], bosun }).kickoffForEach(
      ["a", "b", "c"].map((word) => ({ word })),
      {
        onAsk: (question) => {
          asked.push(question);
          return { ok: true, edit: question.subject === "answer" ? `${question.text}!` : "" };
        },
      },
    );

    expect(results.map((one) => one.type === "done" && one.result.raw)).toEqual(["a!", "b!", "c!"]);
    expect(new Set(asked.map(({ runId }) => runId)).size).toBe(3);
    expect(new Set(asked.map(({ name }) => name)).size).toBe(1);
  });

  it("have an answer only in the run that they are asked in", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a", { humanInput: true })], bosun });
    const [first, second] = [await startedRun(bosun, made), await startedRun(bosun, made)];
    const [name = ""] = first.open();

    second.run.answer(name, { ok: true, edit: "for the second" });
    await settle();
    const isOpen = first.open().length === 1;
    first.run.answer(name, { ok: true, edit: "for the first" });

    expect(isOpen).toBe(true);
    expect((await first.run.ended).raw).toBe("for the first");
    expect((await second.run.ended).raw).toBe("for the second");
  });

  it("come anew in each attempt of a task, under another name", async () => {
    const { bosun, clock } = scene(({ hints }) =>
      hints.path[0] === "task:a" ? { calls: [{ tool: "nope", arguments: {} }] } : "x",
    );
    const lead = worker("A", { maxIterations: 1 });
    const tasks = [job("a", { agent: lead, humanInput: true, onError: "retry" })];
    const { run, open } = await startedRun(bosun, crew({ name: "c", tasks, bosun }));

    const names = open();
    run.answer(names[0] ?? "", { ok: true });

    expect(names).toEqual(["task:a~2/turn:1/review:1/ask"]);
    expect((await run.ended).status).toBe("done");
    expect(clock.now()).toBe(0);
  });

  it("come from an agent that kicks off alone, too", async () => {
    const { bosun } = scene([{ calls: [{ tool: "pay", arguments: {} }] }, "paid"]);
    const pay = tool({
      name: "pay",
      description: "d",
      parameters: {},
      run: () => "ok",
      approval: true,
    });
    const asked: Question[] = [];

    const result = await agent({ role: "A", goal: "g", tools: [pay], bosun }).kickoff("Pay", {
      onAsk: (question) => {
        asked.push(question);
        return { ok: true };
      },
    });

    expect(result.raw).toBe("paid");
    expect(asked).toMatchObject([{ agent: "A", task: "answer", subject: "tool", tool: "pay" }]);
  });
});

describe("onAsk", () => {
  it.each([true, "approve", {}, null])("that is no function is refused: %j", async (onAsk) => {
    const { bosun, model } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    const error = await errorOf(made.kickoff({ onAsk: onAsk as never }));

    expect(error.code).toBe("crew/invalid");
    expect(model.requests).toEqual([]);
  });
});
