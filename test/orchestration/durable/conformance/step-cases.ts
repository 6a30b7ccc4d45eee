// Steps and their keys.

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable } from "../../../../src/orchestration/durable/durable.ts";
import { childFlow, createScene, interrupted, type Subject } from "./scene.ts";

/** Bodies with keys that a careless journal takes for one, and what they come to. */
const LOOKALIKES: readonly (readonly [string, (d: Durable) => Promise<Json>, Json])[] = [
  [
    "a child's step",
    async (d) => [
      await d.step("kid/a", async () => "parent's"),
      await d.child(
        "kid",
        childFlow((kid) => kid.step("a", async () => "child's")),
        null,
      ).result,
    ],
    ["parent's", "child's"],
  ],
  [
    "a child's step by its path",
    (d) =>
      d.child(
        "kid",
        childFlow(async (kid) => [
          await kid.step("a", async () => 1),
          await kid.step("kid/a", async () => 2),
        ]),
        null,
      ).result,
    [1, 2],
  ],
  [
    "a second try",
    async (d) => {
      let calls = 0;
      const fails = async (): Promise<string> => {
        if (++calls === 1) throw new BosunError("tool/failed", "once");
        return "tried";
      };
      return [
        await d.step("a", fails, { retries: 1, backoffMs: 1 }),
        await d.step("a~2", async () => "own"),
      ];
    },
    ["tried", "own"],
  ],
  [
    "a sleep",
    async (d) => {
      await d.sleep("nap", 5);
      return [await d.step("sleep:nap", async () => "own")];
    },
    ["own"],
  ],
  [
    "a wait",
    async (d) => [
      (await d.wait("w", { timeoutMs: 5 })) ?? "nothing",
      await d.step("wait:w", async () => "own"),
    ],
    ["nothing", "own"],
  ],
];

export function stepCases(subject: Subject): void {
  describe("a step", () => {
    it("gets its key and attempt, and a run its ids", async () => {
      await using scene = await createScene(subject);
      const id = scene.id();

      const seen = await scene.run(
        async (d, input) => [
          input,
          d.runId,
          d.rootId,
          await d.step("one", async ({ key, attempt }) => [key, attempt]),
          await d.child(
            "kid",
            childFlow(async (kid) => [kid.runId, kid.rootId]),
            null,
          ).result,
        ],
        { id, input: { x: 1 } },
      );

      expect(seen).toEqual([{ x: 1 }, id, id, ["one", 1], [`${id}/kid`, id]]);
    });

    it("comes after work that each execution does anew, which takes as long as it takes", async () => {
      await using scene = await createScene(subject);
      let done = 0;
      const work = async (): Promise<number> => {
        await new Promise((resolve) => setImmediate(resolve));
        await new Promise((resolve) => setTimeout(resolve, 20)); // oxlint-disable-line no-restricted-globals -- not of any clock: what a body may not await by itself
        return ++done;
      };

      const output = await scene.run(async (d) => {
        const first = await d.step("before", async () => "b");
        const [local, beside] = await Promise.all([
          d.local(work),
          d.step("beside", async () => "s"),
        ]);
        return [first, local > 0, beside, await d.step("after", async () => "a")];
      });

      expect(output).toEqual(["b", true, "s", "a"]);
    });

    it("has a key that nothing else in its run has (D1)", async () => {
      const uses: ((d: Durable) => unknown)[] = [
        (d) => d.step("key", async () => 1),
        (d) => d.sleep("key", 1),
        (d) => d.wait("key", { timeoutMs: 1 }),
        (d) => d.now("key"),
        (d) =>
          d.child(
            "key",
            childFlow(async () => 1),
            null,
          ).result,
        (d) => d.race("key", { a: Promise.resolve(1) }),
      ];
      await using scene = await createScene(subject);

      for (const again of uses) {
        const running = scene.run(async (d) => {
          await d.step("key", async () => 1);
          await again(d);
          return "not refused";
        });
        await expect(running).rejects.toThrow(/"key" twice/);
      }
    });

    it("of a child may have a key of its parent (D1)", async () => {
      await using scene = await createScene(subject);

      const output = await scene.run(async (d) => [
        await d.step("same", async () => 1),
        await d.child(
          "kid",
          childFlow((kid) => kid.step("same", async () => 2)),
          null,
        ).result,
      ]);

      expect(output).toEqual([1, 2]);
    });

    it.each(LOOKALIKES)(
      "never gets the value of another one whose key looks like it: %s",
      async (_what, body, right) => {
        await using scene = await createScene(subject);

        // Refusing such a key is as good as keeping it apart.
        const running = interrupted(scene, async (d, halt) => {
          const values = await body(d);
          await halt(null);
          return values;
        });
        const output = await running.then((one) => one.output).catch(() => "refused");

        expect([right, "refused"]).toContainEqual(output);
      },
    );

    it("may have any text as its key", async () => {
      await using scene = await createScene(subject);
      const keys = [
        "",
        "a b",
        "ä/ü",
        "'; DROP TABLE steps; --",
        "__proto__",
        "k".repeat(1_000),
        "\n",
      ];

      const { output, executed } = await interrupted(scene, async (_d, halt, counted) => {
        const got: string[] = [];
        for (const key of keys) got.push(await counted(key, `v ${key}`));
        await halt(null);
        return got;
      });

      expect(output).toEqual(keys.map((key) => `v ${key}`));
      expect(executed).toEqual(keys);
    });
  });
}
