// Queues: which run begins next, and how many at once.

import { describe, expect, it } from "vitest";
import type { Json } from "../../../../src/json.ts";
import type { RunHandle } from "../../../../src/orchestration/durable/engine.ts";
import { endOf, queueOf, watcher } from "./queue-scene.ts";
import { type Body, createScene, failureOf, NEVER, type Subject } from "./scene.ts";

export function queueCases(subject: Subject): void {
  describe("a queue", () => {
    it("holds its runs until somebody serves it", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      const { body, begun } = watcher(scene);

      const run = await queue.put(body);
      await scene.pass(100);
      const before = [await scene.engine.find(run.id), begun.length];
      queue.serve(1);
      await run.result();

      expect(before).toMatchObject([{ phase: "queued", queue: queue.name, executions: 0 }, 0]);
      expect(await scene.engine.find(run.id)).toMatchObject({ phase: "done", executions: 1 });
    });

    it("begins first what is lowest in priority, then what came first", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      const { body, begun } = watcher(scene);

      const runs: RunHandle<Json>[] = [];
      for (const [input, priority] of [
        ["a", 5],
        ["b", undefined],
        ["c", -1],
        ["d", 5],
        ["e", 0],
      ] as const)
        runs.push(await queue.put(body, { input, priority }));
      queue.serve(1);
      await endOf(runs);

      expect(begun).toEqual(["c", "b", "e", "a", "d"]);
    });

    it("is served with no more runs at once than a process asks for", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      const { body, begun, most } = watcher(scene);

      const runs = await Promise.all(Array.from({ length: 9 }, () => queue.put(body)));
      queue.serve(3);
      await endOf(runs);

      expect(begun).toHaveLength(9);
      expect(most()).toBe(3);
    });

    it("has no more runs at once than its limit, over all processes", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();
      await using queue = queueOf(scene);
      const { body, begun, most } = watcher(scene);
      await queue.limit({ concurrency: 3 });

      const runs = await Promise.all(Array.from({ length: 12 }, () => queue.put(body)));
      queue.serve(10);
      queue.serve(10, other);
      await endOf(runs);

      expect(begun).toHaveLength(12);
      expect(most()).toBeLessThanOrEqual(3);
    });

    it("has no more runs of one tenant at once than its limit, and lets those of others pass", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      await queue.limit({ perTenant: 1 });
      const gate = Promise.withResolvers<void>();
      const begun: Json[] = [];
      const body: Body<null> = async (d, input) => {
        begun.push(input);
        return d.step("gate", () => gate.promise.then(() => null));
      };

      const runs: RunHandle<Json>[] = [];
      for (const [input, tenant] of [
        ["a1", "a"],
        ["a2", "a"],
        ["b1", "b"],
        ["none1", undefined],
        ["none2", undefined],
      ] as const)
        runs.push(await queue.put(body, { input, tenant }));
      queue.serve(10);
      await scene.until(() => begun.length >= 4);
      await scene.pass(60);
      const whileHeld = [...begun];
      gate.resolve();
      await endOf(runs);

      expect(new Set(whileHeld)).toEqual(new Set(["a1", "b1", "none1", "none2"]));
      expect(begun).toHaveLength(5);
    });

    it("begins no more runs in a window than its rate", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      const { body, at } = watcher(scene);
      await queue.limit({ rate: { count: 2, ms: 150 } });

      const runs = await Promise.all(Array.from({ length: 6 }, () => queue.put(body)));
      queue.serve(10);
      await endOf(runs);

      expect(at).toHaveLength(6);
      // A body begins a little after its run is claimed, so two neighbours may be nearer than their claims were.
      for (const n of [0, 1, 2, 3])
        expect((at[n + 2] ?? 0) - (at[n] ?? 0)).toBeGreaterThanOrEqual(150 - 30);
    });

    it("refuses one run more than may wait in it, and takes it again when there is room", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      const { body } = watcher(scene);
      await queue.limit({ maxDepth: 2 });

      const runs = [await queue.put(body), await queue.put(body)];
      const refused = await failureOf(queue.put(body));
      queue.serve(2);
      await endOf(runs);
      runs.push(await queue.put(body));
      await endOf(runs);

      expect(refused).toBe("run/queue-full");
    });

    it("takes a run that it has already, also when it is full", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      await queue.limit({ maxDepth: 1 });
      const flow = scene.flow(async () => "once");
      const options = { id: scene.id(), queue: queue.name };

      const first = await scene.engine.start(flow, null, options);
      const second = await scene.engine.start(flow, null, options);
      queue.serve(1);

      expect([await first.result(), await second.result()]).toEqual(["once", "once"]);
    });

    it("gives the place of a run that waits for somebody to another one", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      await queue.limit({ concurrency: 1 });

      const waiting = await queue.put(
        async (d) => (await d.wait("w", { timeoutMs: 3_600_000 })) ?? "nothing",
      );
      queue.serve(1);
      await scene.reached(waiting.id, "waiting");
      const other = await queue.put(async () => "passed");
      const passed = await other.result();
      await scene.engine.send(waiting.id, "w", "go on");

      expect([passed, await waiting.result()]).toEqual(["passed", "go on"]);
    });

    it("begins a delayed run no earlier than its time, and lets others pass meanwhile", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      const { body, begun, at } = watcher(scene);

      const startedAt = scene.clock.now();
      const late = await queue.put(body, { input: "late", delayMs: 200, priority: -5 });
      const soon = await queue.put(body, { input: "soon" });
      queue.serve(1);
      await endOf([late, soon]);

      expect(begun).toEqual(["soon", "late"]);
      expect(at[1]).toBeGreaterThanOrEqual(startedAt + 199);
    });

    // How a claim reads the file; a server has its own queue.
    it.runIf(subject.kind.hasLeases)(
      "begins a run behind more than a thousand others that wait for somebody",
      async () => {
        await using scene = await createScene(subject);
        await using queue = queueOf(scene);
        const waits = scene.flow((d) => d.wait("w", { timeoutMs: 36_000_000 }).then(() => 1));

        const waiting = await Promise.all(
          Array.from({ length: 1_005 }, () =>
            scene.engine.start(waits, null, { id: scene.id(), queue: queue.name }),
          ),
        );
        queue.serve(2_000);
        for (const { id } of waiting) await scene.reached(id, "waiting");
        const last = await queue.put(async () => "begun");

        expect(await last.result()).toBe("begun");
      },
      60_000,
    );

    // How a claim reads the file; a server has its own queue.
    it.runIf(subject.kind.hasLeases)(
      "begins a run behind more than a thousand others that their tenant's limit holds back",
      async () => {
        await using scene = await createScene(subject);
        await using queue = queueOf(scene);
        await queue.limit({ perTenant: 1 });
        const waits = scene.flow((d) => d.step("held", () => NEVER));

        await Promise.all(
          Array.from({ length: 1_005 }, () =>
            scene.engine.start(waits, null, { id: scene.id(), queue: queue.name, tenant: "many" }),
          ),
        );
        queue.serve(5);
        const last = await queue.put(async () => "begun", { tenant: "other" });

        expect(await last.result()).toBe("begun");
      },
      60_000,
    );

    it("is left alone by a process that serves other ones", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      const { body } = watcher(scene);
      const stop = new AbortController();

      const run = await queue.put(body);
      const serving = scene.engine.serve(
        { concurrency: 5, queues: [`${scene.name}-other`] },
        stop.signal,
      );
      await scene.pass(100);
      const phase = (await scene.engine.find(run.id))?.phase;
      stop.abort();
      await serving;

      expect(phase).toBe("queued");
    });
  });
}
