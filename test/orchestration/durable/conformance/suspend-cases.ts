// Giving runs back: what is under way may end, nothing more begins, and another process goes on.

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import { codeOf, createScene, failureOf, NEVER, resumed, type Subject } from "./scene.ts";

export function suspendCases(subject: Subject): void {
  describe("suspending", () => {
    it("keeps what ends within the grace, begins nothing more, and lets another process go on", async () => {
      await using scene = await createScene(subject);
      const executed: string[] = [];
      const began = Promise.withResolvers<void>();
      const other = await scene.another();
      const handle = await scene.start(async (d) => {
        const got: string[] = [];
        for (const key of ["one", "two", "three"])
          got.push(
            await d.step(key, async ({ signal }) => {
              executed.push(key);
              if (key === "two") {
                began.resolve();
                await scene.clock.sleep(60, signal);
              }
              return key;
            }),
          );
        return got;
      });
      const failure = failureOf(handle.result());

      // `other` got to know the flow when it was made.
      await began.promise;
      await scene.engine.suspend(5_000);
      const executedHere = [...executed];
      const record = await other.find(handle.id);
      const again = await resumed(scene, handle.id, { by: other });

      expect(await failure).toBe("run/suspended");
      expect(executedHere).toEqual(["one", "two"]);
      expect(record).toMatchObject({ phase: "interrupted", endedAt: undefined });
      expect(await again.result()).toEqual(["one", "two", "three"]);
      expect(executed).toEqual(["one", "two", "three"]);
    });

    it("does not wait for a step that takes longer than the grace, which is executed again", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();
      const began = Promise.withResolvers<void>();
      let calls = 0;
      const handle = await scene.start((d) =>
        d.step("stuck", () => {
          began.resolve();
          return ++calls === 1 ? NEVER : Promise.resolve(calls);
        }),
      );
      const failure = failureOf(handle.result());

      await began.promise;
      await scene.engine.suspend(30);
      const again = await resumed(scene, handle.id, { by: other });

      expect(await failure).toBe("run/suspended");
      expect(await again.result()).toBe(2);
    });

    it("keeps no failure that it brings about itself", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();
      const began = Promise.withResolvers<void>();
      let calls = 0;
      const handle = await scene.start(async (d) => {
        const listens = d.step("listens", async ({ signal }) => {
          calls++;
          if (calls > 1) return "done";
          began.resolve();
          await new Promise((_resolve, reject) =>
            signal.addEventListener("abort", () => reject(signal.reason)),
          );
          return "never";
        });
        return Promise.all([listens, d.sleep("nap", 200).then(() => "slept")]);
      });
      const failure = failureOf(handle.result());

      await began.promise;
      await scene.engine.suspend(0);
      const again = await resumed(scene, handle.id, { by: other });

      expect(await failure).toBe("run/suspended");
      expect(await again.result()).toEqual(["done", "slept"]);
    });

    it("as the reason of the caller's abort keeps no failure either, whatever the step makes of it", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();
      const began = Promise.withResolvers<void>();
      const abort = new AbortController();
      let calls = 0;
      const handle = await scene.start(
        (d) =>
          d.step("call", async ({ signal }) => {
            if (++calls > 1) return "answered";
            began.resolve();
            const cut = new BosunError("model/cancelled", "the call was cancelled");
            await new Promise((_resolve, reject) =>
              signal.addEventListener("abort", () => reject(cut)),
            );
            return "never";
          }),
        { signal: abort.signal },
      );
      const failure = failureOf(handle.result());

      await began.promise;
      abort.abort(new BosunError("run/suspended", "given back", { retryable: true }));
      const code = await failure;
      const again = await resumed(scene, handle.id, { by: other });

      expect(code).toBe("run/suspended");
      expect(await again.result()).toBe("answered");
    });

    it("is told to whoever started the run, before its body can do anything about it", async () => {
      await using scene = await createScene(subject);
      const began = Promise.withResolvers<void>();
      const order: string[] = [];
      const handle = await scene.start(
        async (d) => {
          try {
            return await d.step("stuck", () => {
              began.resolve();
              return NEVER;
            });
          } catch (error) {
            order.push(codeOf(error));
            throw error;
          }
        },
        { onSuspend: ({ code }) => void order.push(`told ${code}`) },
      );
      const failure = failureOf(handle.result());

      await began.promise;
      await scene.engine.suspend(0);

      expect(await failure).toBe("run/suspended");
      expect(order[0]).toBe("told run/suspended");
      expect(order.filter((one) => one.startsWith("told"))).toHaveLength(1);
    });

    it("is told to nobody whose run has ended", async () => {
      await using scene = await createScene(subject);
      const told: string[] = [];

      await scene.run(async () => 1, { onSuspend: ({ code }) => void told.push(code) });
      await scene.engine.suspend(0);

      expect(told).toEqual([]);
    });

    it("lets no run begin in this process any more", async () => {
      await using scene = await createScene(subject);

      await scene.engine.suspend(0);

      expect(await failureOf(scene.run(async () => 1))).toBe("run/suspended");
    });

    it("gives back runs of a queue, which whoever serves it takes", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();
      const queue = `${scene.name}-q`;
      const stop = new AbortController();
      let calls = 0;

      const handle = await scene.start(
        (d) => d.step("s", () => (++calls === 1 ? NEVER : Promise.resolve("taken"))),
        { queue },
      );
      const first = scene.engine.serve({ concurrency: 1, queues: [queue] }, stop.signal);
      await scene.until(() => calls === 1);
      await scene.engine.suspend(0);
      const second = other.serve({ concurrency: 1, queues: [queue] }, stop.signal);
      const output = await (await other.get(handle.id)).result();
      stop.abort();
      await Promise.all([first, second]);

      expect(output).toBe("taken");
    });

    it("is what closing an engine does, at once", async () => {
      await using scene = await createScene(subject);
      const began = Promise.withResolvers<void>();
      let calls = 0;

      const handle = await scene.start((d) =>
        d.step("s", () => {
          began.resolve();
          return ++calls === 1 ? NEVER : Promise.resolve(calls);
        }),
      );
      const failure = failureOf(handle.result());
      await began.promise;
      await scene.restart();
      const again = await resumed(scene, handle.id);

      expect(await failure).toBe("run/suspended");
      expect(await again.result()).toBe(2);
    });
  });
}
