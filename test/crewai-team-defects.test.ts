// Defects of CrewAI 1.15 that were read in its code, reproduced, or reported in its tracker (numbers with #). Each test does here
// what goes wrong there, and shows what happens instead.

import { describe, expect, it } from "vitest";
import { crew } from "../src/crew.ts";
import { agent } from "../src/orchestration/crew/agent.ts";
import { task } from "../src/orchestration/crew/task.ts";
import { gate, job, promptOf, scene, settle, worker } from "./orchestration/run/scenario.ts";
import { byWho, calling, delegate, led, whoIn } from "./orchestration/run/team-scene.ts";

describe("CrewAI does not check an earlier guardrail again after a later one's retry; here", () => {
  it("all are asked about each new answer: mending one cannot break another in silence", async () => {
    const answers = ["short but plain", "much too long but with a whale", "a whale"];
    const { bosun } = scene(answers);
    const guardrail = [
      ({ raw }: { raw: string }) =>
        raw.length < 20 ? { ok: true as const } : { ok: false as const, reason: "too long" },
      ({ raw }: { raw: string }) =>
        raw.includes("whale") ? { ok: true as const } : { ok: false as const, reason: "no whale" },
    ];

    const result = await crew({ name: "c", tasks: [job("a", { guardrail })], bosun }).kickoff();

    expect(result.raw).toBe("a whale");
  });
});

describe("CrewAI's plans pile up in the tasks' texts; here", () => {
  it("a crew that is kicked off again is planned from its own texts, and sees one plan", async () => {
    const { bosun, model } = scene(({ hints }) =>
      hints.purpose === "plan" ? '{"plans":[{"task":"a","plan":"THE PLAN"}]}' : "x",
    );
    const made = crew({ name: "c", tasks: [job("a")], planning: true, bosun });

    for (let run = 0; run < 3; run++) await made.kickoff();

    const prompts = model.requests.map(promptOf);
    expect(new Set(prompts).size).toBe(2);
    expect(prompts.at(-1)?.split("THE PLAN")).toHaveLength(2);
    expect(prompts.at(-2)).not.toContain("THE PLAN");
    expect(made.tasks[0].description).toBe("Do a");
  });
});

describe("CrewAI's manager can delegate only to the task's own agent (#4783), one at a time; here", () => {
  it("a manager can give work to everybody, several pieces at once, also where a task names an agent", async () => {
    const opened = gate();
    const own = worker("Own");
    const { made, model } = led(
      byWho({
        lead: [
          calling(delegate("Own", "t"), delegate("Other", "t"), delegate("Third", "t")),
          "done",
        ],
        ...Object.fromEntries(
          ["Own", "Other", "Third"].map((name) => [name, () => opened.promise.then(() => "x")]),
        ),
      }),
      { agents: [own, worker("Other"), worker("Third")], tasks: [job("t", { agent: own })] },
    );

    const running = made.kickoff();
    await settle();
    const atOnce = model.requests.map(whoIn).slice(1);
    opened.resolve();
    await running;

    expect(atOnce).toEqual(["Own", "Other", "Third"]);
  });
});

describe("CrewAI's delegation fails when a model passes objects where texts are meant (#2606); here", () => {
  it("they are shown to the worker as JSON", async () => {
    const { made, model } = led(
      byWho({
        lead: [
          calling({
            tool: "delegate_work",
            arguments: {
              coworker: "A",
              task: { description: "Count whales" },
              context: ["sea", 7],
            },
          }),
          "done",
        ],
        A: "three",
      }),
      { agents: [worker("A")] },
    );

    expect((await made.kickoff()).raw).toBe("done");
    expect(promptOf(model.requests[1])).toContain('{"description":"Count whales"}');
    expect(promptOf(model.requests[1])).toContain('["sea",7]');
  });
});

const later = async <T>(value: T): Promise<T> => {
  await settle();
  return value;
};

describe("CrewAI drops async callbacks (#7608); here", () => {
  it("async hooks are awaited, and what they change counts", async () => {
    const { bosun, model } = scene(() => "x");
    const about = task({
      name: "a",
      description: "About {topic}",
      expectedOutput: "e",
      agent: agent({ role: "A", goal: "g" }),
    });
    const seen: string[] = [];
    const made = crew({
      name: "c",
      tasks: [about],
      hooks: {
        beforeKickoff: () => later({ inputs: { topic: "whales" } }),
        onTask: async ({ task: name }) => void seen.push(await later(name)),
        afterKickoff: ({ raw }) => later({ raw: `${raw}, signed` }),
      },
      bosun,
    });

    const result = await made.kickoff({ inputs: { topic: "nothing" } });

    expect(promptOf(model.requests[0])).toContain("About whales");
    expect(result.raw).toBe("x, signed");
    expect(seen).toEqual(["a"]);
  });
});
