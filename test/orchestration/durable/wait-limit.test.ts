import { describe, expect, it } from "vitest";
import { BosunError } from "../../../src/error.ts";
import { settle } from "../run/scenario.ts";
import { codeOf, flow, orNothing, started } from "./wait-scene.ts";

describe("the time limit of a run", () => {
  const late = { timeoutError: () => new BosunError("run/timed-out", "too late") };

  it("stands still while it waits, and goes on with what was left", async () => {
    const { engine, run, clock } = started();

    const running = run(
      async (d) => {
        await d.sleep("s", 600);
        await d.wait("w", { timeoutMs: 100_000 });
        await d.sleep("t", 400);
        return 1;
      },
      { timeoutMs: 1_000, ...late },
    );
    await clock.advance(600);
    await clock.advance(50_000);
    engine.signal("r", "w", 1);
    await settle();
    await clock.advance(399);
    const before = await Promise.race([codeOf(running), settle().then(() => "runs")]);
    await clock.advance(1);

    expect(before).toBe("runs");
    expect(await codeOf(running)).toBe("run/timed-out");
  });

  it("stands still while a child waits, and the child's own too", async () => {
    const { engine, run, clock } = started();
    const waiting = flow(async (kid) => orNothing(await kid.wait("w", { timeoutMs: 100_000 })));

    const running = run((d) => d.child("kid", waiting, null, { timeoutMs: 500 }).result, {
      timeoutMs: 1_000,
      ...late,
    });
    await settle();
    await clock.advance(50_000);
    engine.signal("r", "w", "in time");

    expect(await running).toBe("in time");
  });

  it("of a child goes on while its sibling waits", async () => {
    const { engine, run, clock } = started();

    const running = run(async (d) => {
      const waits = d.child(
        "a",
        flow(async (kid) => orNothing(await kid.wait("w", { timeoutMs: 100_000 }))),
        null,
      );
      const sleeps = d.child(
        "b",
        flow(async (kid) => kid.sleep("s", 2_000).then(() => 1)),
        null,
        { timeoutMs: 500, ...late },
      );
      const slept = await codeOf(sleeps.result);
      return [slept, await waits.result];
    });
    await settle();
    await clock.advance(600);
    engine.signal("r", "w", "answer");

    expect(await running).toEqual(["run/timed-out", "answer"]);
  });

  it("stands still until the last of several waits is over", async () => {
    const { engine, run, clock } = started();

    const running = run(
      async (d) => {
        await Promise.all(["a", "b"].map((name) => d.wait(name, { timeoutMs: 100_000 })));
        return "both";
      },
      { timeoutMs: 1_000, ...late },
    );
    await clock.advance(5_000);
    engine.signal("r", "a", 1);
    await settle();
    await clock.advance(5_000);
    engine.signal("r", "b", 1);

    expect(await running).toBe("both");
  });

  it("goes on in a parent when the child that waited was cancelled", async () => {
    const { run, clock } = started();

    const running = run(
      async (d) => {
        const kid = d.child(
          "kid",
          flow(async (own) => orNothing(await own.wait("w", { timeoutMs: 100_000 }))),
          null,
        );
        await d.sleep("s", 5_000);
        kid.cancel("not needed");
        await codeOf(kid.result);
        await d.sleep("t", 1_000);
        return "slept";
      },
      { timeoutMs: 1_000, ...late },
    );
    await clock.advance(5_000);
    await settle();
    await clock.advance(1_000);

    expect(await codeOf(running)).toBe("run/timed-out");
  });
});
