import { describe, expect, it } from "vitest";
import { and, flow, listen, start } from "../../src/flow.ts";
import { bosunFor, bosunOn, failureOf, folder } from "./flow-scene.ts";

const bosun = bosunFor();

describe("a handler that awaits what never ends", () => {
  it("does not keep its run from being cancelled, timed out or failed", async () => {
    const never = new Promise<never>(() => undefined);
    const stuck = (timeoutMs?: number) =>
      flow("stuck", { bosun, timeoutMs }, { wait: start(() => never) });
    const abort = new AbortController();
    const cancelled = failureOf(stuck().kickoff({ signal: abort.signal }));
    abort.abort();
    const failed = flow(
      "failed",
      { bosun },
      { wait: start(() => never), fail: start(() => Promise.reject(new Error("no"))) },
    );

    expect((await cancelled).code).toBe("run/cancelled");
    expect((await failureOf(stuck(5).kickoff())).code).toBe("run/timed-out");
    expect((await failureOf(failed.kickoff())).code).toBe("run/failed");
  });
});

describe("a reducer that changes what it is given in place", () => {
  it("changes no other step's state", async () => {
    const [a, b] = [Promise.withResolvers<null>(), Promise.withResolvers<null>()];
    const notes = flow(
      "notes",
      {
        bosun,
        initial: { notes: [] as string[] },
        reducers: {
          notes: (now, mine) => {
            now.push(...mine);
            return now;
          },
        },
      },
      {
        first: start(({ state }) => void state.notes.push("first")),
        second: start(async ({ state, step }) => {
          await step("wait", () => a.promise);
          state.notes.push("second");
        }),
        reader: listen("first", async ({ state, step }) => {
          a.resolve(null);
          const seen = [...state.notes];
          await step("wait", () => b.promise);
          return seen;
        }),
        last: listen("second", () => b.resolve(null)),
      },
    );

    const { state } = await notes.kickoff();

    expect(state.notes).toEqual(["first", "second"]);
  });
});

describe("a step that ends in a conflict", () => {
  it("is told to have failed", async () => {
    const both = flow(
      "both",
      { bosun, initial: { n: 0 } },
      { a: start(({ state }) => void (state.n = 1)), b: start(({ state }) => void (state.n = 2)) },
    );

    const { partial } = await failureOf(both.kickoff());

    expect(partial.steps["b"]).toMatchObject({ status: "failed", running: 0 });
    expect(partial.steps["b"]?.error?.code).toBe("flow/conflict");
  });
});

describe("a run that is resumed", () => {
  it("takes the ends in the order in which they were kept, also when a step's schema takes its time", async () => {
    const data = folder();
    const reached = Promise.withResolvers<null>();
    const held = Promise.withResolvers<null>();
    let isFirst = true;
    const slow = {
      "~standard": {
        version: 1,
        vendor: "test",
        validate: async (value: unknown) => {
          // In the run that is resumed it takes longer than everything else.
          for (let turn = 0; turn < (isFirst ? 0 : 50); turn++)
            await new Promise((resolve) => setImmediate(resolve));
          return { value };
        },
      },
    } as const;
    const ordered = (home: typeof bosun) =>
      flow(
        "ordered",
        {
          bosun: home,
          initial: { notes: [] as string[] },
          reducers: { notes: (now, mine) => [...now, ...mine] },
        },
        {
          a: start(({ state }) => void state.notes.push("a"), { input: slow }),
          b: start(async ({ state, step }) => {
            await step("one", async () => null);
            await step("two", async () => null);
            state.notes.push("b");
          }),
          end: listen(and("a", "b"), async ({ step, state }) => {
            await step("hold", async () => {
              reached.resolve(null);
              await held.promise;
            });
            return [...state.notes];
          }),
        },
      );
    const first = bosunOn(data);
    const run = await first.start(ordered(first), { inputs: {}, runId: "r" });
    await reached.promise;
    run.giveBack("another process goes on");
    held.resolve(null);
    await run.ended.catch(() => undefined);
    await first.close();

    isFirst = false;
    const second = bosunOn(data);
    const state = await (await second.resume(ordered(second), "r")).ended;
    await second.close();

    expect(state.output).toEqual(["a", "b"]);
  });
});

const change = ({ input }: { input: { list: number[] } }): { list: number[] } => {
  input.list.push(99);
  return input;
};

describe("what a step came to", () => {
  it("is a copy for each that gets it: nobody sees what another one does to it", async () => {
    const kept: number[] = [1, 2];
    const shared = flow(
      "shared",
      { bosun },
      {
        a: start(() => ({ list: kept })),
        b: listen("a", change as () => { list: number[] }), // `as`: wrong on purpose, with a mutable input
        c: listen("a", change as () => { list: number[] }), // `as`: as above
        d: listen(and("b", "c"), ({ inputs }) => {
          kept.push(3);
          return inputs;
        }),
      },
    );

    const { output } = await shared.kickoff();

    expect(output).toEqual({ b: { list: [1, 2, 99] }, c: { list: [1, 2, 99] } });
  });

  it("may come from a function that is not async, and tells its try", async () => {
    const tries: number[] = [];
    const plain = flow(
      "plain",
      { bosun },
      {
        a: start(
          async ({ step, attempt, call }) => {
            tries.push(attempt);
            if (attempt < 3) throw new Error("again");
            return [await step("now", () => 7), call];
          },
          { retries: 2 },
        ),
      },
    );

    const { output, steps } = await plain.kickoff();

    expect([output, tries, steps["a"]?.retries]).toEqual([[7, 1], [1, 2, 3], 2]);
  });

  it("is its onError's when all tries have failed, which is no try more", async () => {
    const mended = flow(
      "mended",
      { bosun },
      {
        a: start(() => Promise.reject(new Error("no")), {
          retries: 2,
          onError: (_, { attempt }) => attempt,
        }),
      },
    );
    const seen: unknown[] = [];
    const stream = mended.stream();
    let next = await stream.next();
    for (; !next.done; next = await stream.next())
      if (next.value.type === "step-retry") seen.push(next.value.by);

    expect(seen).toEqual(["retry", "retry", "onError"]);
    expect(next.value.steps["a"]?.retries).toBe(2);
    expect(next.value.output).toBe(4);
  });
});
