import { describe, expect, it } from "vitest";
import { z } from "zod";
import { flow, listen, start } from "../../src/flow.ts";
import { defineCrew } from "../../src/orchestration/crew/crew.ts";
import type { RunLimits } from "../../src/orchestration/crew/run-limit.ts";
import type { Question } from "../../src/orchestration/tool/approval.ts";
import { tool } from "../../src/orchestration/tool/tool.ts";
import { costing, job } from "../orchestration/run/scenario.ts";
import { bosunFor, bosunOn, failureOf, firstQuestion, folder } from "./flow-scene.ts";

/** Each of its three calls takes 100 tokens, and could take a little more. */
const paying = (limits?: RunLimits) =>
  defineCrew({
    name: "paying",
    tasks: ["a", "b", "c"].map((name) => job(name, { maxTokens: 100 })),
    ...(limits && { limits }),
  });

const hundred = bosunFor(() => ({ text: "x", usage: costing(50, 50) }));

describe("the limits of a flow", () => {
  it("hold for all its crews together", async () => {
    const crew = paying();
    const made = flow(
      "bounded",
      { bosun: hundred, limits: { tokensPerRun: 500 } },
      {
        one: start(async ({ run }) => (await run(crew)).raw),
        two: listen("one", async ({ run }) => (await run(crew)).raw),
        never: listen("two", () => "never"),
      },
    );
    const error = await failureOf(made.kickoff());

    expect(error).toMatchObject({ code: "run/over-budget", partial: { status: "over-budget" } });
    expect(error.details).toMatchObject({ limit: "tokensPerRun", most: 500, used: 400 });
    expect(error.partial.steps["one"]?.status).toBe("done");
    expect(error.partial.steps["two"]?.status).toBe("failed");
    expect(error.partial.steps["never"]?.calls).toBe(0);
  });

  it("are replaced by those of the kickoff", async () => {
    const one = start(async ({ run }) => (await run(paying())).raw);
    const made = flow("bounded", { bosun: hundred, limits: { tokensPerRun: 5 } }, { one });

    expect((await made.kickoff({ limits: { tokensPerRun: 500 } })).output).toBe("x");
  });

  it("do not replace a crew's own, which hold for each of its runs", async () => {
    const crew = paying({ tokensPerRun: 250 });
    const one = start(async ({ run }) => (await run(crew)).raw);
    const error = await failureOf(
      flow("both", { bosun: hundred, limits: { tokensPerRun: 5_000 } }, { one }).kickoff(),
    );

    expect(error.code).toBe("run/over-budget");
    expect(error.details).toMatchObject({ most: 250 });
  });

  it("let the flow go on after a crew that has passed its own", async () => {
    const tight = paying({ tokensPerRun: 250 });
    const result = await flow(
      "goes-on",
      { bosun: hundred, limits: { tokensPerRun: 5_000 } },
      {
        one: start(async ({ run }) => (await run(tight)).raw, { onError: ({ code }) => code }),
        two: listen("one", async ({ run, input }) => [input, (await run(paying())).raw]),
      },
    ).kickoff();

    expect(result.output).toEqual(["run/over-budget", "x"]);
  });

  it("are passed once: afterwards no crew of the flow makes a call, whatever its own limits are", async () => {
    const wide = paying({ tokensPerRun: 5_000 });
    const tight = { bosun: hundred, limits: { tokensPerRun: 250 } };
    const run = start(async ({ run: runCrew }) => (await runCrew(wide)).raw, { onError: () => "" });
    const small = defineCrew({ name: "small", tasks: [job("s", { maxTokens: 1 })] });
    const error = await failureOf(
      flow("closed", tight, {
        one: run,
        two: listen("one", async ({ run: runCrew }) => (await runCrew(small)).raw),
      }).kickoff(),
    );

    expect(error.code).toBe("run/over-budget");
    expect(error.details).toMatchObject({ most: 250, used: 200 });
    expect(error.details).not.toHaveProperty("by");
  });
});

const pay = tool({
  name: "pay",
  description: "Pays",
  parameters: z.object({ amount: z.number() }),
  run: ({ amount }) => `paid ${amount}`,
  approval: true,
});

const toolCall = { calls: [{ tool: "pay", arguments: { amount: 5 } }] };

describe("a question of a crew in a flow", () => {
  const reviewed = defineCrew({ name: "reviewed", tasks: [job("write", { humanInput: true })] });
  const buying = defineCrew({ name: "buying", tasks: [job("buy", { tools: [pay] })] });

  it("about an answer is answered by the kickoff's onAsk", async () => {
    const asked: Question[] = [];
    const begin = start(async ({ run }) => (await run(reviewed)).raw);
    const made = flow("reviewed", { bosun: bosunFor() }, { begin });
    const result = await made.kickoff({
      onAsk: (question) => {
        asked.push(question);
        return { ok: true, edit: "better" };
      },
    });

    expect(result.output).toBe("better");
    expect(asked).toMatchObject([{ subject: "answer", task: "write", text: "of write" }]);
    expect(asked[0]?.name).toMatch(/^step:begin\/crew:reviewed\/task:write\//);
  });

  it("about a tool's call is answered by whoever has started the run", async () => {
    let calls = 0;
    const home = bosunFor(() => (++calls === 1 ? toolCall : "bought"));
    const begin = start(async ({ run }) => (await run(buying)).raw);
    const run = await home.start(flow("buying", {}, { begin }), { inputs: {} });
    const question = await firstQuestion(run);
    run.answer(question.name, { ok: true });

    expect(question).toMatchObject({ subject: "tool", tool: "pay", arguments: { amount: 5 } });
    expect(await run.ended).toMatchObject({ status: "done", output: "bought" });
  });

  it("is asked again where its run is resumed, and nothing of the crew is paid for again", async () => {
    const data = folder();
    const paid: string[] = [];
    const script = (): string => {
      paid.push("call");
      return "a text";
    };
    const begin = start(async ({ run }) => (await run(reviewed)).raw);
    const make = () => flow("reviewed", {}, { begin });
    const first = bosunOn(data, script);
    const suspended = await first.start(make(), { inputs: {}, runId: "r" });
    await firstQuestion(suspended);
    await first.suspend();
    await first.close();

    const second = bosunOn(data, script);
    const resumed = await second.resume(make(), "r", { onAsk: () => ({ ok: true }) });
    const { status, output } = await resumed.ended;
    await second.close();

    expect({ status, output }).toEqual({ status: "done", output: "a text" });
    expect(paid).toEqual(["call"]);
  });
});
