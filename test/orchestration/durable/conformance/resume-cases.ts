// Going on with a run, and with a copy of one.

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable } from "../../../../src/orchestration/durable/durable.ts";
import { createScene, failureOf, resumed, type Scene, type Subject } from "./scene.ts";

const wait = (d: Durable): Promise<Json> =>
  d.wait("w", { timeoutMs: 3_600_000 }).then((value) => value ?? "nothing");

export function resumeCases(subject: Subject): void {
  describe("resuming a run", () => {
    it("is refused when it has ended", async () => {
      await using scene = await createScene(subject);

      const handle = await scene.start(async () => 1);
      await handle.result();

      expect(await failureOf(scene.engine.resume(handle.id))).toBe("run/ended");
    });

    it("is refused while another process executes it", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();

      const handle = await scene.start(wait);
      await scene.reached(handle.id, "waiting");
      const code = await failureOf(other.resume(handle.id));
      await scene.engine.send(handle.id, "w", 1);

      expect(code).toBe("run/owned");
      expect(await handle.result()).toBe(1);
    });

    it("goes on with the version that it began with, also beside a newer one", async () => {
      await using scene = await createScene(subject);
      const old = scene.flow(async (d) => ["old", await wait(d)]);
      const newer = { ...old, version: "2", run: async (d: Durable) => ["new", await wait(d)] };
      const unrelated = scene.flow(async () => 1);

      const { id } = await scene.engine.start(old, null, { id: scene.id() });
      await scene.reached(id, "waiting");
      await scene.restart([newer, unrelated]);
      const refused = await failureOf(resumed(scene, id));
      const left = await scene.engine.find(id);
      await scene.restart([newer, old]);
      const again = await resumed(scene, id);
      const fresh = await scene.engine.start(newer, null, { id: scene.id() });
      await scene.engine.send(id, "w", 1);
      await scene.engine.send(fresh.id, "w", 2);

      expect(refused).toBe("run/version");
      expect(left).toMatchObject({ version: "1", endedAt: undefined });
      expect(["interrupted", "waiting"]).toContain(left?.phase);
      expect(await again.result()).toEqual(["old", 1]);
      expect(await fresh.result()).toEqual(["new", 2]);
    });

    it("has a time limit of its own, and ends with its own signal", async () => {
      await using scene = await createScene(subject);
      const controller = new AbortController();

      const ids: string[] = [];
      for (const _ of [1, 2]) {
        const { id } = await scene.start(async (d) => {
          await d.sleep("long", 3_600_000);
          return 1;
        });
        ids.push(id);
      }
      await scene.pass(20);
      await scene.restart();
      const [limited = "", aborted = ""] = ids;
      const one = await resumed(scene, limited, { timeoutMs: 30 });
      const two = await resumed(scene, aborted, { signal: controller.signal });
      controller.abort(new BosunError("run/cancelled", "enough"));

      expect(await failureOf(one.result())).toBe("run/timed-out");
      expect(await failureOf(two.result())).toBe("run/cancelled");
    });
  });
  forkCases(subject);
}

function forkCases(subject: Subject): void {
  describe("a fork of a run", () => {
    it("takes over all kept steps, and has an end of its own", async () => {
      await using scene = await createScene(subject);
      const { executed, source } = await prepared(scene);
      const id = scene.id();

      await scene.engine.fork(source.id, { id });
      const before = await scene.engine.find(id);
      const output = await (await scene.engine.resume(id)).result();

      expect(before).toMatchObject({ phase: "interrupted" });
      expect(output).toEqual([1, "a of 1", "b of 1", "c of 1"]);
      expect(executed).toEqual([]);
    });

    it("executes those that it does not take over, with the input that it was given", async () => {
      await using scene = await createScene(subject);
      const { executed, source } = await prepared(scene);
      const id = scene.id();
      const places: number[] = [];

      await scene.engine.fork(source.id, {
        id,
        input: 2,
        keep: ({ key }, place) => {
          places.push(place);
          return key === "a";
        },
      });
      const output = await (await scene.engine.resume(id)).result();

      expect(places).toEqual(places.toSorted((a, b) => a - b));
      expect(new Set(places).size).toBe(3);
      expect(output).toEqual([2, "a of 1", "b of 2", "c of 2"]);
      expect(executed).toEqual(["b", "c"]);
      expect(await scene.engine.input(id)).toBe(2);
      expect(await (await scene.engine.get(source.id)).result()).toEqual([
        1,
        "a of 1",
        "b of 1",
        "c of 1",
      ]);
    });

    it("is given what it takes over in the order in which it came, not in which it is asked for", async () => {
      await using scene = await createScene(subject);
      const fast = Promise.withResolvers<void>();
      const source = await scene.start(async (d) => {
        const came: string[] = [];
        const asked: Record<string, () => Promise<unknown>> = {
          answer: () => d.wait("w", { timeoutMs: 3_600_000 }),
          nap: () => d.sleep("nap", 30),
          slow: () => d.step("slow", () => fast.promise.then(() => null)),
          fast: () =>
            d.step("fast", async () => {
              fast.resolve();
              return null;
            }),
        };
        await Promise.all(
          Object.entries(asked).map(async ([name, ask]) => {
            await ask();
            came.push(name);
            await d.step(`${name}, then`, async () => came.length);
          }),
        );
        return came;
      });
      const keys = async (): Promise<readonly string[]> =>
        (await scene.engine.steps(source.id)).map(({ key }) => key);
      await scene.until(async () => (await keys()).includes("nap, then"));
      await scene.engine.send(source.id, "w", 1);
      const order = await source.result();
      const id = scene.id();

      await scene.engine.fork(source.id, { id });
      const output = await (await scene.engine.resume<string[]>(id)).result();

      expect(order).toEqual(["fast", "slow", "nap", "answer"]);
      expect(output).toEqual(order);
      expect(await scene.engine.steps(id)).toHaveLength(8);
    });

    it("needs an id that no run has", async () => {
      await using scene = await createScene(subject);
      const { source } = await prepared(scene);

      expect(await failureOf(scene.engine.fork(source.id, { id: source.id }))).toBe("usage");
    });
  });
}

/** A run of three steps that has ended, and what is executed from then on. */
async function prepared(scene: Scene) {
  const executed: string[] = [];
  const flow = scene.flow(async (d, input) => {
    const got: Json[] = [input];
    for (const key of ["a", "b", "c"])
      got.push(
        await d.step(key, async () => {
          executed.push(key);
          return `${key} of ${JSON.stringify(input)}`;
        }),
      );
    return got;
  });
  const source = await scene.engine.start(flow, 1, { id: scene.id() });
  await source.result();
  executed.length = 0;
  return { executed, source, flow };
}
