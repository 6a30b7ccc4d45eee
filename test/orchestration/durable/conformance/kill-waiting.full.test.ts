import { describe, expect, it } from "vitest";
import { ENGINES } from "./harness.ts";
import { createProcessScene, type ProcessScene } from "./process-scene.ts";

const ID = "run-1";
const RESUME = { do: "resume", id: ID, isPatient: true } as const;

/** Resolves when the step of the run has ended and was kept. */
const kept = (scene: ProcessScene, key: string): Promise<void> =>
  scene.until(async () => (await scene.kept()).includes(key));

describe.each(ENGINES)("on $name, a run whose process is killed", (kind) => {
  it("while it sleeps goes on when its time has come, counted from the first process's call", async () => {
    await using scene = await createProcessScene(kind);

    const first = await scene.spawn({
      do: "start",
      flow: "sleeper",
      input: 600,
      options: { id: ID },
    });
    await kept(scene, "s1");
    first.kill("SIGKILL");
    await first.exited;
    const second = await scene.spawn(RESUME);
    const output = await second.end();

    expect(output).toEqual(["[s1]", "[s2]", true]);
    expect(scene.counter.begun(ID)).toEqual({ s1: 1, s2: 1 });
    const times = (await scene.trace()).filter((line) => line.type === "seen");
    expect(new Set(times.map(({ value }) => value)).size).toBe(1);
  });

  it("while it waits gets its answer afterwards", async () => {
    await using scene = await createProcessScene(kind);

    const first = await scene.spawn({ do: "start", flow: "waiter", options: { id: ID } });
    await kept(scene, "s1");
    first.kill("SIGKILL");
    await first.exited;
    const second = await scene.spawn(RESUME);
    const third = await scene.spawn({ do: "send", id: ID, name: "w", value: { ok: true } });

    expect(await third.end()).toBe(true);
    expect(await second.end()).toEqual(["[s1]", { ok: true }, "[s2]"]);
    expect(scene.counter.begun(ID)).toEqual({ s1: 1, s2: 1 });
  });

  it("while it waits gets an answer that came while there was no process", async () => {
    await using scene = await createProcessScene(kind);

    const first = await scene.spawn({ do: "start", flow: "waiter", options: { id: ID } });
    await kept(scene, "s1");
    first.kill("SIGKILL");
    await first.exited;
    const between = await scene.spawn({ do: "send", id: ID, name: "w", value: "meanwhile" });
    await between.exited;
    const second = await scene.spawn(RESUME);

    expect(await second.end()).toEqual(["[s1]", "meanwhile", "[s2]"]);
  });

  it("between two tries of a step goes on with its count and its gaps", async () => {
    await using scene = await createProcessScene(kind);

    const first = await scene.spawn(
      { do: "start", flow: "retried", options: { id: ID } },
      { cut: { signal: "SIGKILL", at: "kept:2" } },
    );
    await first.exited;
    const second = await scene.spawn(RESUME);
    const code = await second.code();

    const seen = (await scene.trace()).filter((line) => line.type === "seen");
    expect(code).toBe("tool/failed");
    expect(scene.counter.begun(ID)).toEqual({ s: 4 });
    expect(seen.map(({ value }) => value)).toEqual([1, 2, 3, 4]);
  });

  it("is shown as interrupted, with the steps that were kept, until a process that serves takes it", async () => {
    await using scene = await createProcessScene(kind);

    const first = await scene.spawn(
      [
        { do: "start", flow: "slow", input: 10, options: { id: ID, queue: "q" } },
        { do: "serve", concurrency: 1 },
      ],
      { cut: { signal: "SIGKILL", at: "kept:3" } },
    );
    await first.exited;
    const engine = await scene.open();
    await scene.until(async () => (await engine.find(ID))?.phase === "interrupted");
    const steps = await engine.steps(ID);
    const second = await scene.spawn([
      { do: "result", id: ID },
      { do: "serve", concurrency: 1 },
    ]);
    const output = await second.end();

    expect(steps.map(({ key, status }) => [key, status])).toEqual([
      ["s1", "done"],
      ["s2", "done"],
      ["s3", "done"],
    ]);
    expect(output).toBe("[s1][s2][s3][s4][s5]");
    expect(scene.counter.begun(ID)).toEqual({ s1: 1, s2: 1, s3: 1, s4: 1, s5: 1 });
  });

  it("that was in a queue and not begun is begun by another one", async () => {
    await using scene = await createProcessScene(kind);

    const first = await scene.spawn({
      do: "start",
      flow: "six",
      options: { id: ID, queue: "q", delayMs: 300 },
    });
    const engine = await scene.open();
    await scene.until(async () => (await engine.find(ID)) !== undefined);
    first.kill("SIGKILL");
    await first.exited;
    const second = await scene.spawn([
      { do: "result", id: ID },
      { do: "serve", concurrency: 1 },
    ]);

    expect(await second.end()).toBe("[s1][s2][s3][s4][s5][s6]");
  });
});
