// What comes to a body comes again, the same and in the same order, when another execution repeats it (D1, D5).

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable } from "../../../../src/orchestration/durable/durable.ts";
import { childFlow, createScene, factsOf, interrupted, type Subject } from "./scene.ts";

export function replayCases(subject: Subject): void {
  describe("an execution after the first one", () => {
    it("executes no step again that is kept, and gives its value, also an undefined one", async () => {
      await using scene = await createScene(subject);

      const { seen, executed, output } = await interrupted(scene, async (d, halt, counted) => {
        const one = await counted("one", { a: [1, null, "ä"] });
        const none = await d.step("none", async () => undefined);
        await halt([one, none === undefined]);
        return [one, none === undefined, await counted("two", 2)];
      });

      expect(seen).toEqual([
        [{ a: [1, null, "ä"] }, true],
        [{ a: [1, null, "ä"] }, true],
      ]);
      expect(executed).toEqual(["one", "two"]);
      expect(output).toEqual([{ a: [1, null, "ä"] }, true, 2]);
    });

    it("gets the errors of steps with their code, message, details, and name", async () => {
      await using scene = await createScene(subject);
      let calls = 0;
      const fails = (d: Durable, key: string, error: unknown): Promise<Json> =>
        factsOf(
          d.step(key, async () => {
            calls++;
            throw error;
          }),
        );

      const { seen } = await interrupted(scene, async (d, halt) => {
        const facts = [
          await fails(
            d,
            "coded",
            new BosunError("model/overloaded", "full", { retryable: true, details: { n: [1] } }),
          ),
          await fails(d, "plain", new TypeError("no function")),
        ];
        await halt(facts);
        return facts;
      });

      const facts = [
        ["model/overloaded", "full", true, { n: [1] }],
        ["TypeError", "no function"],
      ];
      expect(seen).toEqual([facts, facts]);
      expect(calls).toBe(2);
    });

    it("gets the same times and the same random numbers, others in each child", async () => {
      await using scene = await createScene(subject);

      const { seen } = await interrupted(
        scene,
        async (d, halt) => {
          const times = [await d.now("a"), await d.now("b")];
          const kid = d.child(
            "kid",
            childFlow(async (own) => [own.random(), own.random()]),
            null,
          );
          const all = [times, [d.random(), d.random()], await kid.result];
          await halt(all);
          return null;
        },
        { between: () => scene.pass(20) },
      );

      const [, own, kid] = seen[0] as [number[], number[], number[]]; // `as`: what the body made
      expect(seen[1]).toEqual(seen[0]);
      expect(new Set([...own, ...kid]).size).toBe(4);
      for (const one of [...own, ...kid]) expect(one >= 0 && one < 1).toBe(true);
    });

    it("has the same winners of races, in the order in which steps ended", async () => {
      await using scene = await createScene(subject);

      const { seen } = await interrupted(scene, async (d, halt, counted) => {
        const pending = new Map(
          [80, 20, 60, 40].map((ms) => [`${ms}`, counted(`step ${ms}`, ms, ms)] as const),
        );
        const winners: string[] = [];
        while (pending.size > 0) {
          const key = await d.race(`race:${winners.length}`, pending);
          pending.delete(key);
          winners.push(key);
        }
        await halt(winners);
        return winners;
      });

      expect(seen).toEqual([
        ["20", "40", "60", "80"],
        ["20", "40", "60", "80"],
      ]);
    });

    it("gets what parallel branches of several steps get in one order", async () => {
      await using scene = await createScene(subject);

      const { seen, executed } = await interrupted(scene, async (_d, halt, counted) => {
        const order: string[] = [];
        const branch = async (b: number): Promise<void> => {
          for (let n = 0; n < 4; n++)
            order.push(await counted(`${b}:${n}`, `${b}:${n}`, (b * 7 + n * 13) % 17));
        };
        await Promise.all([0, 1, 2, 3, 4].map(branch));
        await halt(order);
        return order;
      });

      expect(seen[0]).toHaveLength(20);
      expect(seen[1]).toEqual(seen[0]);
      expect(executed).toHaveLength(20);
    });

    it("goes on inside parallel branches where each of them was", async () => {
      await using scene = await createScene(subject);

      const { executed, output } = await interrupted(scene, async (_d, halt, counted) => {
        const branch = async (b: number): Promise<string> => {
          const first = await counted(`${b}:1`, `${b}`, b);
          if (b === 3) await halt(null);
          return first + (await counted(`${b}:2`, "x", b));
        };
        return Promise.all([1, 2, 3, 4, 5].map(branch));
      });

      expect(output).toEqual(["1x", "2x", "3x", "4x", "5x"]);
      for (const b of [1, 2, 3]) expect(executed.filter((key) => key === `${b}:1`)).toHaveLength(1);
    });
  });
}
