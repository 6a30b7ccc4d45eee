// What a run gets from outside: signals that come in time, early, twice, late, and from elsewhere.

import { describe, expect, it } from "vitest";
import type { Json } from "../../../../src/json.ts";
import type { Durable } from "../../../../src/orchestration/durable/durable.ts";
import { createScene, failureOf, resumed, type Subject } from "./scene.ts";

const LONG = { timeoutMs: 3_600_000 };

const answer = async (d: Durable): Promise<Json> => (await d.wait("w", LONG)) ?? "nothing";

export function waitCases(subject: Subject): void {
  describe("a wait", () => {
    it("gets what is sent under its name", async () => {
      await using scene = await createScene(subject);

      const handle = await scene.start(answer);
      await scene.reached(handle.id, "waiting");
      const changed = await scene.engine.send(handle.id, "w", { a: [1] });

      expect(changed).toBe(true);
      expect(await handle.result()).toEqual({ a: [1] });
    });

    it("gets what its own process gives it", async () => {
      await using scene = await createScene(subject);

      const handle = await scene.start(answer);
      await scene.reached(handle.id, "waiting");
      const changed = scene.engine.signal(handle.id, "w", "from here");

      expect(changed).toBe(true);
      expect(await handle.result()).toBe("from here");
    });

    it("gets what was sent before it began", async () => {
      await using scene = await createScene(subject);

      const handle = await scene.start(async (d) => {
        await d.sleep("first", 60);
        return answer(d);
      });
      await scene.engine.send(handle.id, "w", "early");

      expect(await handle.result()).toBe("early");
    });

    it("gets what was sent before its run was begun", async () => {
      await using scene = await createScene(subject);
      const stop = new AbortController();

      const handle = await scene.start(answer, { queue: `${scene.name}-q` });
      await scene.engine.send(handle.id, "w", "very early");
      const serving = scene.engine.serve(
        { concurrency: 1, queues: [`${scene.name}-q`] },
        stop.signal,
      );
      const output = await handle.result();
      stop.abort();
      await serving;

      expect(output).toBe("very early");
    });

    it("gets the first of two, and the second one is told that it changes nothing", async () => {
      await using scene = await createScene(subject);

      const handle = await scene.start(async (d) => {
        const got = await answer(d);
        await d.sleep("meanwhile", 50);
        return got;
      });
      const early = [
        await scene.engine.send(handle.id, "w", "first"),
        await scene.engine.send(handle.id, "w", "second"),
      ];

      expect(await handle.result()).toBe("first");
      expect(early).toEqual([true, false]);
    });

    it("gets nothing when its time is over, and what comes then is late", async () => {
      await using scene = await createScene(subject);

      const handle = await scene.start(async (d) => {
        const got = (await d.wait("w", { timeoutMs: 20 })) ?? "nothing";
        await d.wait("end", LONG);
        return got;
      });
      await scene.pass(150);
      await scene.reached(handle.id, "waiting");
      const late = await scene.engine.send(handle.id, "w", "late");
      await scene.engine.send(handle.id, "end", true);

      expect(await handle.result()).toBe("nothing");
      expect(late).toBe(false);
    });

    it("takes null, false, 0 and an empty text for values", async () => {
      await using scene = await createScene(subject);
      const values = [null, false, 0, ""];

      const handle = await scene.start(async (d) => {
        const got: Json[] = [];
        for (const n of values.keys()) {
          const value = await d.wait(`w${n}`, LONG);
          got.push(value === undefined ? "nothing" : value);
        }
        return got;
      });
      for (const [n, value] of values.entries()) await scene.engine.send(handle.id, `w${n}`, value);

      expect(await handle.result()).toEqual([null, false, 0, ""]);
    });

    it("of a child gets what is sent to the root run", async () => {
      await using scene = await createScene(subject);

      const handle = await scene.start(
        (d) => d.child("kid", { name: "kid", version: "1", run: answer }, null).result,
      );
      await scene.reached(handle.id, "waiting");
      await scene.engine.send(handle.id, "w", 2);

      expect(await handle.result()).toBe(2);
    });
  });
  signalCases(subject);
}

function signalCases(subject: Subject): void {
  describe("a signal", () => {
    // Other processes live in real time.
    it.runIf(subject.time === "real")("reaches a run that another process executes", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();

      const handle = await scene.start(answer);
      await scene.reached(handle.id, "waiting");
      const changed = await other.send(handle.id, "w", "from elsewhere");

      expect(changed).toBe(true);
      expect(await handle.result()).toBe("from elsewhere");
    });

    it("reaches a run that nobody executes, when it goes on", async () => {
      await using scene = await createScene(subject);

      const { id } = await scene.start(answer);
      await scene.reached(id, "waiting");
      await scene.restart();
      const changed = await scene.engine.send(id, "w", "while away");
      const again = await resumed(scene, id);

      expect(changed).toBe(true);
      expect(await again.result()).toBe("while away");
    });

    it("that was answered stays answered in a later execution", async () => {
      await using scene = await createScene(subject);

      const { id } = await scene.start(async (d) => {
        const got = await answer(d);
        await d.wait("end", LONG);
        return got;
      });
      await scene.engine.send(id, "w", "first");
      await scene.until(async () => (await scene.engine.find(id))?.phase === "waiting");
      await scene.restart();
      const again = await resumed(scene, id);
      const second = await scene.engine.send(id, "w", "second");
      await scene.engine.send(id, "end", 1);

      expect(second).toBe(false);
      expect(await again.result()).toBe("first");
    });

    it("to a run that there is not is refused, and one to a run that has ended changes nothing", async () => {
      await using scene = await createScene(subject);

      const handle = await scene.start(async () => 1);
      await handle.result();

      expect(await failureOf(scene.engine.send(scene.id(), "w", 1))).toBe("run/unknown");
      expect(await scene.engine.send(handle.id, "w", 1)).toBe(false);
      expect(scene.engine.signal(handle.id, "w", 1)).toBe(false);
      expect(scene.engine.signal(scene.id(), "w", 1)).toBe(false);
    });
  });
}
