// Ending a run from outside, wherever it stands.

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { Durable } from "../../../../src/orchestration/durable/durable.ts";
import {
  type Body,
  codeOf,
  createScene,
  failureOf,
  NEVER,
  resumed,
  type Subject,
} from "./scene.ts";

/** What a run may be doing, and the phase in which it is while it does. */
const STANDS: readonly (readonly [string, Body<number>])[] = [
  ["in a step", (d) => d.step("stuck", () => NEVER)],
  ["in a sleep", (d) => d.sleep("long", 3_600_000).then(() => 1)],
  ["in a wait", (d) => d.wait("w", { timeoutMs: 3_600_000 }).then(() => 1)],
  ["in a race", (d) => d.race("r", { a: d.sleep("long", 3_600_000), b: NEVER }).then(() => 1)],
  [
    "in a child's step",
    (d) =>
      d.child(
        "kid",
        { name: "kid", version: "1", run: (k: Durable) => k.step("s", () => NEVER) },
        1,
      ).result,
  ],
  [
    "in a child's sleep",
    (d) =>
      d.child(
        "kid",
        { name: "kid", version: "1", run: (k: Durable) => k.sleep("s", 3_600_000).then(() => 1) },
        1,
      ).result,
  ],
  [
    "in the wait before a step's next try",
    (d) =>
      d.step(
        "fails",
        async () => {
          throw new BosunError("tool/failed", "no");
        },
        { retries: 3, backoffMs: 3_600_000, maxBackoffMs: 3_600_000 },
      ),
  ],
];

export function cancelCases(subject: Subject): void {
  describe("cancelling a run", () => {
    it.each(STANDS)("ends it %s", async (_where, body) => {
      await using scene = await createScene(subject);
      const began = Promise.withResolvers<void>();

      const handle = await scene.start(async (d) => {
        await d.step("begins", async () => 1);
        began.resolve();
        return body(d, null);
      });
      const failure = failureOf(handle.result());
      await began.promise;
      await scene.pass(30);
      const changed = await scene.engine.cancel(handle.id, "enough");

      expect(changed).toBe(true);
      expect(await failure).toBe("run/cancelled");
      await scene.reached(handle.id, "cancelled");
      expect(await scene.engine.find(handle.id)).toMatchObject({ phase: "cancelled" });
    });

    it("aborts the signal of a step under way, in a child too, with the reason", async () => {
      await using scene = await createScene(subject);
      const began = Promise.withResolvers<void>();
      const reasons: unknown[] = [];

      const handle = await scene.start(
        (d) =>
          d.child(
            "kid",
            {
              name: "kid",
              version: "1",
              run: (kid: Durable) =>
                kid.step("s", async ({ signal }) => {
                  signal.addEventListener("abort", () => reasons.push(signal.reason));
                  began.resolve();
                  return NEVER;
                }),
            },
            null,
          ).result,
      );
      const failure = handle.result().catch((error: unknown) => error);
      await began.promise;
      await scene.engine.cancel(handle.id, "too expensive");
      const error = await failure;

      expect(reasons).toMatchObject([{ code: "run/cancelled" }]);
      expect(error).toMatchObject({ code: "run/cancelled", message: /too expensive/ });
    });

    // Other processes live in real time.
    it.runIf(subject.time === "real")("ends one that another process executes", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();
      const began = Promise.withResolvers<void>();
      const reasons: unknown[] = [];

      const handle = await scene.start((d) =>
        d.step("s", async ({ signal }) => {
          signal.addEventListener("abort", () => reasons.push(signal.reason));
          began.resolve();
          return NEVER;
        }),
      );
      const failure = failureOf(handle.result());
      await began.promise;
      const changed = await other.cancel(handle.id, "enough");

      expect(changed).toBe(true);
      expect(await failure).toBe("run/cancelled");
      expect(reasons).toMatchObject([{ code: "run/cancelled" }]);
    });

    it("ends one that waits in a queue, which then never begins", async () => {
      await using scene = await createScene(subject);
      const queue = `${scene.name}-q`;
      const begun: string[] = [];
      const stop = new AbortController();

      const note = async (d: Durable): Promise<string> => {
        begun.push(d.runId);
        return d.runId;
      };
      const [one, two] = [await scene.start(note, { queue }), await scene.start(note, { queue })];
      const changed = await scene.engine.cancel(one.id, "not needed");
      const failure = failureOf(one.result());
      const serving = scene.engine.serve({ concurrency: 1, queues: [queue] }, stop.signal);
      await two.result();
      stop.abort();
      await serving;

      expect(changed).toBe(true);
      expect(await failure).toBe("run/cancelled");
      expect(begun).toEqual([two.id]);
      expect(await scene.engine.find(one.id)).toMatchObject({ phase: "cancelled" });
    });

    it("changes nothing the second time, nor for a run that has ended", async () => {
      await using scene = await createScene(subject);

      const done = await scene.start(async () => 1);
      await done.result();
      const slow = await scene.start((d) => d.sleep("s", 3_600_000).then(() => 1));
      const failure = failureOf(slow.result());
      const changes = [
        await scene.engine.cancel(done.id, "late"),
        await scene.engine.cancel(slow.id, "first"),
      ];
      await failure;
      changes.push(await scene.engine.cancel(slow.id, "second"));

      expect(changes).toEqual([false, true, false]);
      expect(await done.result()).toBe(1);
    });

    it("is refused for a run that there is not", async () => {
      await using scene = await createScene(subject);

      expect(await failureOf(scene.engine.cancel(scene.id(), "why"))).toBe("run/unknown");
    });

    it("ends one that nobody executes, and it cannot be resumed", async () => {
      await using scene = await createScene(subject);

      const { id } = await scene.start((d) => d.wait("w", { timeoutMs: 3_600_000 }).then(() => 1));
      await scene.reached(id, "waiting");
      await scene.restart();
      const changed = await scene.engine.cancel(id, "gone anyway");
      await scene.reached(id, "cancelled");

      expect(changed).toBe(true);
      expect(await failureOf(scene.engine.resume(id))).toBe("run/ended");
      expect(await failureOf((await scene.engine.get(id)).result())).toBe("run/cancelled");
    });

    it("holds also when its process ends before the run could", async () => {
      await using scene = await createScene(subject);
      const began = Promise.withResolvers<void>();
      let calls = 0;

      const { id } = await scene.start((d) =>
        d.step("deaf", () => {
          began.resolve();
          return ++calls === 1 ? NEVER : Promise.resolve(calls);
        }),
      );
      await began.promise;
      const changed = await scene.engine.cancel(id, "enough");
      await scene.restart();
      const code = await resumed(scene, id).then(
        (again) => failureOf(again.result()),
        (error: unknown) => codeOf(error),
      );
      await scene.reached(id, "cancelled");

      expect(changed).toBe(true);
      expect(["run/cancelled", "run/ended"]).toContain(code);
      expect(calls).toBe(1);
    });

    it("lets a body catch it and say what it has, which does not count as done", async () => {
      await using scene = await createScene(subject);
      const began = Promise.withResolvers<void>();
      const cleaned: string[] = [];

      const handle = await scene.start(async (d) => {
        try {
          began.resolve();
          await d.sleep("long", 3_600_000);
        } finally {
          cleaned.push("yes");
        }
        return 1;
      });
      const failure = failureOf(handle.result());
      await began.promise;
      await scene.engine.cancel(handle.id, "enough");

      expect(await failure).toBe("run/cancelled");
      expect(cleaned).toEqual(["yes"]);
    });

    it("happens when the signal of its start aborts", async () => {
      await using scene = await createScene(subject);
      const controller = new AbortController();

      const handle = await scene.start((d) => d.sleep("s", 3_600_000).then(() => 1), {
        signal: controller.signal,
      });
      const failure = failureOf(handle.result());
      controller.abort(new BosunError("run/cancelled", "from its starter"));

      expect(await failure).toBe("run/cancelled");
      await scene.reached(handle.id, "cancelled");
    });
  });
}
