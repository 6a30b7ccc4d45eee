// What a host can ask: starting twice, finding, listing.

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable } from "../../../../src/orchestration/durable/durable.ts";
import { createScene, failureOf, interrupted, type Subject } from "./scene.ts";

const wait = (d: Durable): Promise<Json> =>
  d.wait("w", { timeoutMs: 3_600_000 }).then((value) => value ?? "nothing");

export function hostCases(subject: Subject): void {
  describe("starting a run", () => {
    it("twice with one id is one run, at once and later", async () => {
      await using scene = await createScene(subject);
      const inputs: Json[] = [];
      const flow = scene.flow(async (d, input) => {
        inputs.push(input);
        return d.step("s", async () => `output of ${JSON.stringify(input)}`);
      });
      const id = scene.id();

      const [one, two] = await Promise.all([
        scene.engine.start(flow, 1, { id }),
        scene.engine.start(flow, 2, { id }),
      ]);
      const outputs = [await one.result(), await two.result()];
      const three = await scene.engine.start(flow, 3, { id });
      outputs.push(await three.result());

      // Of two at once either may be the first.
      const [first] = inputs;
      expect(inputs).toHaveLength(1);
      expect([1, 2]).toContain(first);
      expect(outputs).toEqual([1, 2, 3].map(() => `output of ${JSON.stringify(first)}`));
    });

    it("twice in two processes is one run", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();
      let calls = 0;
      const flow = scene.flow((d) => d.step("s", async () => ++calls));
      const id = scene.id();

      const handles = await Promise.all([
        scene.engine.start(flow, 1, { id }),
        other.start(flow, 1, { id }),
      ]);

      expect(await Promise.all(handles.map((one) => one.result()))).toEqual([1, 1]);
      expect(calls).toBe(1);
    });

    it("that has ended gives what it came to, and does not begin it again", async () => {
      await using scene = await createScene(subject);
      let calls = 0;
      const flow = scene.flow(async () => {
        calls++;
        throw new BosunError("task/guardrail", "refused", { details: { n: 1 } });
      });
      const id = scene.id();

      const first = await failureOf((await scene.engine.start(flow, 1, { id })).result());
      await scene.restart();
      const again = await scene.engine.start(flow, 1, { id });

      expect(first).toBe("task/guardrail");
      await expect(again.result()).rejects.toMatchObject({
        code: "task/guardrail",
        message: "refused",
        details: { n: 1 },
      });
      expect(calls).toBe(1);
    });

    it("needs an id that is one", async () => {
      await using scene = await createScene(subject);

      const codes: string[] = [];
      for (const id of ["", "a b", "a/b", "x".repeat(65), "ä"])
        codes.push(await failureOf(scene.run(async () => 1, { id })));

      expect(codes).toEqual(["usage", "usage", "usage", "usage", "usage"]);
    });
  });
  lookCases(subject);
}

function lookCases(subject: Subject): void {
  describe("a run that has ended", () => {
    it("can be asked for its output by whoever knows its id, as often as one likes", async () => {
      await using scene = await createScene(subject);

      const { id } = await scene.start(async (_d, input) => ({ got: input }), { input: [1] });
      await (await scene.engine.get(id)).result();
      await scene.restart();
      const handle = await scene.engine.get(id);

      expect([await handle.result(), await handle.result()]).toEqual([{ got: [1] }, { got: [1] }]);
      expect(await scene.engine.input(id)).toEqual([1]);
    });

    it("is known with its flow, its times and how often it was executed", async () => {
      await using scene = await createScene(subject);
      const flow = scene.flow(async () => 1, "7");

      const run = await scene.engine.start(flow, null, { id: scene.id(), tenant: "t" });
      await run.result();
      const record = await scene.engine.find(run.id);

      expect(record).toMatchObject({
        id: run.id,
        flow: flow.name,
        version: "7",
        phase: "done",
        queue: undefined,
        priority: 0,
        tenant: "t",
        executions: 1,
        createdAt: expect.any(Number),
        endedAt: expect.any(Number),
        error: undefined,
      });
      expect(record?.endedAt).toBeGreaterThanOrEqual(record?.createdAt ?? Infinity);
    });

    it("is done, also when it has just slept: what is noted now and then comes too late for it", async () => {
      await using scene = await createScene(subject);
      const flow = scene.flow(async (d, input) => {
        await d.sleep("nap", Number(input));
        return input;
      });

      const runs = await Promise.all(
        Array.from({ length: 1_000 }, (_, n) =>
          scene.engine.start(flow, n % 200, { id: scene.id() }),
        ),
      );
      const outputs = await Promise.all(runs.map((run) => run.result()));
      const records = await Promise.all(runs.map(({ id }) => scene.engine.find(id)));

      expect(outputs).toEqual(runs.map((_, n) => n % 200));
      expect(new Set(records.map((record) => record?.phase))).toEqual(new Set(["done"]));
    });

    // A server counts attempts of its own, and not those that it ended by itself.
    it.runIf(subject.kind.hasLeases)("counts its executions", async () => {
      await using scene = await createScene(subject);

      const { id } = await interrupted(scene, async (_d, halt) => {
        await halt(null);
        return 1;
      });

      expect(await scene.engine.find(id)).toMatchObject({ phase: "done", executions: 2 });
    });
  });

  describe("a run's steps", () => {
    it("are told in the order in which they were kept, with what they came to", async () => {
      await using scene = await createScene(subject);

      const { id } = await interrupted(scene, async (d, halt, counted) => {
        const slow = counted("slow", "abc", 40);
        await counted("quick", 1);
        await slow;
        await d
          .step("fails", async () => {
            throw new BosunError("tool/failed", "no");
          })
          .catch(() => undefined);
        await halt(null);
        return null;
      });
      const steps = await scene.engine.steps(id);

      expect(steps.map(({ key, status }) => [key, status])).toEqual([
        ["quick", "done"],
        ["slow", "done"],
        ["fails", "failed"],
        ["halt", "done"],
      ]);
      expect(steps[1]).toMatchObject({ attempt: 1, startedAt: expect.any(Number) });
      expect(steps[1]?.ms).toBeGreaterThanOrEqual(39);
      expect(steps[1]?.bytes).toBeGreaterThanOrEqual(3);
    });

    it("are told while they are under way", async () => {
      await using scene = await createScene(subject);
      const gate = Promise.withResolvers<number>();

      const handle = await scene.start(async (d) => {
        await d.step("first", async () => 1);
        return d.step("open", () => gate.promise);
      });
      await scene.until(async () =>
        (await scene.engine.steps(handle.id)).some(({ key }) => key === "open"),
      );
      const steps = await scene.engine.steps(handle.id);
      gate.resolve(2);
      await handle.result();

      expect(steps).toMatchObject([
        { key: "first", status: "done" },
        { key: "open", status: "begun", ms: undefined },
      ]);
    });
  });

  describe("the list of runs", () => {
    it("has the newest first, and only those that were asked for", async () => {
      await using scene = await createScene(subject);
      const ends = scene.flow(async (_d, input) => {
        if (input === "bad") throw new BosunError("tool/failed", "no");
        return input;
      });
      const waits = scene.flow(wait);
      const start = async (flow: typeof ends, input: Json, queue?: string): Promise<string> => {
        const handle = await scene.engine.start(flow, input, { id: scene.id(), queue });
        if (flow === ends && queue === undefined) await failureOf(handle.result());
        await scene.pass(2);
        return handle.id;
      };

      const good = await start(ends, "good");
      const bad = await start(ends, "bad");
      const queued = await start(ends, "later", `${scene.name}-q`);
      const waiting = await start(waits, null);
      await scene.reached(waiting, "waiting");
      const idsOf = async (query: Parameters<typeof scene.engine.list>[0]): Promise<string[]> =>
        (await scene.engine.list(query)).map(({ id }) => id);

      expect(await idsOf({ flow: ends.name })).toEqual([queued, bad, good]);
      expect(await idsOf({ flow: ends.name, limit: 2 })).toEqual([queued, bad]);
      expect(await idsOf({ flow: ends.name, phases: ["done", "failed"] })).toEqual([bad, good]);
      expect(await idsOf({ flow: waits.name, phases: ["waiting"] })).toEqual([waiting]);
      expect(await idsOf({ queue: `${scene.name}-q` })).toEqual([queued]);
      expect(await idsOf({ flow: `${scene.name}-none` })).toEqual([]);
    });
  });

  describe("an id that there is not", () => {
    it("is refused by whatever needs a run", async () => {
      await using scene = await createScene(subject);
      const { engine } = scene;
      const id = scene.id();

      const codes = [
        await failureOf(engine.get(id)),
        await failureOf(engine.resume(id)),
        await failureOf(engine.input(id)),
        await failureOf(engine.steps(id)),
        await failureOf(engine.fork(id, { id: scene.id() })),
        await failureOf(engine.send(id, "w", 1)),
        await failureOf(engine.cancel(id, "why")),
      ];

      expect(codes).toEqual(codes.map(() => "run/unknown"));
      expect(await engine.find(id)).toBeUndefined();
    });
  });
}
