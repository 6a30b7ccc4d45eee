// The tries of a step, and how long each, and a whole run, may take.

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { StepContext } from "../../../../src/orchestration/durable/durable.ts";
import { createScene, failureOf, interrupted, NEVER, type Scene, type Subject } from "./scene.ts";

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

export function tryCases(subject: Subject): void {
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
  timeCases(subject);
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

      const codes = [
        await failureOf(scene.run((d) => d.sleep("s", 600_000).then(() => 1), { timeoutMs: 30 })),
        await failureOf(
          scene.run((d) => d.step("s", () => NEVER), {
            timeoutMs: 30,
            timeoutError: () => new BosunError("task/timed-out", "too slow"),
          }),
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
