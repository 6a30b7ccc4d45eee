import { describe, expect, it } from "vitest";
import type { RunEvent } from "../../../src/orchestration/run/event.ts";
import { randomTeam } from "./random-team.ts";
import { eventsOf, only } from "./scenario.ts";

const SEEDS = Array.from({ length: 200 }, (_, n) => n + 5_001);

async function* runs() {
  for (const seed of SEEDS) {
    const team = randomTeam(seed);
    const { events } = await eventsOf(team.crew.stream(team.options));
    yield { seed, events, tasks: team.crew.tasks };
  }
}

/** The events of the execution of a task that ended it: of its last attempt. */
function lastAttempt(events: readonly RunEvent[], task: string): readonly RunEvent[] {
  const [segment] = only(events, "task-start").findLast((start) => start.task === task)?.path ?? [];
  return events.filter(({ path }) => path[0] === segment);
}

describe("the answer of a task in any team", () => {
  it("has passed all guardrails, in order, when the task is done", async () => {
    let checked = 0;
    for await (const { seed, events, tasks } of runs())
      for (const { name, guardrails } of tasks) {
        const [end] = only(events, "task-end").filter(({ task }) => task === name);
        if (end?.status !== "done") continue;
        const own = only(lastAttempt(events, name), "guardrail-end");
        const last = own.slice(own.length - guardrails.length);
        checked += guardrails.length;
        expect(
          last.map(({ guardrail }) => guardrail),
          `seed ${seed}`,
        ).toEqual(guardrails.map((_, n) => n + 1));
        expect(
          last.filter(({ status }) => status !== "passed" && status !== "changed"),
          `seed ${seed}`,
        ).toEqual([]);
      }

    expect(checked).toBeGreaterThan(50);
  });

  it("is refused at most 1 + guardrailRetries times in one attempt", async () => {
    for await (const { seed, events, tasks } of runs())
      for (const { name, guardrailRetries } of tasks) {
        const refused = only(lastAttempt(events, name), "guardrail-end").filter(
          ({ status }) => status === "refused",
        );
        expect(refused.length, `seed ${seed}`).toBeLessThanOrEqual(1 + guardrailRetries);
      }
  });

  it("is approved or edited by a person, where one is asked and it is done", async () => {
    let asked = 0;
    for await (const { seed, events, tasks } of runs())
      for (const { name, humanInput } of tasks) {
        const [end] = only(events, "task-end").filter(({ task }) => task === name);
        if (end?.status !== "done" || humanInput === undefined) continue;
        const own = only(lastAttempt(events, name), "ask-end").filter(({ path }) =>
          path.at(-1)?.startsWith("review:"),
        );
        asked++;
        expect(["approved", "edited"], `seed ${seed}`).toContain(own.at(-1)?.answer);
      }

    expect(asked).toBeGreaterThan(20);
  });
});

describe("the questions of any team", () => {
  it("differ in their names", async () => {
    for await (const { seed, events } of runs()) {
      const names = only(events, "ask-start").map(({ name }) => name);
      expect(new Set(names).size, `seed ${seed}`).toBe(names.length);
    }
  });

  it("are over once each, also where the run was cut", async () => {
    for await (const { seed, events } of runs()) {
      const names = only(events, "ask-start").map(({ name }) => name);
      const over = only(events, "ask-end").map(({ name }) => name);
      expect(over.toSorted(), `seed ${seed}`).toEqual(names.toSorted());
    }
  });
});

describe("the final text of any team", () => {
  it("is that of its last task that was not skipped", async () => {
    for await (const { seed, events, tasks } of runs()) {
      const ends = new Map(only(events, "task-end").map((end) => [end.task, end]));
      const last = tasks.findLast(({ name }) => ends.get(name)?.status !== "skipped");
      expect(only(events, "run-end")[0]?.raw, `seed ${seed}`).toBe(
        ends.get(last?.name ?? "")?.raw ?? "",
      );
    }
  });
});
