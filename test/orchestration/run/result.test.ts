import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import type { RunEvent } from "../../../src/orchestration/run/event.ts";
import { partialResult, type RunResult } from "../../../src/orchestration/run/result.ts";
import { randomRun } from "./random-run.ts";
import { eventsOf, job, only, scene, settle } from "./scenario.ts";

const SEEDS = Array.from({ length: 200 }, (_, n) => n + 5_001);

type Ended = {
  readonly events: readonly RunEvent[];
  readonly result: RunResult;
  readonly hasThrown: boolean;
  readonly made: ReturnType<typeof randomRun>["crew"];
};

async function endOf(seed: number): Promise<Ended> {
  const { crew: made, controller } = randomRun(seed, { cancels: true });
  const events: RunEvent[] = [];
  const stream = made.stream({ signal: controller.signal });
  try {
    for (;;) {
      const step = await stream.next();
      if (step.done) return { events, result: step.value, hasThrown: false, made };
      events.push(step.value);
    }
  } catch (error) {
    const result = partialResult(error);
    if (!result) throw error;
    return { events, result, hasThrown: true, made };
  }
}

describe("the result of any run", () => {
  it("returns when it is done or partial, and is thrown with every other status", async () => {
    for (const seed of SEEDS) {
      const { result, hasThrown } = await endOf(seed);
      expect(hasThrown, `seed ${seed}: ${result.status}`).toBe(
        !["done", "partial"].includes(result.status),
      );
    }
  });

  it("is done only when every task is", async () => {
    for (const seed of SEEDS) {
      const { result } = await endOf(seed);
      const isDone = Object.values(result.tasks).every(({ status }) => status === "done");
      expect(result.status === "done", `seed ${seed}`).toBe(isDone);
    }
  });

  it("has each task of the crew in its order, with an output exactly when it is done or partial", async () => {
    for (const seed of SEEDS) {
      const { result, made } = await endOf(seed);
      expect(Object.keys(result.tasks)).toEqual(made.tasks.map(({ name }) => name));
      for (const [name, { status, output, raw }] of Object.entries(result.tasks))
        expect(output, `${name} of ${seed}`).toBe(
          ["done", "partial"].includes(status) ? raw : undefined,
        );
    }
  });

  it("has an error for each task that failed, and none for one that is done", async () => {
    for (const seed of SEEDS) {
      const { result } = await endOf(seed);
      for (const [name, { status, error }] of Object.entries(result.tasks)) {
        if (status === "cancelled") continue;
        expect(error === undefined, `${name} of ${seed}: ${status}`).toBe(status === "done");
      }
    }
  });

  it("counts the attempts that its events tell, at most one more than the retries", async () => {
    for (const seed of SEEDS) {
      const { result, events, made } = await endOf(seed);
      for (const { name, retries, onError } of made.tasks) {
        const starts = only(events, "task-start").filter(({ task }) => task === name);
        const most = onError === "retry" ? 1 + retries : typeof onError === "object" ? 2 : 1;
        expect(result.tasks[name]?.attempts, `${name} of ${seed}`).toBe(starts.length);
        expect(starts.length).toBeLessThanOrEqual(most);
      }
    }
  });

  it("cancels every task that needs one without an output, before it was started", async () => {
    for (const seed of SEEDS) {
      const { result, made } = await endOf(seed);
      const hasOutput = ({ name }: { readonly name: string }): boolean =>
        ["done", "partial"].includes(result.tasks[name]?.status ?? "");
      const wrong = made.tasks.filter(
        ({ name, context = [] }) =>
          !context.every(hasOutput) &&
          (result.tasks[name]?.status !== "cancelled" || result.tasks[name].attempts > 0),
      );
      expect(
        wrong.map(({ name }) => name),
        `seed ${seed}`,
      ).toEqual([]);
    }
  });

  it("has times that fit: none before the run's start, none after its end", async () => {
    for (const seed of SEEDS) {
      const { result } = await endOf(seed);
      const { startedAt: from = 0, endedAt: until = 0 } = result.timings;
      for (const { timings } of Object.values(result.tasks)) {
        const { startedAt = from, endedAt = until } = timings;
        expect([from <= startedAt, startedAt <= endedAt, endedAt <= until], `seed ${seed}`).toEqual(
          [true, true, true],
        );
      }
    }
  });

  it("is failed with the error of the task that failed first in the crew's order, under fail-fast", async () => {
    for (const seed of SEEDS) {
      const { result, made } = await endOf(seed);
      if (result.status !== "failed" || made.policy !== "fail-fast") continue;
      const failed = Object.values(result.tasks).filter(({ status }) =>
        ["failed", "timed-out"].includes(status),
      );
      expect(
        failed.map(({ error }) => error?.code),
        `seed ${seed}`,
      ).toContain(result.error?.code);
    }
  });
});

describe("a caller's signal", () => {
  it("keeps no listener of runs that have ended", async () => {
    const { bosun } = scene(() => "x");
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>): void => {
      listeners++;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
      listeners--;
      remove(...args);
    };
    const made = crew({ name: "c", tasks: [job("a")], bosun });

    for (let n = 0; n < 20; n++) await made.kickoff({ signal });
    await eventsOf(made.stream({ signal }));
    await made.kickoffForEach([{}, {}, {}], { signal });
    await settle();

    expect(listeners).toBe(0);
  });

  it("ends a stream with run-end and then with the error", async () => {
    const controller = new AbortController();
    const { bosun } = scene(() => new Promise<never>(() => undefined));

    const reading = eventsOf(
      crew({ name: "c", tasks: [job("a")], bosun }).stream({ signal: controller.signal }),
    );
    await settle();
    controller.abort();
    const { events, error } = await reading;

    expect(events.at(-1)).toMatchObject({ type: "run-end", status: "cancelled" });
    expect(error).toMatchObject({ code: "run/cancelled" });
    expect(partialResult(error)?.status).toBe("cancelled");
  });
});
