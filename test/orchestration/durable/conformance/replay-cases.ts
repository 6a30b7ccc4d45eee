// What comes to a body comes again, the same and in the same order, when another execution repeats it (D1, D5).

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable } from "../../../../src/orchestration/durable/durable.ts";
import { codeOf, createScene, failureOf, interrupted, NEVER, type Subject } from "./scene.ts";

const flow = <O extends Json>(run: (d: Durable) => Promise<O>) => ({
  name: "child",
  version: "1",
  run,
});

/** An error as a body can tell it apart. */
const toFacts = (error: unknown): Json =>
  error instanceof BosunError
    ? [error.code, error.message, error.retryable, error.details ?? null]
    : error instanceof Error
      ? [error.name, error.message]
      : "no error";

const factsOf = (work: Promise<unknown>): Promise<Json> => work.then(() => "no error", toFacts);

export function replayCases(subject: Subject): void {
  describe("an execution after the first one", () => {
    it("executes no step again that is kept, and gives its value, also an undefined one", async () => {
      await using scene = await createScene(subject);

      const { seen, executed, output } = await interrupted(scene, async (d, halt, counted) => {
        const one = await counted("one", { a: [1, null, "ä"] });
        const none = await d.step("none", async () => undefined);
        await halt([one, none === undefined]);
        return [one, none === undefined, await counted("two", 2)];
      });

      expect(seen).toEqual([
        [{ a: [1, null, "ä"] }, true],
        [{ a: [1, null, "ä"] }, true],
      ]);
      expect(executed).toEqual(["one", "two"]);
      expect(output).toEqual([{ a: [1, null, "ä"] }, true, 2]);
    });

    it("gets the errors of steps with their code, message, details, and name", async () => {
      await using scene = await createScene(subject);
      let calls = 0;
      const fails = (d: Durable, key: string, error: unknown): Promise<Json> =>
        factsOf(
          d.step(key, async () => {
            calls++;
            throw error;
          }),
        );

      const { seen } = await interrupted(scene, async (d, halt) => {
        const facts = [
          await fails(
            d,
            "coded",
            new BosunError("model/overloaded", "full", { retryable: true, details: { n: [1] } }),
          ),
          await fails(d, "plain", new TypeError("no function")),
        ];
        await halt(facts);
        return facts;
      });

      const facts = [
        ["model/overloaded", "full", true, { n: [1] }],
        ["TypeError", "no function"],
      ];
      expect(seen).toEqual([facts, facts]);
      expect(calls).toBe(2);
    });

    it("gets the same times and the same random numbers, others in each child", async () => {
      await using scene = await createScene(subject);

      const { seen } = await interrupted(
        scene,
        async (d, halt) => {
          const times = [await d.now("a"), await d.now("b")];
          const kid = d.child(
            "kid",
            flow(async (own) => [own.random(), own.random()]),
            null,
          );
          const all = [times, [d.random(), d.random()], await kid.result];
          await halt(all);
          return null;
        },
        { between: () => scene.pass(20) },
      );

      const [, own, kid] = seen[0] as [number[], number[], number[]]; // `as`: what the body made
      expect(seen[1]).toEqual(seen[0]);
      expect(new Set([...own, ...kid]).size).toBe(4);
      for (const one of [...own, ...kid]) expect(one >= 0 && one < 1).toBe(true);
    });

    it("has the same winners of races, in the order in which steps ended", async () => {
      await using scene = await createScene(subject);

      const { seen } = await interrupted(scene, async (d, halt, counted) => {
        const pending = new Map(
          [80, 20, 60, 40].map((ms) => [`${ms}`, counted(`step ${ms}`, ms, ms)] as const),
        );
        const winners: string[] = [];
        while (pending.size > 0) {
          const key = await d.race(`race:${winners.length}`, pending);
          pending.delete(key);
          winners.push(key);
        }
        await halt(winners);
        return winners;
      });

      expect(seen).toEqual([
        ["20", "40", "60", "80"],
        ["20", "40", "60", "80"],
      ]);
    });

    it("gets what parallel branches of several steps get in one order", async () => {
      await using scene = await createScene(subject);

      const { seen, executed } = await interrupted(scene, async (_d, halt, counted) => {
        const order: string[] = [];
        const branch = async (b: number): Promise<void> => {
          for (let n = 0; n < 4; n++)
            order.push(await counted(`${b}:${n}`, `${b}:${n}`, (b * 7 + n * 13) % 17));
        };
        await Promise.all([0, 1, 2, 3, 4].map(branch));
        await halt(order);
        return order;
      });

      expect(seen[0]).toHaveLength(20);
      expect(seen[1]).toEqual(seen[0]);
      expect(executed).toHaveLength(20);
    });

    it("goes on inside parallel branches where each of them was", async () => {
      await using scene = await createScene(subject);

      const { executed, output } = await interrupted(scene, async (_d, halt, counted) => {
        const branch = async (b: number): Promise<string> => {
          const first = await counted(`${b}:1`, `${b}`, b);
          if (b === 3) await halt(null);
          return first + (await counted(`${b}:2`, "x", b));
        };
        return Promise.all([1, 2, 3, 4, 5].map(branch));
      });

      expect(output).toEqual(["1x", "2x", "3x", "4x", "5x"]);
      for (const b of [1, 2, 3]) expect(executed.filter((key) => key === `${b}:1`)).toHaveLength(1);
    });
  });
  replayOfTimes(subject);
  replayOfChildren(subject);
}

function replayOfTimes(subject: Subject): void {
  describe("a later execution", () => {
    it("waits for the rest of a sleep only, counted from the first execution's call", async () => {
      await using scene = await createScene(subject);
      let calledAt: number | undefined;

      const { output } = await interrupted(
        scene,
        async (d, halt) => {
          calledAt ??= scene.clock.now();
          const sleep = d.sleep("long", 300);
          await halt(null);
          // What is begun now and takes less than the whole sleep must still come behind it: its time is over.
          const first = await d.race("which", { sleep, fresh: d.sleep("fresh", 250) });
          return [first, scene.clock.now()];
        },
        { between: () => scene.pass(400) },
      );

      expect(output).toEqual(["sleep", expect.any(Number)]);
      expect((output as [string, number])[1]).toBeGreaterThanOrEqual((calledAt ?? Infinity) + 300); // `as`: what the body made
    });

    it("does not sleep again what it has slept", async () => {
      await using scene = await createScene(subject);

      const { seen } = await interrupted(scene, async (d, halt, counted) => {
        const winner = await d.race("r", {
          sleep: d.sleep("nap", 10),
          step: counted("slow", 1, 60),
        });
        await halt(winner);
        return winner;
      });

      expect(seen).toEqual(["sleep", "sleep"]);
    });

    it("gets the same answers, and the same silence", async () => {
      await using scene = await createScene(subject);
      const id = scene.id();

      const running = interrupted(
        scene,
        async (d, halt) => {
          const answers = [
            (await d.wait("asked", { timeoutMs: 600_000 })) ?? "nothing",
            (await d.wait("silent", { timeoutMs: 30 })) ?? "nothing",
          ];
          await halt(answers);
          return answers;
        },
        { id },
      );
      await scene.until(async () => (await scene.engine.find(id)) !== undefined);
      await scene.engine.send(id, "asked", { ok: true });
      const { seen } = await running;

      expect(seen).toEqual([
        [{ ok: true }, "nothing"],
        [{ ok: true }, "nothing"],
      ]);
    });

    it("keeps an answer that came while no engine was there for the run, when it was given elsewhere", async () => {
      await using scene = await createScene(subject);
      const other = await scene.another();
      const id = scene.id();

      const { output } = await interrupted(
        scene,
        async (d, halt) => {
          await halt(null);
          return (await d.wait("w", { timeoutMs: 600_000 })) ?? "nothing";
        },
        { id, between: () => other.send(id, "w", "meanwhile") },
      );

      expect(output).toBe("meanwhile");
    });
  });
}

function replayOfChildren(subject: Subject): void {
  describe("a child in a later execution", () => {
    it("comes to the same output or error", async () => {
      await using scene = await createScene(subject);

      const { seen, executed } = await interrupted(scene, async (d, halt, counted) => {
        const kids = [
          d.child(
            "good",
            flow(async (own) => [await own.step("s", async () => own.runId)]),
            null,
          ),
          d.child(
            "bad",
            flow(async (own): Promise<Json> => {
              await own.step("s", () => counted("inside", 1));
              throw new BosunError("task/guardrail", "refused", { details: { n: 1 } });
            }),
            null,
          ),
        ];
        const facts = await Promise.all(kids.map(({ result }) => result.catch(toFacts)));
        await halt(facts.map((one) => JSON.stringify(one).replaceAll(d.runId, "ID")));
        return null;
      });

      expect(seen[0]).toEqual([
        JSON.stringify(["ID/good"]),
        JSON.stringify(["task/guardrail", "refused", false, { n: 1 }]),
      ]);
      expect(seen[1]).toEqual(seen[0]);
      expect(executed).toEqual(["inside"]);
    });

    it("runs out of time at the same place, though nothing takes time any more", async () => {
      await using scene = await createScene(subject);

      const { seen } = await interrupted(scene, async (d, halt) => {
        let done = 0;
        const kid = d.child(
          "slow",
          flow(async (own): Promise<Json> => {
            for (; ; done++)
              await own.step(`s${done}`, async ({ signal }) => {
                await scene.clock.sleep(20, signal);
                return done;
              });
          }),
          null,
          { timeoutMs: 110, timeoutError: () => new BosunError("task/timed-out", "too slow") },
        );
        const facts = await factsOf(kid.result);
        await halt([facts, done]);
        return facts;
      });

      expect(seen[0]).toEqual([["task/timed-out", "too slow", false, null], expect.any(Number)]);
      expect(seen[1]).toEqual(seen[0]);
    });

    it("that was cancelled is cancelled again, at the same place", async () => {
      await using scene = await createScene(subject);

      const { seen } = await interrupted(scene, async (d, halt, counted) => {
        let done = 0;
        const kid = d.child(
          "kid",
          flow(async (own): Promise<Json> => {
            await own.step("quick", async () => 1);
            done++;
            await own.step("stuck", () => NEVER);
            done++;
            return null;
          }),
          null,
        );
        await counted("meanwhile", 1, 40);
        kid.cancel("not needed");
        const code = await failureOf(kid.result);
        await halt([code, done]);
        return code;
      });

      expect(seen).toEqual([
        ["run/cancelled", 1],
        ["run/cancelled", 1],
      ]);
    });
  });

  describe("the check that a body is deterministic", () => {
    it("lets a body pass that asks for the same again", async () => {
      await using scene = await createScene(subject, { checkReplay: true });

      const output = await scene.run(async (d) => {
        const values = await Promise.all(
          [1, 2, 3].map(
            (n) =>
              d.child(
                `kid${n}`,
                flow(async (own) => {
                  await own.sleep("nap", n);
                  return own.step("s", async () => n);
                }),
                null,
              ).result,
          ),
        );
        const failed = await d
          .step("fails", async () => {
            throw new BosunError("tool/failed", "no");
          })
          .catch(codeOf);
        return [...values, failed, (await d.wait("w", { timeoutMs: 5 })) ?? "nothing"];
      });

      expect(output).toEqual([1, 2, 3, "tool/failed", "nothing"]);
    });

    it("refuses one that asks for other things", async () => {
      await using scene = await createScene(subject, { checkReplay: true });
      let executions = 0;

      const running = scene.run(async (d) => {
        executions++;
        return d.step(`step of execution ${executions}`, async () => 1);
      });

      expect(await failureOf(running)).toBe("run/nondeterministic");
    });
  });
}
