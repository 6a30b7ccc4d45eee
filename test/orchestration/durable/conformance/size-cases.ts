// Many children, many steps.

import { describe, expect, it } from "vitest";
import type { Durable } from "../../../../src/orchestration/durable/durable.ts";
import { createScene, interrupted, type Subject } from "./scene.ts";

export function sizeCases(subject: Subject): void {
  describe("a large run", () => {
    it("has 200 steps at once", async () => {
      await using scene = await createScene(subject);

      const { output, executed } = await interrupted(scene, async (_d, halt, counted) => {
        const values = await Promise.all(
          Array.from({ length: 200 }, (_, n) => counted(`s${n}`, n, n % 7)),
        );
        await halt(null);
        return values;
      });

      expect(output).toEqual(Array.from({ length: 200 }, (_, n) => n));
      expect(new Set(executed).size).toBe(200);
      expect(executed).toHaveLength(200);
    }, 60_000);

    it("has 200 children at once, each with steps of its own", async () => {
      await using scene = await createScene(subject);
      const calls: string[] = [];
      const child = (n: number) => ({
        name: "child",
        version: "1",
        run: async (own: Durable): Promise<number> => {
          let sum = 0;
          for (const key of ["a", "b"])
            sum += await own.step(key, async () => {
              calls.push(`${n}/${key}`);
              return n;
            });
          return sum;
        },
      });

      const { output } = await interrupted(scene, async (d, halt) => {
        const kids = Array.from({ length: 200 }, (_, n) => d.child(`kid:${n}`, child(n), null));
        const values = await Promise.all(kids.map(({ result }) => result));
        await halt(null);
        return values;
      });

      expect(output).toEqual(Array.from({ length: 200 }, (_, n) => 2 * n));
      expect(calls).toHaveLength(400);
    }, 60_000);

    it("has 5,000 steps one after the other, and repeats none of them", async () => {
      await using scene = await createScene(subject);

      const { output, executed, id } = await interrupted(scene, async (_d, halt, counted) => {
        let sum = 0;
        for (let n = 0; n < 5_000; n++) sum += await counted(`s${n}`, n);
        await halt(sum);
        return sum;
      });

      expect(output).toBe((5_000 * 4_999) / 2);
      expect(executed).toHaveLength(5_000);
      expect(await scene.engine.steps(id)).toHaveLength(5_001);
    }, 120_000);
  });
}
