// Steps: their keys, their tries, and how long each may take.

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable, StepContext } from "../../../../src/orchestration/durable/durable.ts";
import { createScene, failureOf, interrupted, NEVER, type Scene, type Subject } from "./scene.ts";

const flow = <O extends Json>(run: (d: Durable) => Promise<O>) => ({
  name: "child",
  version: "1",
  run,
});

/** A step's function that fails as often as told, and notes when it was called and with which attempt. */
function failing(scene: Scene, times: number) {
  const calls: { readonly at: number; readonly attempt: number }[] = [];
  const fn = async ({ attempt }: StepContext): Promise<string> => {
    calls.push({ at: scene.clock.now(), attempt });
    if (calls.length <= times)
      throw new BosunError("model/overloaded", `call ${calls.length}`, { retryable: true });
    return "done";
  };
  const gaps = (): number[] => calls.slice(1).map(({ at }, n) => at - (calls[n]?.at ?? 0));
  return { calls, fn, gaps };
}

/** Bodies with keys that a careless journal takes for one, and what they come to. */
const LOOKALIKES: readonly (readonly [string, (d: Durable) => Promise<Json>, Json])[] = [
  [
    "a child's step",
    async (d) => [
      await d.step("kid/a", async () => "parent's"),
      await d.child(
        "kid",
        flow((kid) => kid.step("a", async () => "child's")),
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
        flow(async (kid) => [
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
            flow(async (kid) => [kid.runId, kid.rootId]),
            null,
          ).result,
        ],
        { id, input: { x: 1 } },
      );

      expect(seen).toEqual([{ x: 1 }, id, id, ["one", 1], [`${id}/kid`, id]]);
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
            flow(async () => 1),
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
          flow((kid) => kid.step("same", async () => 2)),
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
  triesCases(subject);
  timeCases(subject);
}

function triesCases(subject: Subject): void {
  describe("a step that is tried again", () => {
    it("waits longer before each try, up to a limit, and counts its attempts", async () => {
      await using scene = await createScene(subject);
      const { fn, calls, gaps } = failing(scene, 4);

      const output = await scene.run((d) =>
        d.step("s", fn, { retries: 4, backoffMs: 20, maxBackoffMs: 70 }),
      );

      expect(output).toBe("done");
      expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3, 4, 5]);
      for (const [n, least] of [20, 40, 70, 70].entries())
        expect(gaps()[n]).toBeGreaterThanOrEqual(least - 1);
    });

    it("fails with its last error when its tries are used up", async () => {
      await using scene = await createScene(subject);
      const { fn, calls } = failing(scene, 100);

      const running = scene.run((d) => d.step("s", fn, { retries: 2, backoffMs: 1 }));

      await expect(running).rejects.toMatchObject({
        code: "model/overloaded",
        message: "call 3",
        retryable: true,
      });
      expect(calls).toHaveLength(3);
    });

    it("is not tried again for an error that is not worth it", async () => {
      await using scene = await createScene(subject);
      const { fn, calls } = failing(scene, 100);

      const code = await failureOf(
        scene.run((d) =>
          d.step("s", fn, {
            retries: 5,
            backoffMs: 1,
            retryIf: ({ code: c }) => c === "tool/failed",
          }),
        ),
      );

      expect([code, calls.length]).toEqual(["model/overloaded", 1]);
    });

    it("goes on with its count in a later execution", async () => {
      await using scene = await createScene(subject);
      const attempts: number[] = [];

      const { output } = await interrupted(scene, async (d, halt) => {
        const tried = d.step(
          "s",
          async ({ attempt }) => {
            attempts.push(attempt);
            if (attempts.length < 4) throw new BosunError("tool/failed", `try ${attempts.length}`);
            return attempts.length;
          },
          { retries: 3, backoffMs: 100 },
        );
        tried.catch(() => undefined);
        // Two tries have failed when the body halts (at 0 and 100 ms; the third would come at 300).
        await d.sleep("until two tries", 200);
        await halt(null);
        return tried;
      });

      expect(output).toBe(4);
      expect(attempts).toEqual([1, 2, 3, 4]);
    });
  });
}

function timeCases(subject: Subject): void {
  describe("the time of a step", () => {
    it("is limited: its signal aborts, and it fails as run/step-timed-out", async () => {
      await using scene = await createScene(subject);
      const reasons: unknown[] = [];

      const running = scene.run((d) =>
        d.step(
          "slow",
          async ({ signal }) => {
            signal.addEventListener("abort", () => reasons.push(signal.reason));
            return NEVER;
          },
          { timeoutMs: 30 },
        ),
      );

      await expect(running).rejects.toMatchObject({ code: "run/step-timed-out", retryable: true });
      expect(reasons).toMatchObject([{ code: "run/step-timed-out" }]);
    });

    it("is that of one try, and the next try has it anew", async () => {
      await using scene = await createScene(subject);
      let calls = 0;

      const output = await scene.run((d) =>
        d.step("s", () => (++calls < 3 ? NEVER : Promise.resolve(calls)), {
          retries: 2,
          backoffMs: 1,
          timeoutMs: 30,
        }),
      );

      expect(output).toBe(3);
    });

    it("is never longer than the engine allows, whatever the step asks for", async () => {
      await using scene = await createScene(subject, { maxStepMs: 40 });

      const codes = [
        await failureOf(scene.run((d) => d.step("s", () => NEVER, { timeoutMs: 3_600_000 }))),
        await failureOf(scene.run((d) => d.step("s", () => NEVER, {}))),
        await failureOf(scene.run((d) => d.step("s", () => NEVER))),
      ];

      expect(scene.engine.caps.maxStepMs).toBe(40);
      expect(codes).toEqual(Array.from({ length: 3 }, () => "run/step-timed-out"));
    }, 10_000);

    it("that was over is over in a later execution too", async () => {
      await using scene = await createScene(subject);
      let calls = 0;

      const { seen } = await interrupted(scene, async (d, halt) => {
        const code = await failureOf(
          d.step(
            "s",
            () => {
              calls++;
              return NEVER;
            },
            { timeoutMs: 30 },
          ),
        );
        await halt(code);
        return null;
      });

      expect(seen).toEqual(["run/step-timed-out", "run/step-timed-out"]);
      expect(calls).toBe(1);
    });
  });

  describe("the time of a run", () => {
    it("is limited: run/timed-out, or the error that was given for it", async () => {
      await using scene = await createScene(subject);
      const timeoutError = (): Error => new BosunError("task/timed-out", "too slow");

      const codes = [
        await failureOf(scene.run((d) => d.sleep("s", 600_000).then(() => 1), { timeoutMs: 30 })),
        await failureOf(
          scene.run((d) => d.step("s", () => NEVER), { timeoutMs: 30, timeoutError }),
        ),
      ];

      expect(codes).toEqual(["run/timed-out", "task/timed-out"]);
    });

    it("fails the run, which has ended then", async () => {
      await using scene = await createScene(subject);

      const handle = await scene.start((d) => d.sleep("s", 600_000).then(() => 1), {
        timeoutMs: 30,
      });
      await failureOf(handle.result());

      expect(await scene.engine.find(handle.id)).toMatchObject({
        phase: "failed",
        error: expect.any(String),
        endedAt: expect.any(Number),
      });
    });

    it("stands still while the run waits for somebody", async () => {
      await using scene = await createScene(subject);

      const output = await scene.run(
        async (d) => (await d.wait("w", { timeoutMs: 200 })) ?? "nothing",
        { timeoutMs: 100 },
      );

      expect(output).toBe("nothing");
    });
  });
}
