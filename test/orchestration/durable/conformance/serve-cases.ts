// Serving: who takes which runs.

import { describe, expect, it } from "vitest";
import { endOf, queueOf, watcher } from "./queue-scene.ts";
import { createScene, type Subject } from "./scene.ts";

export function serveCases(subject: Subject): void {
  describe("serving", () => {
    it("takes runs that lost their process", async () => {
      await using scene = await createScene(subject);
      const queue = `${scene.name}-q`;
      const stop = new AbortController();
      const before = new AbortController();

      const { id } = await scene.start(
        (d) => d.wait("w", { timeoutMs: 3_600_000 }).then((value) => value ?? "nothing"),
        { queue },
      );
      const first = scene.engine.serve({ concurrency: 2, queues: [queue] }, before.signal);
      await scene.reached(id, "waiting");
      await scene.restart();
      before.abort();
      await first;
      const serving = scene.engine.serve({ concurrency: 2, queues: [queue] }, stop.signal);
      await scene.engine.send(id, "w", "found");
      const output = await (await scene.engine.get(id)).result();
      stop.abort();
      await serving;

      expect(output).toBe("found");
    });

    it("leaves a run alone whose version this process does not know", async () => {
      await using scene = await createScene(subject);
      await using queue = queueOf(scene);
      const known = scene.flow(async () => "known");
      const unknown = { name: known.name, version: "2", run: async () => "unknown" };

      const later = await scene.engine.start(unknown, null, {
        id: scene.id(),
        queue: queue.name,
        priority: -1,
      });
      const now = await scene.engine.start(known, null, { id: scene.id(), queue: queue.name });
      await scene.restart([known]);
      queue.serve(1);
      const output = await (await scene.engine.get(now.id)).result();

      expect(output).toBe("known");
      expect(await scene.engine.find(later.id)).toMatchObject({ phase: "queued", version: "2" });
    });

    it("ends when its signal aborts, and begins nothing more", async () => {
      await using scene = await createScene(subject);
      const queue = `${scene.name}-q`;
      const stop = new AbortController();

      const serving = scene.engine.serve({ concurrency: 1, queues: [queue] }, stop.signal);
      stop.abort();
      await serving;
      const { id } = await scene.start(async () => 1, { queue });
      await scene.pass(100);

      expect(await scene.engine.find(id)).toMatchObject({ phase: "queued" });
    });

    it("by two processes executes each run in one of them", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();
      await using queue = queueOf(scene);
      const { body, begun } = watcher(scene);

      const runs = await Promise.all(
        Array.from({ length: 30 }, (_, input) => queue.put(body, { input })),
      );
      queue.serve(4);
      queue.serve(4, other);
      await endOf(runs);

      expect(begun).toHaveLength(30);
      expect(new Set(begun).size).toBe(30);
    });
  });
}
