// The flows that processes execute, and are killed in. What they come to is the same however often they are killed.

import { BosunError, isBosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable, Flow, StepContext } from "../../../../src/orchestration/durable/durable.ts";

/** What a flow's process gives it. */
export type World = {
  /** The work of a step: is counted, and takes `ms`. Returns how often it was begun by now, in all processes. */
  work(run: string, context: StepContext, ms?: number): Promise<number>;
  /** What a body sees: another execution has to see the same. */
  see(run: string, name: string, value: Json): void;
};

type Bodies = Readonly<Record<string, (d: Durable, input: Json) => Promise<Json>>>;

export function flowsOf(world: World): ReadonlyMap<string, Flow<Json, Json>> {
  const bodies: Bodies = { ...stepBodies(world), rich: (d) => rich(world, d) };
  return new Map(
    Object.entries(bodies).map(([name, run]) => [
      name,
      { name: `conformance-${name}`, version: "1", run },
    ]),
  );
}

const counted = (world: World, d: Durable, key: string, ms = 0): Promise<string> =>
  d.step(key, async (context) => {
    await world.work(d.rootId, context, ms);
    return `[${key}]`;
  });

function stepBodies(world: World): Bodies {
  return {
    async six(d) {
      let text = "";
      for (let n = 1; n <= 6; n++) text += await counted(world, d, `s${n}`);
      return text;
    },
    async branches(d) {
      const branch = async (b: number): Promise<string> => {
        let text = "";
        for (let n = 1; n <= 3; n++) text += await counted(world, d, `b${b}/${n}`, (b * n) % 5);
        return text;
      };
      const texts = await Promise.all(Array.from({ length: 20 }, (_, b) => branch(b)));
      return texts.join("") + (await counted(world, d, "join"));
    },
    async slow(d, input) {
      let text = "";
      for (let n = 1; n <= 5; n++) text += await counted(world, d, `s${n}`, Number(input));
      return text;
    },
    async sleeper(d, input) {
      const before = await d.now("before");
      const first = await counted(world, d, "s1");
      world.see(d.rootId, "before", before);
      await d.sleep("nap", Number(input));
      const slept = (await d.now("after")) - before;
      return [first, await counted(world, d, "s2"), slept >= Number(input) - 1];
    },
    async waiter(d) {
      const first = await counted(world, d, "s1");
      const got = (await d.wait("w", { timeoutMs: 60_000 })) ?? "nothing";
      return [first, got, await counted(world, d, "s2")];
    },
    async retried(d) {
      return d.step(
        "s",
        async (context) => {
          world.see(d.rootId, `try ${await world.work(d.rootId, context)}`, context.attempt);
          throw new BosunError("tool/failed", `attempt ${context.attempt}`);
        },
        { retries: 3, backoffMs: 40 },
      );
    },
  };
}

const child = (run: (d: Durable) => Promise<Json>): Flow<Json, Json> => ({
  name: "conformance-child",
  version: "1",
  run,
});

/** Everything that a body can do. */
async function rich(world: World, d: Durable): Promise<Json> {
  const see = (name: string, value: Json): void => world.see(d.rootId, name, value);
  see("now", await d.now("time"));
  see("random", [d.random(), d.random()]);
  const kid = d.child(
    "kid",
    child(async (own) => {
      see("random of the child", own.random());
      return [await counted(world, own, "a"), await counted(world, own, "b")];
    }),
    null,
  );
  const late = d.child(
    "late",
    child(async (own) => {
      for (let n = 0; ; n++) await own.sleep(`nap${n}`, 15);
    }),
    null,
    { timeoutMs: 60, timeoutError: () => new BosunError("task/timed-out", "too late") },
  );
  const pending = new Map([7, 1, 5, 3].map((ms) => [`${ms}`, counted(world, d, `r${ms}`, ms)]));
  const winners: string[] = [];
  while (pending.size > 0) {
    const winner = await d.race(`race${winners.length}`, pending);
    pending.delete(winner);
    winners.push(winner);
    see(`winner ${winners.length}`, winner);
  }
  const failed = await failing(world, d);
  const ended = await late.result.catch(factsOf);
  see("late", ended);
  await d.sleep("nap", 20);
  const answer = (await d.wait("answer", { timeoutMs: 30 })) ?? "nothing";
  return [await kid.result, winners.toSorted(), failed, ended, answer];
}

/** Steps that fail: one for good, one twice. */
async function failing(world: World, d: Durable): Promise<Json> {
  const bad = d.step("bad", async (context): Promise<string> => {
    await world.work(d.rootId, context);
    throw new BosunError("model/context-length", "too long", { details: { tokens: 9 } });
  });
  const flaky = d.step(
    "flaky",
    async (context) => {
      const count = await world.work(d.rootId, context);
      if (count < 3) throw new BosunError("model/overloaded", "busy", { retryable: true });
      return "at last";
    },
    { retries: 2, backoffMs: 5 },
  );
  return [await bad.catch(factsOf), await flaky];
}

function factsOf(error: unknown): Json {
  if (!isBosunError(error)) throw error;
  // What ends an execution without being an end is no outcome.
  if (error.code === "run/suspended" || error.code === "run/lease-lost") throw error;
  return [error.code, error.message, error.details ?? null];
}
