import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import type { ToolOutcome } from "../../../src/orchestration/tool/run.ts";
import { contextOf, runnerOf, toolOf } from "./probe.ts";

describe("maxUses", () => {
  it("refuses further calls with an error that says how to go on", async () => {
    const runner = runnerOf();
    const probe = toolOf(() => "ok", { maxUses: 2 });

    const outcomes = [];
    for (let call = 0; call < 3; call++) outcomes.push(await runner.run(probe, "", contextOf()));

    expect(outcomes.map(({ type }) => type)).toEqual(["done", "done", "failed"]);
    expect(outcomes[2]).toMatchObject({ code: "tool/limit" });
    expect(outcomes[2]?.content).toContain("2 times in one run");
    expect(outcomes[2]?.content).toContain("Go on with the results that you have");
  });

  it("holds for calls of one turn at the same time", async () => {
    const runner = runnerOf();
    const probe = toolOf(() => Promise.resolve("ok"), { maxUses: 3 });

    const outcomes = await Promise.all(
      Array.from({ length: 10 }, () => runner.run(probe, "", contextOf())),
    );

    expect(outcomes.filter(({ type }) => type === "done")).toHaveLength(3);
  });

  it("does not count calls with arguments that do not fit, and starts anew with each run", async () => {
    const probe = toolOf(() => "ok", {
      maxUses: 1,
      parameters: { type: "object", required: ["a"] },
    });
    const runner = runnerOf();

    await runner.run(probe, "{}", contextOf());

    expect(await runner.run(probe, '{"a":1}', contextOf())).toMatchObject({ type: "done" });
    expect(await runner.run(probe, '{"a":1}', contextOf())).toMatchObject({ code: "tool/limit" });
    expect(await runnerOf().run(probe, '{"a":1}', contextOf())).toMatchObject({ type: "done" });
  });
});

describe("the cache", () => {
  it("answers the same arguments again, whatever their order and spelling", async () => {
    let calls = 0;
    const runner = runnerOf({ cache: true });
    const probe = toolOf(() => ++calls);

    const first = await runner.run(probe, '{"a":1,"b":{"c":2,"d":3}}', contextOf());
    const second = await runner.run(probe, '{ "b": {"d":3,"c":2,}, "a":1 }', contextOf());
    const third = await runner.run(probe, '{"a":2,"b":{"c":2,"d":3}}', contextOf());

    expect(first).toMatchObject({ value: 1, cached: false });
    expect(second).toMatchObject({ value: 1, cached: true });
    expect(third).toMatchObject({ value: 2, cached: false });
  });

  it("is off by default, and each tool may say otherwise", async () => {
    let calls = 0;
    const on = toolOf(() => ++calls, { cache: true });
    const off = toolOf(() => ++calls, { cache: false });
    const runner = runnerOf({ cache: false });
    const caching = runnerOf({ cache: true });

    await runner.run(on, "", contextOf());
    expect(await runner.run(on, "", contextOf())).toMatchObject({ cached: true });
    await caching.run(off, "", contextOf());
    expect(await caching.run(off, "", contextOf())).toMatchObject({ cached: false });
  });

  it("lets identical calls at the same time share one execution", async () => {
    let calls = 0;
    const gate = Promise.withResolvers<void>();
    const probe = toolOf(async () => {
      calls++;
      await gate.promise;
      return "shared";
    });
    const runner = runnerOf({ cache: true, clock: createVirtualClock({ auto: false }) });

    const pending = Array.from({ length: 5 }, () => runner.run(probe, "{}", contextOf()));
    gate.resolve();
    const outcomes = await Promise.all(pending);

    expect(calls).toBe(1);
    expect(outcomes.map((outcome) => outcome.type === "done" && outcome.cached)).toEqual([
      false,
      true,
      true,
      true,
      true,
    ]);
  });

  it("never keeps a failure", async () => {
    let calls = 0;
    const probe = toolOf(() => (++calls === 1 ? Promise.reject(new Error("busy")) : "ok"));
    const runner = runnerOf({ cache: true });

    expect(await runner.run(probe, "", contextOf())).toMatchObject({ type: "failed" });
    expect(await runner.run(probe, "", contextOf())).toMatchObject({ type: "done", cached: false });
  });

  it("does not fail a call because the one whose execution it shared was cancelled", async () => {
    let calls = 0;
    const gate = Promise.withResolvers<void>();
    const probe = toolOf(async (_, { signal }) => {
      calls++;
      if (calls > 1) return "done by itself";
      await gate.promise;
      return signal.aborted;
    });
    const runner = runnerOf({ cache: true, clock: createVirtualClock({ auto: false }) });
    const cancelled = new AbortController();

    const owner = runner.run(probe, "{}", contextOf(cancelled.signal));
    const sharer = runner.run(probe, "{}", contextOf());
    await new Promise((resolve) => setImmediate(resolve));
    cancelled.abort(new BosunError("task/cancelled", "gone"));

    await expect(owner).rejects.toMatchObject({ code: "task/cancelled" });
    expect(await sharer).toMatchObject({ type: "done", value: "done by itself", cached: false });
  });

  it("keeps two tools of one name apart", async () => {
    const runner = runnerOf({ cache: true });

    await runner.run(
      toolOf(() => "first"),
      "{}",
      contextOf(),
    );

    expect(
      await runner.run(
        toolOf(() => "second"),
        "{}",
        contextOf(),
      ),
    ).toMatchObject({ value: "second", cached: false });
  });

  it("keeps 256 results and forgets the one used longest ago", async () => {
    const runner = runnerOf({ cache: true });
    const probe = toolOf((args) => args);
    const ask = (n: number): Promise<ToolOutcome> =>
      runner.run(probe, JSON.stringify({ n }), contextOf());

    for (let n = 0; n < 256; n++) await ask(n);
    await ask(0); // used again: 1 is the oldest now
    await ask(256);

    expect(await ask(0)).toMatchObject({ cached: true });
    expect(await ask(1)).toMatchObject({ cached: false });
  });
});
