// Values: large ones, odd ones, and what is none.

import { describe, expect, it } from "vitest";
import type { Json } from "../../../../src/json.ts";
import { createScene, failureOf, interrupted, type Subject } from "./scene.ts";

const TWO_MIB = "x".repeat(2 * 1_048_576);

/** Valid JSON that a careless journal spoils. */
const ODD: readonly Json[] = [
  null,
  "",
  "null",
  "undefined",
  "blob:0000",
  '{"code":"run/failed","message":"no error, a value"}',
  { code: "run/failed", message: "no error, a value", retryable: false },
  [],
  {},
  [[[[[]]]]],
  0.1 + 0.2,
  Number.MAX_SAFE_INTEGER,
  -1e-300,
  "\u0000\u001F\uD83D\uDE00 ä \u2028",
  "\uD800", // half a pair
  JSON.parse('{"__proto__": 1, "constructor": 2}') as Json, // `as`: JSON text
];

/** What JSON cannot carry. */
const NONE: readonly (readonly [string, unknown])[] = [
  ["NaN", NaN],
  ["a Map", new Map([[1, 2]])],
  ["a function", () => 1],
  ["a Date", new Date(0)],
  ["a symbol inside", { a: [Symbol("s")] }],
  ["a BigInt", 1n],
];

export function valueCases(subject: Subject): void {
  describe("a value of 2 MiB", () => {
    it("may be an input, a step's value, a signal and an output, and comes again whole", async () => {
      await using scene = await createScene(subject);
      const id = scene.id();
      let input: Json = null;

      const running = interrupted(
        scene,
        async (d, halt, counted) => {
          const step = await counted("large", TWO_MIB);
          const signal = await d.wait("w", { timeoutMs: 3_600_000 });
          await halt([step === TWO_MIB, signal === TWO_MIB]);
          return TWO_MIB;
        },
        { id, input: TWO_MIB },
      );
      await scene.until(async () => (await scene.engine.find(id)) !== undefined);
      await scene.engine.send(id, "w", TWO_MIB);
      const { seen, output, executed } = await running;
      input = await scene.engine.input(id);

      expect(seen).toEqual([
        [true, true],
        [true, true],
      ]);
      expect(executed).toEqual(["large"]);
      expect(output === TWO_MIB).toBe(true);
      expect(input === TWO_MIB).toBe(true);
      expect((await scene.engine.get(id).then((run) => run.result())) === TWO_MIB).toBe(true);
    }, 20_000);

    it("reaches the body as its input in each execution", async () => {
      await using scene = await createScene(subject);
      const inputs: Json[] = [];
      const flow = scene.flow(async (d, input) => {
        inputs.push(input === TWO_MIB);
        return (await d.wait("w", { timeoutMs: 3_600_000 })) ?? null;
      });

      const { id } = await scene.engine.start(flow, TWO_MIB, { id: scene.id() });
      await scene.reached(id, "waiting");
      await scene.restart();
      await scene.engine.send(id, "w", 1);
      await (await scene.engine.resume(id)).result();

      expect(inputs).toEqual([true, true]);
    }, 20_000);
  });

  describe("a value", () => {
    it("comes out as it went in, now and in a later execution", async () => {
      await using scene = await createScene(subject);

      const { seen, output } = await interrupted(scene, async (_d, halt, counted) => {
        const got: Json[] = [];
        for (const [n, value] of ODD.entries()) got.push(await counted(`${n}`, value));
        await halt(got);
        return got;
      });

      expect(seen).toEqual([ODD, ODD]);
      expect(output).toEqual(ODD);
    });

    it.each(NONE)("that is no JSON is refused as a step's: %s", async (_what, value) => {
      await using scene = await createScene(subject);

      const output = await scene.run(
        (d) => failureOf(d.step("s", async () => value as Json)), // `as`: the mistake
      );

      expect(output).toBe("durable/value");
    });

    it("that is no JSON is refused as an input, an output and a signal", async () => {
      await using scene = await createScene(subject);
      const wrong = new Map() as unknown as Json; // `as`: the mistake
      const waiting = await scene.start((d) =>
        d.wait("w", { timeoutMs: 3_600_000 }).then((value) => value ?? "nothing"),
      );

      const codes = [
        await failureOf(scene.run(async () => 1, { input: wrong })),
        await failureOf(scene.run(async () => wrong)),
        await failureOf(scene.engine.send(waiting.id, "w", wrong)),
      ];
      await scene.engine.send(waiting.id, "w", "right");

      expect(codes).toEqual(["durable/value", "durable/value", "durable/value"]);
      expect(await waiting.result()).toBe("right");
    });

    it("that is no JSON leaves nothing of a run that could not be started", async () => {
      await using scene = await createScene(subject);
      const id = scene.id();
      const wrong = { a: NaN };

      await failureOf(scene.run(async () => 1, { id, input: wrong }));

      expect(await scene.engine.find(id)).toBeUndefined();
    });
  });
}
