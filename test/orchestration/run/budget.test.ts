import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import { estimatePrompt } from "../../../src/inference/model/tokens.ts";
import { createBudget } from "../../../src/orchestration/run/budget.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import {
  bosunOf,
  byTask,
  costing,
  errorOf,
  eventsOf,
  job,
  only,
  scene,
  seeded,
  worker,
} from "./scenario.ts";
import { byWho, delegate } from "./team-scene.ts";

const small = { maxTokens: 100 };
const never = new AbortController().signal;

describe("a run with tokensPerRun", () => {
  it("does not make the call that could pass it, and ends over-budget with what was finished", async () => {
    const { bosun, model } = scene(() => ({ text: "done", usage: costing(50, 50) }));
    const tasks = ["a", "b", "c"].map((name) => job(name, small));
    const made = crew({ name: "c", tasks, limits: { tokensPerRun: 300 }, bosun });

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("run/over-budget");
    expect(error.details).toMatchObject({ limit: "tokensPerRun", most: 300, used: 200, held: 0 });
    expect(error.message).toMatch(
      /task "c" could take 1\d\d tokens.*300 tokens 200 tokens are used/,
    );
    expect(model.requests).toHaveLength(2);
    const partial = partialResult(error);
    expect(partial?.status).toBe("over-budget");
    expect(partial?.tasks["b"]).toMatchObject({ status: "done", raw: "done" });
    expect(partial?.tasks["c"]).toMatchObject({
      status: "cancelled",
      error: { code: "run/over-budget" },
    });
  });

  it("is done when everything fits to the last token", async () => {
    const { bosun } = scene(() => ({ text: "x", usage: costing(50, 50) }));
    const tasks = [job("a", small), job("b", small)];

    const result = await crew({ name: "c", tasks, bosun }).kickoff({
      limits: { tokensPerRun: 100 + 200 },
    });

    expect(result.status).toBe("done");
  });

  it("keeps the answers of calls that are under way when another one is refused", async () => {
    const { bosun, clock } = scene(
      byTask({
        slow: { text: "kept", usage: costing(50, 50), delayMs: 1_000 },
        quick: { text: "x", usage: costing(900, 100), delayMs: 10 },
        next: "never asked",
      }),
    );
    const quick = job("quick", small);
    const tasks = [job("slow", small), quick, job("next", { ...small, context: [quick] })];
    const made = crew({ name: "c", tasks, process: "parallel", bosun });

    const ending = errorOf(made.kickoff({ limits: { tokensPerRun: 1_050 } }));
    await clock.advance(2_000);
    const partial = partialResult(await ending);

    expect(partial?.tasks["slow"]).toMatchObject({ status: "done", raw: "kept" });
    expect(partial?.tasks["next"]?.status).toBe("cancelled");
    expect(partial?.usage.output.total).toBe(150);
  });

  it("lets a call wait for what others have reserved and will give back", async () => {
    const { bosun, clock, model } = scene(() => ({
      text: "x",
      usage: costing(20, 5),
      delayMs: 10,
    }));
    const tasks = Array.from({ length: 6 }, (_, n) => job(`t${n}`, small));
    const made = crew({ name: "c", tasks, process: "parallel", bosun });

    const ending = made.kickoff({ limits: { tokensPerRun: 300 } });
    await clock.advance(5);
    expect(model.requests).toHaveLength(2);
    await clock.advance(1_000);

    expect((await ending).usage.output.total).toBe(30);
  });

  it("shares it with coworkers that get a piece of its work", async () => {
    const { bosun, model } = scene(
      byWho({
        lead: { calls: [delegate("helper", "dig")], usage: costing(900, 50) },
        helper: "never asked",
      }),
    );
    const agent = worker("lead", { allowDelegation: true });
    const tasks = [job("a", { ...small, agent })];
    const limits = { tokensPerRun: 1_000 };
    const made = crew({ name: "c", tasks, agents: [worker("helper", small)], limits, bosun });

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("run/over-budget");
    expect(model.requests).toHaveLength(1);
  });

  it("keeps what coworkers bring whose calls are under way when another's is refused", async () => {
    const { bosun, clock } = scene(
      byWho({
        lead: {
          calls: [delegate("slow", "dig"), delegate("large", "dig")],
          usage: costing(100, 50),
        },
        slow: { text: "kept", usage: costing(50, 50), delayMs: 1_000 },
        large: "never asked",
      }),
    );
    const agent = worker("lead", { allowDelegation: true });
    const tasks = [job("a", { agent, maxTokens: 100 })];
    const agents = [worker("slow", { maxTokens: 100 }), worker("large", { maxTokens: 5_000 })];
    const made = crew({ name: "c", tasks, agents, limits: { tokensPerRun: 2_000 }, bosun });

    const ending = eventsOf(made.stream());
    await clock.advance(2_000);
    const { events } = await ending;

    expect(only(events, "model-end").map(({ agent: who, status }) => [who, status])).toEqual([
      ["lead", "done"],
      ["slow", "done"],
    ]);
    expect(only(events, "delegation-end").map(({ to, status }) => [to, status])).toEqual([
      ["large", "failed"],
      ["slow", "done"],
    ]);
    expect(events.at(-1)).toMatchObject({ type: "run-end", status: "over-budget" });
  });

  it("counts what failed attempts used, and makes no further one that could pass it", async () => {
    const failing = new BosunError("model/server", "down", {
      retryable: true,
      details: { usage: costing(120, 0) },
    });
    const { bosun, model } = scene(() => failing);
    const made = crew({ name: "c", tasks: [job("a", small)], bosun });

    const error = await errorOf(made.kickoff({ limits: { tokensPerRun: 300 } }));

    expect(error.code).toBe("run/over-budget");
    expect(model.requests).toHaveLength(2);
    expect(partialResult(error)?.usage.input.total).toBe(240);
  });

  it("ends over-budget by its guardrails' judges and its planner too", async () => {
    const judged = job("a", { ...small, guardrail: "is short" });
    const { bosun } = scene(() => ({ text: "x", usage: costing(100, 100) }));

    const byJudge = await errorOf(
      crew({ name: "c", tasks: [judged], bosun }).kickoff({ limits: { tokensPerRun: 300 } }),
    );
    const byPlanner = await errorOf(
      crew({ name: "c", tasks: [judged], planning: true, bosun }).kickoff({
        limits: { tokensPerRun: 300 },
      }),
    );

    expect(byJudge.message).toMatch(/Guardrail judge.*task "a"/);
    expect(byPlanner.message).toMatch(/Crew planner/);
  });

  it("takes the nearer limit: of the kickoff, the crew, the Bosun", async () => {
    const model = scriptedModel(() => ({ text: "x", usage: costing(10, 10) }));
    const bosun = bosunOf(model, { limits: { tokensPerRun: 1 } });
    const plain = crew({ name: "c", tasks: [job("a", small)], bosun });
    const own = crew({ name: "c", tasks: [job("a", small)], limits: { tokensPerRun: 2 }, bosun });

    const codes = [await errorOf(plain.kickoff()), await errorOf(own.kickoff())];
    const done = await own.kickoff({ limits: { tokensPerRun: 1_000 } });

    expect(codes.map(({ details }) => details?.["most"])).toEqual([1, 2]);
    expect(done.status).toBe("done");
  });
});

describe("a budget", () => {
  it("that takes over earlier decisions has what the earlier process had", async () => {
    const [first, second] = [
      createBudget({ tokensPerRun: 100 }),
      createBudget({ tokensPerRun: 100 }),
    ];
    const made = await first.reserve("a", { tokens: 60, usd: 0 }, never);
    first.settle("a", { tokens: 50, usd: 0 });
    const refused = await first.reserve("b", { tokens: 60, usd: 0 }, never);

    second.apply("a", made);
    second.apply("a", made);
    second.settle("a", { tokens: 50, usd: 0 });
    second.apply("b", refused);

    expect(second.used).toEqual(first.used);
    expect(second.held).toEqual({ tokens: 0, usd: 0 });
    expect((await second.reserve("c", { tokens: 1, usd: 0 }, never)).type).toBe("refused");
  });

  it("stops waiting when the run is aborted", async () => {
    const budget = createBudget({ tokensPerRun: 100 });
    const controller = new AbortController();
    await budget.reserve("a", { tokens: 60, usd: 0 }, never);

    const waiting = budget.reserve("b", { tokens: 60, usd: 0 }, controller.signal);
    controller.abort(new BosunError("run/cancelled", "enough"));

    expect((await errorOf(waiting)).code).toBe("run/cancelled");
    expect(budget.held.tokens).toBe(60);
  });
});

describe("random crews", () => {
  it("never use more than tokensPerRun, but for what the server counts beyond what was reserved", async () => {
    const ends = new Set<string | undefined>();
    for (let seed = 1; seed <= 200; seed++) {
      const random = seeded(seed);
      const whole = (least: number, most: number): number =>
        least + Math.floor(random() * (most - least + 1));
      const clock = createVirtualClock({ auto: true });
      let [used, beyond] = [0, 0];
      const model = scriptedModel(
        async (request) => {
          const prompt = estimatePrompt(request.messages, request.tools);
          const { maxTokens = 0 } = request.settings;
          await clock.sleep(whole(0, 50), never);
          const input = Math.round(prompt * (0.5 + random()));
          const output = random() < 0.3 ? maxTokens : whole(1, maxTokens);
          const isFailure = random() < 0.15;
          used += isFailure ? input : input + output;
          beyond += Math.max(0, input - Math.ceil(prompt * 1.1));
          if (isFailure)
            throw new BosunError("model/server", "by chance", {
              retryable: true,
              details: { usage: costing(input, 0) },
            });
          return { text: "x".repeat(whole(1, 400)), usage: costing(input, output) };
        },
        { clock },
      );
      const bosun = bosunOf(model, { clock });
      const tasks: ReturnType<typeof job>[] = [];
      for (let n = whole(1, 8); n > 0; n--) {
        const context = tasks.filter(() => random() < 0.3);
        tasks.push(job(`t${n}`, { maxTokens: whole(10, 300), context, onError: "retry" }));
      }
      const tokensPerRun = whole(50, 2_500);
      const made = crew({ name: "c", tasks, process: "parallel", policy: "continue", bosun });

      const status = await made.kickoff({ limits: { tokensPerRun } }).then(
        (result) => result.status,
        (error: unknown) => partialResult(error)?.status,
      );

      expect(used, `seed ${seed}: ${status}`).toBeLessThanOrEqual(tokensPerRun + beyond);
      ends.add(status);
    }
    expect([...ends]).toEqual(expect.arrayContaining(["done", "over-budget"]));
  });
});

describe("a call that waits for room", () => {
  it("and is aborted in the moment in which it gets it, holds nothing", async () => {
    const budget = createBudget({ tokensPerRun: 100 });
    const controller = new AbortController();
    const need = { tokens: 80, usd: 0 };
    await budget.reserve("first", need, never);
    const second = budget.reserve("second", need, controller.signal);

    budget.settle("first", { tokens: 10, usd: 0 });
    await Promise.resolve(); // the wait is over, its caller has not gone on yet
    controller.abort(new BosunError("run/cancelled", "enough"));

    await expect(second).rejects.toMatchObject({ code: "run/cancelled" });
    expect(budget.held).toEqual({ tokens: 0, usd: 0 });
  });
});

describe("the events of a run that is over budget", () => {
  it("end with run-end and its status, after the end of every task", async () => {
    const { bosun } = scene(() => ({ text: "x", usage: costing(100, 100) }));
    const tasks = [job("a", small), job("b", small)];
    const made = crew({ name: "c", tasks, limits: { tokensPerRun: 250 }, bosun });

    const { events } = await eventsOf(made.stream());

    expect(only(events, "task-end").map(({ task, status }) => [task, status])).toEqual([
      ["a", "done"],
      ["b", "cancelled"],
    ]);
    expect(events.at(-1)).toMatchObject({
      type: "run-end",
      status: "over-budget",
      error: { code: "run/over-budget" },
    });
  });
});
