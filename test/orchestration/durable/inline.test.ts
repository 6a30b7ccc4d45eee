import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { Json } from "../../../src/json.ts";
import type { Durable, Flow } from "../../../src/orchestration/durable/durable.ts";
import { createInlineEngine } from "../../../src/orchestration/durable/inline.ts";

const NEVER = new Promise<never>(() => undefined);
const LIVE = new AbortController().signal;

const flow = <O extends Json>(run: (d: Durable, input: Json) => Promise<O>): Flow<Json, O> => ({
  name: "test",
  version: "1",
  run,
});

function engine() {
  const clock = createVirtualClock();
  const inline = createInlineEngine({ clock });
  const run = <O extends Json>(
    body: (d: Durable, input: Json) => Promise<O>,
    signal: AbortSignal = LIVE,
  ): Promise<O> =>
    inline.start(flow(body), {}, { id: "run-1", signal }).then((handle) => handle.result());
  return { clock, run };
}

describe("the inline engine", () => {
  it("gives a body its ids, a step its key, and the body the step's result", async () => {
    const { run } = engine();

    const seen = await run(async (d) => [
      d.runId,
      d.rootId,
      await d.step("one", async ({ key, attempt }) => [key, attempt]),
      await d.child(
        "kid",
        flow(async (kid) => [kid.runId, kid.rootId]),
        null,
      ).result,
    ]);

    expect(seen).toEqual(["run-1", "run-1", ["one", 1], ["run-1/kid", "run-1"]]);
  });

  it("refuses a key that is used twice in one run, for steps, sleeps, children and races (D1)", async () => {
    const uses: ((d: Durable) => unknown)[] = [
      (d) => d.step("key", async () => 1),
      (d) => d.sleep("key", 1),
      (d) =>
        d.child(
          "key",
          flow(async () => 1),
          null,
        ).result,
      (d) => d.race("key", { a: Promise.resolve(1) }),
    ];
    for (const again of uses) {
      const { run } = engine();
      const running = run(async (d) => {
        await d.step("key", async () => 1);
        await again(d);
        return "not refused";
      });
      await expect(running).rejects.toThrow(/"key" twice/);
    }
  });

  it("lets a child use a key of its parent (D1)", async () => {
    const { run } = engine();

    const result = await run(async (d) => {
      await d.step("same", async () => 1);
      return d.child(
        "kid",
        flow((kid) => kid.step("same", async () => 2)),
        null,
      ).result;
    });

    expect(result).toBe(2);
  });

  it("ends its children when a body ends, and waits until they have (D3)", async () => {
    const { run } = engine();
    const ended: string[] = [];

    await run(async (d) => {
      const kid = d.child(
        "kid",
        flow(async (own) => {
          try {
            return await own.step("waits", () => NEVER);
          } finally {
            ended.push(String(own.signal.aborted));
          }
        }),
        null,
      );
      kid.result.catch(() => undefined);
      return "early";
    });

    expect(ended).toEqual(["true"]);
  });

  it("ends what a body left behind also when the body throws (D3)", async () => {
    const { run, clock } = engine();
    let stepSignal: AbortSignal | undefined;

    const running = run(async (d) => {
      d.step("open", async ({ signal }) => {
        stepSignal = signal;
        await NEVER;
        return 1;
      }).catch(() => undefined);
      d.sleep("long", 1_000_000).catch(() => undefined);
      throw new BosunError("run/failed", "the body broke");
    });

    await expect(running).rejects.toMatchObject({ code: "run/failed" });
    expect(stepSignal?.aborted).toBe(true);
    expect(clock.now()).toBeLessThanOrEqual(50);
  });

  it("lets pending sleeps, races and children of an aborted run go at once (D4)", async () => {
    const { run, clock } = engine();
    const controller = new AbortController();
    const reason = new BosunError("run/cancelled", "enough");
    const outcomes: unknown[] = [];

    const running = run(async (d) => {
      const pending = [
        d.sleep("s", 1_000),
        d.race("r", { never: NEVER }),
        d.child(
          "c",
          flow((kid) => kid.sleep("s", 1_000).then(() => null)),
          null,
        ).result,
      ];
      outcomes.push(...(await Promise.allSettled(pending)));
      return null;
    }, controller.signal);
    controller.abort(reason);
    await running;

    expect(outcomes).toEqual(Array.from({ length: 3 }, () => ({ status: "rejected", reason })));
    expect(clock.now()).toBe(0);
  });

  it("lets an aborted step hand over what it has, and waits no longer than 50 ms for it (D4)", async () => {
    const { run, clock } = engine();
    const controller = new AbortController();
    const listening = run(
      (d) =>
        d.step("listens", async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          throw new BosunError("model/cancelled", "cut", { details: { text: "half" } });
        }),
      controller.signal,
    ).catch((error: unknown) => error);
    const deaf = run((d) => d.step("deaf", () => NEVER), controller.signal).catch(
      (error: unknown) => error,
    );
    controller.abort(new BosunError("run/cancelled", "enough"));

    expect(await listening).toMatchObject({ code: "model/cancelled", details: { text: "half" } });
    expect(clock.now()).toBe(0);
    expect(await deaf).toMatchObject({ code: "run/cancelled" });
    expect(clock.now()).toBe(50);
  });

  it("lets go of a step whose function itself aborts the run before it waits (D4)", async () => {
    const { run } = engine();
    const controller = new AbortController();

    const running = run(
      (d) =>
        d.step("aborts", () => {
          controller.abort(new BosunError("run/cancelled", "from inside"));
          return NEVER;
        }),
      controller.signal,
    );

    await expect(running).rejects.toMatchObject({ code: "run/cancelled" });
  }, 1_000);

  it("starts no step in a run that is aborted", async () => {
    const { run } = engine();
    let began = false;

    const running = run(
      (d) =>
        d.step("late", async () => {
          began = true;
          return 1;
        }),
      AbortSignal.abort(new BosunError("run/cancelled", "before")),
    );

    await expect(running).rejects.toMatchObject({ code: "run/cancelled" });
    expect(began).toBe(false);
  });

  it("rejects a step with what its function throws, also when that is not async", async () => {
    const { run } = engine();

    const running = run((d) =>
      d.step<number>("throws", () => {
        throw new BosunError("tool/failed", "at once");
      }),
    );

    await expect(running).rejects.toMatchObject({ code: "tool/failed" });
  });

  it("ends a child at its time-out with the error that was given for it", async () => {
    const { run, clock } = engine();

    const outcome = await run(async (d) => {
      const { result } = d.child(
        "slow",
        flow((kid) => kid.sleep("s", 5_000).then(() => null)),
        null,
        {
          timeoutMs: 300,
          timeoutError: () => new BosunError("task/timed-out", "too slow"),
        },
      );
      return result.catch((error: BosunError) => error.code);
    });

    expect(outcome).toBe("task/timed-out");
    expect(clock.now()).toBe(300);
  });

  it("cancels one child and leaves the others alone", async () => {
    const { run } = engine();

    const result = await run(async (d) => {
      const sleepy = flow((kid) => kid.sleep("s", 10).then(() => "slept"));
      const [one, two] = [d.child("one", sleepy, null), d.child("two", sleepy, null)];
      one.cancel("not needed");
      const [first, second] = await Promise.allSettled([one.result, two.result]);
      return [
        first?.status === "rejected" && first.reason instanceof BosunError ? first.reason.code : "",
        second?.status === "fulfilled" ? second.value : "",
      ];
    });

    expect(result).toEqual(["run/cancelled", "slept"]);
  });

  it("names the first promise of a race that settles, also one that rejects", async () => {
    const { run } = engine();

    const winners = await run(async (d) => [
      await d.race("first", { slow: d.sleep("a", 20), quick: d.sleep("b", 10) }),
      await d.race("rejects", { slow: d.sleep("c", 20), bad: Promise.reject(new Error("no")) }),
    ]);

    expect(winners).toEqual(["quick", "bad"]);
  });

  it("leaves no listener at the caller's signal when a run has ended", async () => {
    const { run } = engine();
    const { signal, counts } = countingSignal();

    for (let n = 0; n < 20; n++)
      await run(async (d) => {
        await d.step("a", async () => 1);
        await d.sleep("b", 1);
        return d.child(
          "c",
          flow(async () => 1),
          null,
        ).result;
      }, signal);

    expect(counts()).toBe(0);
  });

  it("adds no listener for each race of a long run", async () => {
    const { run } = engine();

    const left = await run(async (d) => {
      const { added, removed } = countListeners(d.signal);
      for (let n = 0; n < 50; n++) await d.race(`race:${n}`, { a: Promise.resolve(n) });
      return added() - removed();
    });

    expect(left).toBeLessThanOrEqual(1);
  });
});

function countListeners(signal: AbortSignal): {
  readonly added: () => number;
  readonly removed: () => number;
} {
  let [added, removed] = [0, 0];
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>): void => {
    added++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>): void => {
    removed++;
    remove(...args);
  };
  return { added: () => added, removed: () => removed };
}

function countingSignal(): { readonly signal: AbortSignal; readonly counts: () => number } {
  const { signal } = new AbortController();
  const { added, removed } = countListeners(signal);
  return { signal, counts: () => added() - removed() };
}
