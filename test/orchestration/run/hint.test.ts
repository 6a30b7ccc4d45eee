import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { ModelHints } from "../../../src/inference/model/model.ts";
import { errorOf, job, requestsOf, scene, worker } from "./scenario.ts";

const hintsIn = (model: Parameters<typeof requestsOf>[0], name: string): Partial<ModelHints> =>
  requestsOf(model, name)[0]?.hints ?? {};

describe("the hints of a call", () => {
  it("say whose it is, for whom, how urgent, and when the run must have ended", async () => {
    const { bosun, model, clock } = scene(() => "x");
    await clock.advance(500);
    const tasks = [job("a", { agent: worker("w") })];

    await crew({ name: "c", tasks, timeoutMs: 60_000, bosun }).kickoff({
      tenant: "acme",
      priority: -2,
    });

    expect(hintsIn(model, "a")).toMatchObject({
      agent: "w",
      task: "a",
      tenant: "acme",
      priority: -2,
      deadlineAt: 60_500,
    });
  });

  it("say what is left behind the task: prompts and answers of the longest chain", async () => {
    const { bosun, model } = scene(() => "x");
    const small = { maxTokens: 100 };
    const a = job("a", small);
    const tasks = [
      a,
      job("b", { ...small, context: [a] }),
      job("long", { maxTokens: 3_000, context: [a] }),
    ];

    await crew({ name: "c", tasks, process: "parallel", bosun }).kickoff();

    const { remainingTokens = 0 } = hintsIn(model, "a");
    expect(remainingTokens).toBeGreaterThan(3_000 + 100);
    expect(remainingTokens).toBeLessThan(3_000 + 100 + 200);
    expect(hintsIn(model, "b").remainingTokens).toBe(0);
    expect(hintsIn(model, "long").remainingTokens).toBe(0);
  });

  it("are checked before the run", async () => {
    const { bosun } = scene(() => "x");
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    const errors = [
      await errorOf(made.kickoff({ priority: 0.5 })),
      await errorOf(made.kickoff({ tenant: "no name" })),
      await errorOf(made.kickoff({ limits: { tokensPerRun: 0 } })),
      await errorOf(made.kickoff({ limits: { usdPerRum: 1 } as never })),
    ];

    expect(errors.map(({ code }) => code)).toEqual(Array(4).fill("crew/invalid"));
    expect(errors[3]?.message).toMatch(/limits must be \{ usdPerRun\?/);
  });
});
