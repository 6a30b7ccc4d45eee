// Sleeps, answers and children in an execution that repeats them, and the check that it can.

import { describe, expect, it } from "vitest";
import { BosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import {
  childFlow,
  codeOf,
  createScene,
  factsOf,
  failureOf,
  interrupted,
  NEVER,
  type Subject,
  toFacts,
} from "./scene.ts";

export function replayMoreCases(subject: Subject): void {
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
  replayOfChildren(subject);
}

function replayOfChildren(subject: Subject): void {
  describe("a child in a later execution", () => {
    it("comes to the same output or error", async () => {
      await using scene = await createScene(subject);

      const { seen, executed } = await interrupted(scene, async (d, halt, counted) => {
        const kids = [
          d.child(
            "good",
            childFlow(async (own) => [await own.step("s", async () => own.runId)]),
            null,
          ),
          d.child(
            "bad",
            childFlow(async (): Promise<Json> => {
              await counted("inside", 1);
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
          childFlow(async (own): Promise<Json> => {
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
          childFlow(async (own): Promise<Json> => {
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

  describe.runIf(subject.kind.checksReplay)("the check that a body is deterministic", () => {
    it("lets a body pass that asks for the same again", async () => {
      await using scene = await createScene(subject, { checkReplay: true });

      const output = await scene.run(async (d) => {
        const values = await Promise.all(
          [1, 2, 3].map(
            (n) =>
              d.child(
                `kid${n}`,
                childFlow(async (own) => {
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
