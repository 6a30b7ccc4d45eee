import { describe, expect, it } from "vitest";
import { defineCrew } from "../../../src/orchestration/crew/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { planCrew } from "../../../src/orchestration/plan/plan.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import type { Script } from "../../../src/test/scripted-model.ts";
import {
  costing,
  errorOf,
  eventsOf,
  gate,
  job,
  only,
  settle,
  withoutTimes,
  worker,
} from "./scenario.ts";
import { byWho, calling, delegate, led, resultsIn, sendBack, whoIn } from "./team-scene.ts";

const NAMES = ["A", "B", "C", "D", "E"];
const agents = NAMES.map((name) => worker(name));
const report = task({ name: "report", description: "Report", expectedOutput: "A report" });
const toAll = calling(...NAMES.map((name) => delegate(name, `piece of ${name}`)));

const ledBy = (script: Script, options: Partial<Parameters<typeof led>[1]> = {}) =>
  led(script, { agents, ...options });

describe("delegations at once", () => {
  it("are at most maxParallelDelegations, and the next starts when one has ended", async () => {
    const gates = new Map(NAMES.map((name) => [name, gate<string>()]));
    const { made, model } = ledBy(
      (request) =>
        whoIn(request) !== "lead"
          ? (gates.get(whoIn(request))?.promise ?? "")
          : resultsIn(request).length > 0
            ? "done"
            : toAll,
      { maxParallelDelegations: 2 },
    );
    const began = (): string => model.requests.map(whoIn).join("").replace("lead", "");
    const seen: string[] = [];

    const running = made.kickoff();
    await settle();
    seen.push(began());
    for (const name of ["B", "A", "C", "E", "D"]) {
      gates.get(name)?.resolve(`from ${name}`);
      await settle();
      seen.push(began());
    }
    await running;

    expect(seen).toEqual(["AB", "ABC", "ABCD", "ABCDE", "ABCDE", "ABCDElead"]);
    expect(resultsIn(model.requests.at(-1))).toEqual(
      NAMES.map((name, n) => `[d${n + 1}] ${name} answers:\nfrom ${name}`),
    );
  });

  it("are four by default", async () => {
    const opened = gate<string>();
    const { made, model } = ledBy((request) =>
      whoIn(request) === "lead" ? toAll : opened.promise,
    );

    const running = made.kickoff();
    await settle();
    const atOnce = model.requests.length - 1;
    opened.resolve("x");
    await running.catch(() => undefined);

    expect(atOnce).toBe(4);
  });

  it("also run beside the manager's own tools", async () => {
    const { made, model } = ledBy(
      byWho({
        lead: [calling(delegate("A", "t"), { tool: "unknown", arguments: {} }), "done"],
        A: "a",
      }),
    );

    await made.kickoff();

    const read = resultsIn(model.requests.at(-1));
    expect(read[0]).toBe("[d1] A answers:\na");
    expect(read[1]).toMatch(/no tool "unknown"/);
  });

  it("do not stop each other: one that fails is an error in its own place", async () => {
    const { made, model } = ledBy(
      byWho({
        lead: [calling(delegate("A", "t"), delegate("B", "t"), delegate("C", "t")), "done"],
        A: "a",
        B: new Error("B is broken"),
        C: "c",
      }),
    );

    const result = await made.kickoff();

    expect(result).toMatchObject({ status: "done", raw: "done" });
    const read = resultsIn(model.requests.findLast((request) => whoIn(request) === "lead"));
    expect(read[0]).toBe("[d1] A answers:\na");
    expect(read[1]).toMatch(/^Error: B could not do it/);
    expect(read[2]).toBe("[d3] C answers:\nc");
  });
});

describe("maxDelegations", () => {
  it("bounds what a manager gives away and sends back; then it must answer from what it has", async () => {
    const { made, model } = ledBy(
      byWho({
        lead: [
          calling(delegate("A", "t")),
          calling(sendBack("d1", "again")),
          calling(delegate("B", "t"), sendBack("d2", "again")),
          "done",
        ],
        A: "a",
        B: "b",
      }),
      { maxDelegations: 3 },
    );

    await made.kickoff();

    const read = resultsIn(model.requests.findLast((request) => whoIn(request) === "lead"));
    expect(read[0]).toBe("[d3] B answers:\nb");
    expect(read[1]).toMatch(/all 3 delegations are used up/);
    expect(model.requests.map(whoIn)).toEqual(["lead", "A", "lead", "A", "lead", "B", "lead"]);
  });

  it("ends a manager that delegates for ever, with its last answer", async () => {
    const { made, model } = ledBy((request) =>
      whoIn(request) === "lead" && request.tools ? calling(delegate("A", "more")) : "enough",
    );

    const result = await made.kickoff();

    expect(result.raw).toBe("enough");
    expect(model.requests.filter((request) => whoIn(request) === "A")).toHaveLength(10);
  });

  it("is whole again for each task and for each run", async () => {
    const { made, model } = ledBy(
      (request) =>
        whoIn(request) !== "lead" || resultsIn(request).length > 0
          ? "done"
          : calling(delegate("A", "t")),
      { maxDelegations: 1, tasks: [report, job("second")] },
    );

    await made.kickoff();
    await made.kickoff();

    expect(model.requests.filter((request) => whoIn(request) === "A")).toHaveLength(4);
  });
});

describe("what a hierarchy costs", () => {
  const paid = byWho({
    lead: [
      { ...(calling(delegate("A", "t"), delegate("B", "t")) as object), usage: costing(100, 10) },
      { text: "done", usage: costing(200, 20) },
    ],
    A: { text: "a", usage: costing(7, 1) },
    B: { text: "b", usage: costing(9, 2) },
  });

  it("is told by purpose: the manager's calls apart from the work", async () => {
    const { made } = ledBy(paid);

    const result = await made.kickoff();

    expect(result.purposes).toMatchObject({
      manage: { calls: 2, usage: { input: { total: 300 }, output: { total: 30 } } },
      work: { calls: 2, usage: { input: { total: 16 }, output: { total: 3 } } },
    });
    expect(Object.keys(result.purposes)).toHaveLength(2);
  });

  it("is the sum over its agents, once each, and all of it belongs to the task (C2)", async () => {
    const { made } = ledBy(paid);

    const result = await made.kickoff();

    const totals = Object.values(result.agents).map(({ usage }) => usage.input.total);
    expect(totals.toSorted((a, b) => a - b)).toEqual([7, 9, 300]);
    expect(result.usage.input.total).toBe(316);
    expect(result.tasks["report"]?.usage).toEqual(result.usage);
  });

  it("counts workers that failed and those that were cut off by a cancel", async () => {
    const controller = new AbortController();
    const { made } = ledBy(
      byWho({
        lead: { ...(toAll as object), usage: costing(100) },
        A: { text: "a", usage: costing(7) },
        B: async () => {
          await settle();
          controller.abort();
          return new Promise<never>(() => undefined);
        },
        C: () => new Promise<never>(() => undefined),
        D: () => new Promise<never>(() => undefined),
      }),
    );

    const error = await errorOf(made.kickoff({ signal: controller.signal }));

    const partial = partialResult(error);
    expect(partial?.status).toBe("cancelled");
    expect(partial?.agents["A"]?.usage.input.total).toBe(7);
    const sum = Object.values(partial?.agents ?? {}).reduce((s, a) => s + a.usage.input.total, 0);
    expect(partial?.usage.input.total).toBe(sum);
    expect(Object.values(partial?.purposes ?? {}).reduce((s, p) => s + p.calls, 0)).toBe(6);
  });
});

describe("the plan of a hierarchical crew", () => {
  it("is as wide as its manager and the delegations at once", async () => {
    const { made } = ledBy(() => "x", { maxParallelDelegations: 3 });

    const { events } = await eventsOf(made.stream());

    expect(only(events, "run-start")).toMatchObject([{ process: "hierarchical", width: 4 }]);
  });

  it("names the manager as the agent of each task", () => {
    const made = defineCrew({ name: "c", tasks: [report], agents, process: "hierarchical" });

    expect(planCrew(made).tasks).toMatchObject([{ name: "report", agent: "Crew manager" }]);
  });
});

const sameEachTime = (): Script =>
  byWho({
    lead: [toAll, calling(sendBack("d2", "more")), "done"],
    A: "a",
    B: "b",
    C: "c",
    D: "d",
    E: "e",
  });

describe("the events of a hierarchical run", () => {
  it("are the same for the same script, apart from times (R4), with delegations at once", async () => {
    const runs = await Promise.all([
      eventsOf(ledBy(sameEachTime()).made.stream()),
      eventsOf(ledBy(sameEachTime()).made.stream()),
    ]);

    const [first, second] = runs.map(({ events }) => events.map(withoutTimes));
    expect(first).toEqual(second);
    expect(first?.length).toBeGreaterThan(30);
  });
});
