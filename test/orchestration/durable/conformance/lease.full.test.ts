import { describe, expect, it } from "vitest";
import { ENGINES } from "./harness.ts";
import { createProcessScene, type Process, type ProcessScene } from "./process-scene.ts";

const ID = "run-1";
const ALL = "[s1][s2][s3][s4][s5][s6]";

/** A process that stands still at a point, and another one that waits until it may take the run. */
async function overtake(
  scene: ProcessScene,
  at: string,
): Promise<{ readonly late: Process; readonly output: unknown; readonly keptLate: number }> {
  const late = await scene.spawn(
    { do: "start", flow: "six", options: { id: ID } },
    { cut: { signal: "SIGSTOP", at } },
  );
  const [point, count] = at.split(":");
  await scene.until(async () => {
    const points = (await scene.trace()).filter((line) => line.type === "point");
    return points.filter((line) => line.point === point).length === Number(count);
  });
  const next = await scene.spawn({ do: "resume", id: ID, isPatient: true });
  const output = await next.end();
  const keptLate = await keptBy(scene, late);
  late.kill("SIGCONT");
  return { late, output, keptLate };
}

async function keptBy(scene: ProcessScene, { pid }: Process): Promise<number> {
  const points = (await scene.trace()).filter((line) => line.type === "point");
  return points.filter((line) => line.pid === pid && line.point === "kept").length;
}

describe.each(ENGINES.filter(({ hasLeases }) => hasLeases))(
  "on $name, a process that stood still for longer than its lease",
  (kind) => {
    it("before an outcome was kept keeps nothing more, and is told that it lost the run", async () => {
      await using scene = await createProcessScene(kind);

      const { late, output, keptLate } = await overtake(scene, "ended:3");
      const code = await late.code();

      expect(output).toBe(ALL);
      expect(code).toBe("run/lease-lost");
      expect(await keptBy(scene, late)).toBe(keptLate);
      expect(scene.counter.begun(ID)).toEqual({ s1: 1, s2: 1, s3: 2, s4: 1, s5: 1, s6: 1 });
    });

    it("after an outcome was kept executes nothing of the run any more", async () => {
      await using scene = await createProcessScene(kind);

      const { late, output, keptLate } = await overtake(scene, "kept:3");
      const code = await late.code();

      expect(output).toBe(ALL);
      expect(code).toBe("run/lease-lost");
      expect(await keptBy(scene, late)).toBe(keptLate);
      expect(scene.counter.begun(ID)).toEqual({ s1: 1, s2: 1, s3: 1, s4: 1, s5: 1, s6: 1 });
    });

    it("before its last outcome was kept changes nothing of how the run ended", async () => {
      await using scene = await createProcessScene(kind);
      const engine = await scene.open();

      const { late } = await overtake(scene, "ended:6");
      const before = [await engine.find(ID), await engine.steps(ID)];
      const code = await late.code();
      await late.exited;

      expect(code).toBe("run/lease-lost");
      expect([await engine.find(ID), await engine.steps(ID)]).toEqual(before);
    });
  },
);

describe.each(ENGINES)("on $name, a process that stood still for a moment", (kind) => {
  it("keeps its run", async () => {
    await using scene = await createProcessScene(kind);

    const process = await scene.spawn(
      { do: "start", flow: "six", options: { id: ID } },
      { cut: { signal: "SIGSTOP", at: "kept:3" } },
    );
    await scene.until(async () => (await scene.kept()).length === 3);
    process.kill("SIGCONT");

    expect(await process.end()).toBe(ALL);
    expect(scene.counter.begun(ID)).toEqual({ s1: 1, s2: 1, s3: 1, s4: 1, s5: 1, s6: 1 });
  });
});
