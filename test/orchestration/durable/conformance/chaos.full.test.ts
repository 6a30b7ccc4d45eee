import { describe, expect, it } from "vitest";
import { createRandom } from "../../../../src/random.ts";
import type { DurableEngine } from "../../../../src/orchestration/durable/engine.ts";
import { ENGINES } from "./harness.ts";
import { createProcessScene, type Process, type ProcessScene } from "./process-scene.ts";

const SEEDS = [1, 2, 3];
const RUNS = 16;
const KILLS = 6;
const FLOWS = ["six", "branches", "slow", "rich"] as const;
const STEPS = { six: 6, branches: 61, slow: 5, rich: 8 } as const;

const flowOf = (n: number): (typeof FLOWS)[number] => FLOWS[n % FLOWS.length] ?? "six";
const ids = Array.from({ length: RUNS }, (_, n) => `run-${n}`);

/** How often each step that is kept had been begun by now. Kept is asked first: from then on it must not be begun again. */
async function keptCounts(
  scene: ProcessScene,
  engine: DurableEngine,
): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const run of ids) {
    const steps = await engine.steps(run);
    const begun = scene.counter.begun(run);
    for (const { key, status } of steps) {
      const count = begun[key];
      // The tries of "flaky" are counted together.
      if (status !== "begun" && count !== undefined && key !== "flaky")
        counts.set(`${run} ${key}`, count);
    }
  }
  return counts;
}

describe.each(ENGINES)("on $name, two processes that serve and are killed at random", (kind) => {
  it.each(SEEDS)(
    "end all runs and repeat no step that was kept (seed %i)",
    async (seed) => {
      await using scene = await createProcessScene(kind);
      const random = createRandom(seed);
      const engine = await scene.open();
      const serve = (): Promise<Process> => scene.spawn({ do: "serve", concurrency: 5 });

      const servers = [await serve(), await serve()];
      const starter = await scene.spawn(
        ids.map((id, n) => ({
          do: "start" as const,
          flow: flowOf(n),
          input: 10,
          options: { id, queue: "q" },
        })),
        { isClient: true },
      );
      await scene.until(async () => (await engine.list({ queue: "q" })).length === RUNS);
      const seen: ReadonlyMap<string, number>[] = [];
      for (let kill = 1; kill <= KILLS; kill++) {
        const goal = (await scene.kept()).length + 5 + Math.floor(random() * 25);
        const isOver = async (): Promise<boolean> =>
          (await engine.list({ queue: "q", phases: ["done"] })).length === RUNS;
        await scene.until(async () => (await scene.kept()).length >= goal || (await isOver()));
        const at = Math.floor(random() * servers.length);
        servers[at]?.kill("SIGKILL");
        await servers[at]?.exited;
        seen.push(await keptCounts(scene, engine));
        servers[at] = await serve();
      }
      expect(await starter.exited).toBe("0");

      const last = await keptCounts(scene, engine);
      const repeated = seen.flatMap((counts) =>
        [...counts].filter(([step, count]) => last.get(step) !== count).map(([step]) => step),
      );
      const runs = await engine.list({ queue: "q" });
      expect(repeated).toEqual([]);
      expect(runs.map(({ phase }) => phase)).toEqual(runs.map(() => "done"));
      for (const [n, id] of ids.entries())
        expect(Object.keys(scene.counter.ended(id)), id).toHaveLength(STEPS[flowOf(n)]);
    },
    60_000,
  );
});
