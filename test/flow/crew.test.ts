import { describe, expect, it } from "vitest";
import { z } from "zod";
import { and, flow, type FlowContext, listen, start } from "../../src/flow.ts";
import { defineCrew } from "../../src/orchestration/crew/crew.ts";
import { task } from "../../src/orchestration/crew/task.ts";
import { scriptedModel } from "../../src/test/scripted-model.ts";
import { costing, eventsOf, job, only, taskIn, worker } from "../orchestration/run/scenario.ts";
import { bosunFor, failureOf, meeting } from "./flow-scene.ts";

const bosun = bosunFor();

const facts = defineCrew({ name: "facts", tasks: [job("look"), job("name")] });
const text = defineCrew({ name: "text", tasks: [job("write")] });

const work = { expectedOutput: "A text", agent: worker("writer") };
const about = defineCrew({
  name: "about",
  tasks: [task({ ...work, name: "write", description: "Write about topic {topic}" })],
});

/** Runs the facts. */
const runFacts = async ({ run }: FlowContext): Promise<string> => (await run(facts)).raw;

describe("a crew in a step", () => {
  it("gives the step what its tasks came to, by name, and its typed outputs as they are", async () => {
    const output = z.object({ n: z.number() });
    const count = task({ ...work, name: "count", description: "Count", output });
    const typed = defineCrew({
      name: "typed",
      tasks: [job("look"), count],
    });
    const home = bosunFor((request) => (taskIn(request) === "count" ? '{"n":3}' : "of look"));
    const result = await flow(
      "typed",
      { bosun: home },
      { begin: start(async ({ run }) => ({ ...(await run(typed)) })) },
    ).kickoff();

    expect(result.output).toEqual({
      status: "done",
      raw: '{"n":3}',
      tasks: { look: "of look", count: { n: 3 } },
    });
  });

  it("gets its inputs from the step", async () => {
    const prompts: string[] = [];
    const home = bosunFor((request) => {
      prompts.push(request.messages.at(-1)?.content ?? "");
      return "x";
    });
    await flow(
      "inputs",
      { bosun: home },
      {
        begin: start(async ({ run, input }) => (await run(about, input as { topic: string })).raw),
      }, // `as`: the kickoff's
    ).kickoff({ inputs: { topic: "ships" } });

    expect(prompts[0]).toContain("Write about topic ships");
  });

  it("has its tasks in the run's state after the step and the crew, and its events under their path", async () => {
    const made = flow(
      "named",
      { bosun },
      { draft: start(async ({ run }) => [(await run(facts)).raw, (await run(facts)).raw]) },
    );
    const { events } = await eventsOf(made.stream());
    const result = await made.kickoff();

    const names = [
      "draft/facts/look",
      "draft/facts/name",
      "draft/facts~2/look",
      "draft/facts~2/name",
    ];
    expect(Object.keys(result.tasks).toSorted()).toEqual(names);
    expect(result.tasks["draft/facts/name"]).toMatchObject({ status: "done", raw: "of name" });
    expect(only(events, "task-start").map(({ path }) => path.join(" "))).toEqual([
      "step:draft crew:facts task:look",
      "step:draft crew:facts task:name",
      "step:draft crew:facts~2 task:look",
      "step:draft crew:facts~2 task:name",
    ]);
    expect(only(events, "run-end")).toHaveLength(1);
  });

  it("counts its usage and its cost in the run's, which are the sums over the agents", async () => {
    const home = bosunFor(undefined, {
      model: Object.assign(
        scriptedModel(() => ({ text: "x", usage: costing(10, 2) })),
        { usdPerMillionTokens: { input: 1_000_000, output: 1_000_000 } },
      ),
    });
    const result = await flow(
      "paid",
      { bosun: home },
      {
        one: start(async ({ run }) => (await run(facts)).raw),
        two: start(async ({ run }) => (await run(text)).raw),
        both: listen(and("one", "two"), async ({ run }) => (await run(text)).raw),
      },
    ).kickoff();

    const agents = Object.values(result.agents);
    expect(Object.keys(result.tasks)).toHaveLength(4);
    expect(result.usage).toMatchObject({ input: { total: 40 }, output: { total: 8 } });
    expect(agents.reduce((sum, { calls }) => sum + calls, 0)).toBe(4);
    expect(agents.reduce((sum, { usage }) => sum + (usage.input.total ?? 0), 0)).toBe(40);
    expect(result.cost).toMatchObject({ amount: 48, unpriced: 0 });
    expect(agents.reduce((sum, { cost }) => sum + cost.amount, 0)).toBe(48);
  });

  it("runs beside another one of its step, each under its own key", async () => {
    const met = meeting("a", "b");
    const home = bosunFor(async (request) => {
      const topic = /topic (a|b)/.exec(request.messages.at(-1)?.content ?? "")?.[1];
      await met(topic as "a" | "b"); // `as`: the pattern's own
      return `about ${topic}`;
    });
    const result = await flow(
      "beside",
      { bosun: home },
      {
        begin: start(async ({ run }) => {
          const topics = ["a", "b"] as const;
          const ran = topics.map((topic) => run(about, { topic }, { key: topic }));
          return (await Promise.all(ran)).map(({ raw }) => raw);
        }),
      },
    ).kickoff();

    expect(result.output).toEqual(["about a", "about b"]);
    expect(Object.keys(result.tasks).toSorted()).toEqual(["begin/a/write", "begin/b/write"]);
  });

  it("fails its step with its own code, which onError gets, and what it has used is counted", async () => {
    const home = bosunFor((request) =>
      taskIn(request) === "name" ? new Error("no GPU") : { text: "x", usage: costing(10) },
    );
    const failed = await failureOf(
      flow("fails", { bosun: home }, { begin: start(runFacts) }).kickoff(),
    );
    const mended = await flow(
      "mends",
      { bosun: home },
      {
        begin: start(runFacts, {
          onError: ({ code }) => code,
        }),
      },
    ).kickoff();

    expect(failed.code).toBe("model/server");
    expect(failed.message).toContain('step "begin", crew "facts"');
    expect(failed.partial.tasks["begin/facts/look"]?.status).toBe("done");
    expect(failed.partial.usage.input.total).toBe(10);
    expect(mended).toMatchObject({ status: "done", output: "model/server" });
  });
});
