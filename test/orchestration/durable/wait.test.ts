import { describe, expect, it } from "vitest";
import { BosunError } from "../../../src/error.ts";
import { settle } from "../run/scenario.ts";
import { codeOf, flow, orNothing, started } from "./wait-scene.ts";

describe("wait", () => {
  it("gets what is given under its name", async () => {
    const { engine, run } = started();

    const running = run(async (d) => orNothing(await d.wait("w", { timeoutMs: 1_000 })));
    const given = engine.signal("r", "w", { a: [1] });

    expect(given).toBe(true);
    expect(await running).toEqual({ a: [1] });
  });

  it("gets what was given before it began", async () => {
    const { engine, run } = started();

    const running = run(async (d) => {
      await d.step("first", async () => 1);
      return orNothing(await d.wait("w", { timeoutMs: 1_000 }));
    });
    const given = [engine.signal("r", "w", "early"), engine.signal("r", "w", "again")];

    expect(given).toEqual([true, false]);
    expect(await running).toBe("early");
  });

  it("gets nothing when its time is over, and what comes then is told that it is late", async () => {
    const { engine, run, clock } = started();

    const running = run(async (d) => {
      const got = orNothing(await d.wait("w", { timeoutMs: 1_000 }));
      return [got, engine.signal("r", "w", "late")];
    });
    await clock.advance(1_000);

    expect(await running).toEqual(["nothing came", false]);
  });

  it("takes null and false for values", async () => {
    const { engine, run } = started();

    const running = run(async (d) => [
      (await d.wait("a", { timeoutMs: 1_000 })) === null,
      (await d.wait("b", { timeoutMs: 1_000 })) === false,
    ]);
    engine.signal("r", "a", null);
    engine.signal("r", "b", false);

    expect(await running).toEqual([true, true]);
  });

  it("of a child gets what is given to the root run", async () => {
    const { engine, run } = started();

    const running = run(
      (d) =>
        d.child(
          "kid",
          flow(async (kid) => orNothing(await kid.wait("w", { timeoutMs: 1_000 }))),
          null,
        ).result,
    );
    await settle();

    expect(engine.signal("r/kid", "w", 1)).toBe(false);
    expect(engine.signal("r", "w", 2)).toBe(true);
    expect(await running).toBe(2);
  });

  it("has a key of its own (D1)", async () => {
    const { engine, run } = started();

    const running = run(async (d) => {
      await d.wait("w", { timeoutMs: 1_000 });
      return orNothing(await d.wait("w", { timeoutMs: 1_000 }));
    });
    engine.signal("r", "w", 1);

    await expect(running).rejects.toThrow(/"w" twice/);
  });

  it("ends with the run (D4), without waiting for its time", async () => {
    const { run, clock } = started();
    const controller = new AbortController();

    const running = run(async (d) => orNothing(await d.wait("w", { timeoutMs: 1_000 })), {
      signal: controller.signal,
    });
    controller.abort(new BosunError("run/cancelled", "enough"));

    expect(await codeOf(running)).toBe("run/cancelled");
    expect(clock.now()).toBe(0);
  });

  it("does not begin in a run that is aborted", async () => {
    const { run } = started();
    const signal = AbortSignal.abort(new BosunError("run/cancelled", "before"));

    const running = run(async (d) => orNothing(await d.wait("w", { timeoutMs: 1_000 })), {
      signal,
    });

    expect(await codeOf(running)).toBe("run/cancelled");
  });

  it("that a body left behind ends with it, and leaves nothing that goes on (D3)", async () => {
    const { run, clock } = started();
    const expired: string[] = [];

    await run(
      async (d) => {
        d.wait("w", { timeoutMs: 5_000 }).catch(() => undefined);
        return 1;
      },
      {
        timeoutMs: 1_000,
        timeoutError: () => {
          expired.push("its time limit");
          return new BosunError("run/timed-out", "late");
        },
      },
    );
    await clock.advance(100_000);

    expect(expired).toEqual([]);
  });
});

describe("signal", () => {
  it("is false for a run that there is not, and for one that has ended", async () => {
    const { engine, run } = started();

    const before = engine.signal("r", "w", 1);
    await run(async () => 1);

    expect([before, engine.signal("r", "w", 1)]).toEqual([false, false]);
  });

  it("keeps at most 1,000 values that nobody waits for", async () => {
    const { engine, run } = started();

    const running = run((d) => d.sleep("s", 1).then(() => 1));
    const taken = Array.from({ length: 1_001 }, (_, n) => engine.signal("r", `w${n}`, n));

    expect(taken.filter(Boolean)).toHaveLength(1_000);
    expect(taken.at(-1)).toBe(false);
    void running;
  });
});
