import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import type { AskLimits } from "../../../src/orchestration/tool/approval.ts";
import { startedRun } from "./ask-scene.ts";
import { errorOf, eventsOf, job, only, scene, settle, worker } from "./scenario.ts";
import { byWho, calling, delegate, led, resultsIn } from "./team-scene.ts";

const HOUR = 3_600_000;

const reviewed = (limits: AskLimits | true, options: Parameters<typeof job>[1] = {}, more = {}) => {
  const { bosun, model, clock } = scene((_, index) => `answer ${index + 1}`);
  const tasks = [job("a", { humanInput: limits, ...options })];
  return { bosun, model, clock, made: crew({ name: "c", tasks, ...more, bosun }) };
};

const pay = (approval: true | AskLimits) =>
  tool({
    name: "pay",
    description: "d",
    parameters: { type: "object" },
    run: () => "paid",
    approval,
  });
const payment = calling({ tool: "pay", arguments: {} });

describe("a question that nobody answers", () => {
  it("fails a task that waits for a review, after its time; the answer is kept", async () => {
    const { made, clock } = reviewed({ timeoutMs: 5_000 });

    const running = eventsOf(made.stream({ onAsk: () => undefined }));
    await settle();
    await clock.advance(5_000);
    const { events, error } = await running;

    expect(error).toMatchObject({ code: "task/unanswered" });
    expect(only(events, "ask-end")).toMatchObject([
      { answer: "rejected", by: "timeout", reason: "nobody answered within 5000 ms" },
    ]);
    expect(only(events, "task-end")).toMatchObject([{ status: "failed", raw: "answer 1" }]);
  });

  it('is an approval with onTimeout: "approve"', async () => {
    const { made, clock } = reviewed({ timeoutMs: 5_000, onTimeout: "approve" });

    const running = eventsOf(made.stream({ onAsk: () => undefined }));
    await settle();
    await clock.advance(5_000);
    const { events } = await running;

    expect(only(events, "ask-end")).toMatchObject([{ answer: "approved", by: "timeout" }]);
    expect(only(events, "run-end")).toMatchObject([{ status: "done", raw: "answer 1" }]);
  });

  it("waits an hour by default", async () => {
    const { made, clock, bosun } = reviewed(true);
    const { run, open } = await startedRun(bosun, made);

    await clock.advance(HOUR - 1);
    await settle();
    const before = open().length;
    await clock.advance(1);

    expect(before).toBe(1);
    expect((await run.ended).status).toBe("failed");
  });

  it("about a tool's call refuses it, and the agent goes on", async () => {
    const { bosun, model, clock } = scene([payment, "did without"]);
    const tasks = [job("a", { tools: [pay({ timeoutMs: 1_000 })] })];
    const { run } = await startedRun(bosun, crew({ name: "c", tasks, bosun }));

    await clock.advance(1_000);

    expect((await run.ended).raw).toBe("did without");
    expect(resultsIn(model.requests[1])[0]).toContain("nobody answered within 1000 ms");
  });

  it("gets false for an answer that comes too late", async () => {
    const { made, clock, bosun } = reviewed(
      { timeoutMs: 1_000, onTimeout: "approve" },
      {},
      {
        tasks: [
          job("a", { humanInput: { timeoutMs: 1_000, onTimeout: "approve" } }),
          job("b", { humanInput: true }),
        ],
      },
    );
    const { run, open } = await startedRun(bosun, made);
    const [first = ""] = open();

    await clock.advance(1_000);
    await settle();
    const late = run.answer(first, { ok: true, edit: "late" });
    const [second = ""] = open();
    run.answer(second, { ok: true });
    const state = await run.ended;

    expect(late).toBe(false);
    expect(state.tasks["a"]?.raw).toBe("answer 1");
    expect(run.answer(second, { ok: true })).toBe(false);
  });

  it("leaves no timer behind when it is answered", async () => {
    const { made, clock, bosun } = reviewed(true, { timeoutMs: 1_000 }, { timeoutMs: 2_000 });
    const { run, open, events } = await startedRun(bosun, made);

    run.answer(open()[0] ?? "", { ok: true });
    await run.ended;
    const before = events.length;
    await clock.advance(10 * HOUR);
    await settle();

    expect(events).toHaveLength(before);
    expect(run.log.state.status).toBe("done");
  });
});

describe("while a person is asked", () => {
  it("the time limits of the task, its agent and the crew stand still", async () => {
    const agent = worker("A", { timeoutMs: 2_000 });
    const { made, clock, bosun } = reviewed(
      true,
      { timeoutMs: 3_000, agent },
      { timeoutMs: 4_000 },
    );
    const { run, open } = await startedRun(bosun, made);

    await clock.advance(50 * 60_000);
    await settle();
    run.answer(open()[0] ?? "", { ok: true });

    expect((await run.ended).status).toBe("done");
  });

  it("the time that is left goes on afterwards, and is not given anew", async () => {
    const { bosun, clock } = scene(() => ({ text: "x", delayMs: 600 }));
    const tasks = [job("a", { humanInput: true, timeoutMs: 1_000 })];
    const { run, open } = await startedRun(bosun, crew({ name: "c", tasks, bosun }));

    await clock.advance(600);
    await settle();
    await clock.advance(HOUR / 2);
    run.answer(open()[0] ?? "", { ok: false, reason: "again" });
    await settle();
    await clock.advance(399);
    await settle();
    const before = run.log.state.status;
    await clock.advance(1);
    await clock.advance(50);

    expect(before).toBe("running");
    expect((await run.ended).tasks["a"]?.status).toBe("timed-out");
  });

  it("the time of other tasks goes on", async () => {
    const { bosun, clock } = scene(({ hints }) =>
      hints.path[0] === "task:a" ? "x" : new Promise<never>(() => undefined),
    );
    const tasks = [job("a", { humanInput: true }), job("b", { timeoutMs: 1_000 })];
    const made = crew({ name: "c", tasks, process: "parallel", policy: "continue", bosun });
    const { run, open } = await startedRun(bosun, made);

    await clock.advance(1_100);
    await settle();
    const { b } = run.log.state.tasks;
    run.answer(open()[0] ?? "", { ok: true });

    expect(b?.status).toBe("timed-out");
    expect((await run.ended).status).toBe("partial");
  });

  it("the time of those who wait for a worker stands still too", async () => {
    const cashier = worker("Cashier", { tools: [pay(true)], timeoutMs: 1_000 });
    const { made, bosun, clock } = led(
      byWho({ lead: [calling(delegate("Cashier", "Pay")), "done"], Cashier: [payment, "paid"] }),
      { agents: [cashier], timeoutMs: 3_000, manager: worker("Boss", { timeoutMs: 2_000 }) },
    );
    const { run, open } = await startedRun(bosun, made);

    await clock.advance(HOUR / 2);
    await settle();
    run.answer(open()[0] ?? "", { ok: true });

    expect(await run.ended).toMatchObject({ status: "done", raw: "done" });
  });

  it("two questions at once keep the crew's time still until both are answered", async () => {
    const { bosun, clock } = scene(() => "x");
    const tasks = [job("a", { humanInput: true }), job("b", { humanInput: true })];
    const made = crew({ name: "c", tasks, process: "parallel", timeoutMs: 1_000, bosun });
    const { run, open } = await startedRun(bosun, made);

    await clock.advance(60_000);
    run.answer(open()[0] ?? "", { ok: true });
    await settle();
    await clock.advance(60_000);
    run.answer(open()[0] ?? "", { ok: true });

    expect((await run.ended).status).toBe("done");
  });
});

describe("a run that is cancelled while a person is asked", () => {
  it("ends at once, and later answers change nothing", async () => {
    const { made, bosun, clock } = reviewed(true);
    const { run, open, events } = await startedRun(bosun, made);
    const [name = ""] = open();

    run.cancel("enough");
    const { status, tasks } = await run.ended;

    expect([status, tasks["a"]?.status]).toEqual(["cancelled", "cancelled"]);
    expect(run.answer(name, { ok: true })).toBe(false);
    expect(clock.now()).toBe(0);
    expect(events.at(-1)?.type).toBe("run-end");
  });

  it("by leaving its stream, too", async () => {
    const { made, model } = reviewed(true);

    for await (const event of made.stream()) if (event.type === "ask-start") break;

    expect(model.requests).toHaveLength(1);
  });

  it("because another task failed: the question is over, and the run ends", async () => {
    const { bosun } = scene(({ hints }) => (hints.path[0] === "task:a" ? "x" : ""));
    const tasks = [job("a", { humanInput: true }), job("b")];
    const made = crew({ name: "c", tasks, process: "parallel", bosun });
    const signals: AbortSignal[] = [];

    const error = await errorOf(
      made.kickoff({ onAsk: (_, { signal }) => void signals.push(signal) }),
    );
    await settle();

    expect(error.code).toBe("agent/empty-answer");
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});
