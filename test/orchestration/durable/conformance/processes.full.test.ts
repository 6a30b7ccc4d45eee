import { describe, expect, it } from "vitest";
import type { Json } from "../../../../src/json.ts";
import { ENGINES } from "./harness.ts";
import { createProcessScene, type Process } from "./process-scene.ts";

const ID = "run-1";
const ROUNDS = [1, 2, 3, 4, 5];
const ALL = "[s1][s2][s3][s4][s5][s6]";
const ONCE = { s1: 1, s2: 1, s3: 1, s4: 1, s5: 1, s6: 1 };

describe.each(ENGINES)("on $name, two processes", (kind) => {
  it.each(ROUNDS)("that start one run at once execute it once (round %i)", async () => {
    await using scene = await createProcessScene(kind);
    const start = { do: "start", flow: "six", options: { id: ID } } as const;

    const both = [
      await scene.spawn(start, { isHeld: true }),
      await scene.spawn(start, { isHeld: true }),
    ];
    for (const one of both) one.go();
    const outputs = await Promise.all(both.map((one) => one.end()));

    expect(outputs).toEqual([ALL, ALL]);
    expect(scene.counter.begun(ID)).toEqual(ONCE);
  });

  it.each(ROUNDS)("that resume one run at once execute its rest once (round %i)", async () => {
    await using scene = await createProcessScene(kind);
    const resume = { do: "resume", id: ID, isPatient: false } as const;

    const first = await scene.spawn(
      { do: "start", flow: "six", options: { id: ID } },
      { cut: { signal: "SIGKILL", at: "kept:2" } },
    );
    await first.exited;
    const both = [
      await scene.spawn(resume, { isHeld: true }),
      await scene.spawn(resume, { isHeld: true }),
    ];
    for (const one of both) one.go();
    const codes = await Promise.all(both.map((one) => one.code()));

    // The other one came too soon or, on a busy machine, when it was over. A server gives both the one run.
    const others = codes.filter((code) => code !== "none");
    expect(others.length).toBeLessThan(2);
    const refused = ["run/owned", "run/ended"];
    expect(kind.hasLeases ? refused : [...refused, undefined]).toContain(others[0]);
    expect(scene.counter.begun(ID)).toEqual(ONCE);
  });

  it("that serve one queue execute each of its runs once", async () => {
    await using scene = await createProcessScene(kind);
    const ids = Array.from({ length: 40 }, (_, n) => `run-${n}`);

    const starter = await scene.spawn(
      ids.map((id) => ({ do: "start", flow: "six", options: { id, queue: "q" } }) as const),
    );
    const servers = [
      await scene.spawn({ do: "serve", concurrency: 4 }),
      await scene.spawn({ do: "serve", concurrency: 4 }),
    ];
    expect(await starter.exited).toBe("0");
    for (const one of servers) one.kill("SIGTERM");
    const exits = await Promise.all(servers.map(({ exited }) => exited));

    expect(exits).toEqual(["0", "0"]);
    for (const id of ids) expect(scene.counter.begun(id), id).toEqual(ONCE);
  });

  it("that serve one queue keep to its limit together", async () => {
    await using scene = await createProcessScene(kind);
    const ids = Array.from({ length: 12 }, (_, n) => `run-${n}`);

    const limiter = await scene.spawn([
      { do: "limit", queue: "q", limits: { concurrency: 2 } },
      ...ids.map(
        (id) => ({ do: "start", flow: "slow", input: 10, options: { id, queue: "q" } }) as const,
      ),
    ]);
    await limiter.end();
    const servers = [
      await scene.spawn({ do: "serve", concurrency: 8 }),
      await scene.spawn({ do: "serve", concurrency: 8 }),
    ];
    expect(await limiter.exited).toBe("0");
    for (const one of servers) one.kill("SIGTERM");
    await Promise.all(servers.map(({ exited }) => exited));

    for (const id of ids) expect(Object.keys(scene.counter.ended(id))).toHaveLength(5);
    expect(scene.counter.mostRuns()).toBe(2);
  });

  it("of which one is killed share its runs: the other one ends them all", async () => {
    await using scene = await createProcessScene(kind);
    const ids = Array.from({ length: 12 }, (_, n) => `run-${n}`);

    const servers = [
      await scene.spawn({ do: "serve", concurrency: 6 }),
      await scene.spawn({ do: "serve", concurrency: 6 }),
    ];
    const starter = await scene.spawn(
      ids.map(
        (id) => ({ do: "start", flow: "slow", input: 20, options: { id, queue: "q" } }) as const,
      ),
      { isClient: true },
    );
    const kept = async ({ pid }: Process): Promise<number> => {
      const points = (await scene.trace()).filter((line) => line.type === "point");
      return points.filter((line) => line.pid === pid && line.point === "kept").length;
    };
    // A Restate server may give them all to one of the two.
    let doomed: Process | undefined;
    await scene.until(async () => {
      for (const one of servers) if ((await kept(one)) >= 9) doomed = one;
      return doomed !== undefined;
    });
    doomed?.kill("SIGKILL");
    expect(await doomed?.exited).toBe("SIGKILL");
    expect(await starter.exited).toBe("0");

    const engine = await scene.open();
    const steps = (await Promise.all(ids.map((id) => engine.steps(id)))).flat();
    const executions = ids.flatMap((id) => Object.values(scene.counter.begun(id)));
    expect(executions).toHaveLength(60);
    expect(steps).toHaveLength(60);
    // Only what was under way in the killed process may have been begun twice: six, or what both may do where a server gives one all.
    const underWay = kind.hasLeases ? 6 : 12;
    expect(executions.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(60 + underWay);
    expect(Math.max(...executions)).toBeLessThanOrEqual(2);
  });
});

describe.each(ENGINES)("on $name, another process", (kind) => {
  it("ends a run that this one executes, and its step is told", async () => {
    await using scene = await createProcessScene(kind);

    const first = await scene.spawn({
      do: "start",
      flow: "slow",
      input: 60_000,
      options: { id: ID },
    });
    await scene.until(() => scene.counter.has({ run: ID, key: "s1", what: "begun" }));
    const second = await scene.spawn({ do: "cancel", id: ID, reason: "enough" });

    expect(await second.end()).toBe(true);
    expect(await first.code()).toBe("run/cancelled");
    const engine = await scene.open();
    await scene.until(async () => (await engine.find(ID))?.phase === "cancelled");
  });

  it("gives a run that this one executes what it waits for, and gets to know what it came to", async () => {
    await using scene = await createProcessScene(kind);

    const first = await scene.spawn({ do: "start", flow: "waiter", options: { id: ID } });
    await scene.until(() => scene.counter.has({ run: ID, key: "s1", what: "ended" }));
    const reader = await scene.spawn({ do: "result", id: ID });
    const sender = await scene.spawn({ do: "send", id: ID, name: "w", value: [1] });

    const output: Json = ["[s1]", [1], "[s2]"];
    expect(await sender.end()).toBe(true);
    expect(await first.end()).toEqual(output);
    expect(await reader.end()).toEqual(output);
  });

  it("goes on with what this one gives back when it is told to end, and repeats nothing", async () => {
    await using scene = await createProcessScene(kind);

    const first = await scene.spawn({ do: "start", flow: "slow", input: 150, options: { id: ID } });
    await scene.until(() => scene.counter.has({ run: ID, key: "s2", what: "begun" }));
    first.kill("SIGTERM");
    const code = await first.code();
    const exit = await first.exited;
    const second = await scene.spawn({ do: "resume", id: ID, isPatient: false });

    expect([code, exit]).toEqual(["run/suspended", "0"]);
    expect(await second.end()).toBe("[s1][s2][s3][s4][s5]");
    expect(scene.counter.begun(ID)).toEqual({ s1: 1, s2: 1, s3: 1, s4: 1, s5: 1 });
  });
});
