import { describe, expect, it } from "vitest";
import { z } from "zod";
import { BosunError } from "../../src/error.ts";
import { flow, listen, start } from "../../src/flow.ts";
import type { RunEvent } from "../../src/orchestration/run/event.ts";
import { errorOf, eventsOf, only } from "../orchestration/run/scenario.ts";
import { bosunFor, callsOf, failureOf, timelyBosun } from "./flow-scene.ts";

const bosun = bosunFor();

/** Ends when the signal aborts, with its reason. */
function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true }); // `as`: Bosun aborts with errors
  });
}

/** A step that fails once its neighbour is under way, and what became of the neighbour. */
function failing(seen: string[]) {
  const begun = Promise.withResolvers<null>();
  return flow(
    "failing",
    { bosun },
    {
      long: start(async ({ signal, step }) => {
        signal.addEventListener("abort", () => seen.push("signal"));
        await step("work", ({ signal: inner }) => {
          begun.resolve(null);
          return untilAborted(inner).finally(() => seen.push("step joined"));
        });
      }),
      bad: start(async ({ step }) => {
        await step("wait", () => begun.promise);
        throw new BosunError("tool/failed", "the disk is full", { retryable: true });
      }),
      never: listen("bad", () => seen.push("never")),
    },
  );
}

describe("a step that fails", () => {
  it("aborts those that run beside it, and the run ends when they have", async () => {
    const seen: string[] = [];
    const { events, error } = await eventsOf(failing(seen).stream());

    expect(seen.toSorted()).toEqual(["signal", "step joined"]);
    expect(only(events, "step-end").map(({ step, status }) => [step, status])).toEqual([
      ["bad", "failed"],
      ["long", "cancelled"],
    ]);
    expect(events.at(-1)).toMatchObject({ type: "run-end", status: "failed" });
    expect(error).toMatchObject({ code: "tool/failed" });
  });

  it("fails the flow with its own code and message, and with what there was by then", async () => {
    const error = await failureOf(failing([]).kickoff({ runId: "r" }));

    expect(error).toMatchObject({ code: "tool/failed", retryable: true });
    expect(error.message).toContain("the disk is full");
    expect(error.details).toMatchObject({ runId: "r", status: "failed" });
    expect(error.partial.steps["bad"]).toMatchObject({ status: "failed", running: 0 });
    expect(error.partial.steps["never"]?.status).toBe("skipped");
  });

  it("fails as run/failed, with its name, when its error has no code", async () => {
    const begin = start(() => {
      throw new TypeError("x is undefined");
    });
    const error = await failureOf(flow("codeless", { bosun }, { begin }).kickoff());

    expect(error.code).toBe("run/failed");
    expect(error.message).toContain('step "begin"');
    expect(error.message).toContain("x is undefined");
  });

  it("has nothing of its draft in the state", async () => {
    const begin = start(({ state }: { state: { n: number } }) => {
      state.n = 1;
      throw new Error("no");
    });
    const error = await failureOf(
      flow("drafted", { bosun, initial: { n: 0 } }, { begin }).kickoff(),
    );

    expect(error.partial.state).toEqual({ n: 0 });
  });

  it("is tried again as often as its retries say, each time with a new draft", async () => {
    const drafts: number[] = [];
    const { events } = await eventsOf(
      flow(
        "retried",
        { bosun, initial: { n: 0 } },
        {
          begin: start(
            ({ state, call }) => {
              drafts.push((state.n += 1));
              if (drafts.length < 3) throw new Error(`try ${drafts.length}`);
              return { call, n: state.n };
            },
            { retries: 2 },
          ),
        },
      ).stream(),
    );

    expect(new Set(drafts)).toEqual(new Set([1]));
    expect(only(events, "step-retry")).toHaveLength(2);
    expect(only(events, "step-start")).toHaveLength(1);
    expect(events.at(-1)).toMatchObject({ status: "done", output: { call: 1, n: 1 } });
  });

  it("fails the flow when its last try has failed", async () => {
    let tries = 0;
    const begin = start(
      () => {
        throw new Error(`try ${++tries}`);
      },
      { retries: 1 },
    );
    const error = await failureOf(flow("tired", { bosun }, { begin }).kickoff());

    expect(tries).toBe(2);
    expect(error.message).toContain("try 2");
    expect(error.partial.steps["begin"]).toMatchObject({ calls: 1, retries: 1 });
  });

  it("comes to what its onError makes of the error, after its tries, and the flow goes on", async () => {
    const tries: string[] = [];
    const result = await flow(
      "mended",
      { bosun, initial: { failed: "" } },
      {
        begin: start(
          async ({ step }): Promise<string> => {
            await step("try", async () => tries.push("try"));
            throw new BosunError("tool/failed", "no");
          },
          {
            retries: 1,
            onError: ({ code }, { state }) => {
              state.failed = code;
              return "instead";
            },
          },
        ),
        next: listen("begin", ({ input }) => ["next", input]),
      },
    ).kickoff();

    expect(tries).toHaveLength(2);
    expect(result).toMatchObject({ output: ["next", "instead"], state: { failed: "tool/failed" } });
    expect(result.steps["begin"]).toMatchObject({ status: "done", calls: 1 });
  });

  it("fails the flow when its onError fails too, with that error", async () => {
    const begin = start(
      () => {
        throw new Error("first");
      },
      {
        onError: () => {
          throw new BosunError("usage", "second");
        },
      },
    );
    const error = await failureOf(flow("twice", { bosun }, { begin }).kickoff());

    expect(error.code).toBe("usage");
    expect(error.message).toContain("second");
  });

  it("fails as flow/input when what it got is not what it asks for", async () => {
    const asks = flow(
      "asks",
      { bosun },
      {
        begin: start(({ input }) => input),
        next: listen("begin", ({ input }) => input.n, {
          input: z.object({ n: z.number().default(3) }),
        }),
      },
    );
    const { output } = await asks.kickoff({ inputs: {} });
    const error = await failureOf(asks.kickoff({ inputs: { n: "four" } }));

    expect(output).toBe(3);
    expect(error.code).toBe("flow/input");
    expect(error.message).toContain('step "next"');
    expect(error.message).toContain("value/n");
  });
});

describe("a time limit", () => {
  it("of a step fails it, and its retries and onError hold", async () => {
    let tries = 0;
    const begin = start(
      ({ sleep }) => {
        tries += 1;
        return sleep("long", 1_000);
      },
      { timeoutMs: 10, retries: 1 },
    );
    const late = timelyBosun();
    const error = await failureOf(flow("slow", { bosun: late }, { begin }).kickoff());

    expect(tries).toBe(2);
    expect(error.code).toBe("run/timed-out");
    expect(error.message).toContain('step "begin" did not end within 10 ms');
  });

  it("of the flow ends it as timed-out, with what there was by then", async () => {
    const error = await failureOf(
      flow(
        "slow",
        { bosun: timelyBosun(), timeoutMs: 50 },
        {
          begin: start(() => 1),
          next: listen("begin", ({ sleep }) => sleep("long", 1_000)),
        },
      ).kickoff(),
    );

    expect(error).toMatchObject({ code: "run/timed-out", partial: { status: "timed-out" } });
    expect(error.message).toContain('flow "slow" did not end within 50 ms');
    expect(error.partial.steps["next"]?.status).toBe("cancelled");
  });
});

describe("a run of a flow that is no longer wanted", () => {
  it("is cancelled by its caller's signal", async () => {
    const caller = new AbortController();
    const begin = start(({ step }) =>
      step("work", ({ signal }) => {
        caller.abort();
        return untilAborted(signal);
      }),
    );
    const cancelled = flow("cancelled", { bosun }, { begin, never: listen("begin", () => null) });
    const error = await failureOf(cancelled.kickoff({ signal: caller.signal }));

    expect(error).toMatchObject({ code: "run/cancelled", partial: { status: "cancelled" } });
    expect(callsOf(error.partial)).toEqual({ begin: 1 });
  });

  it("is cancelled when the reader of its stream leaves", async () => {
    const ended = Promise.withResolvers<unknown>();
    const begin = start(({ step }) =>
      step("work", ({ signal }) =>
        untilAborted(signal).catch((error: unknown) => {
          ended.resolve(error);
          throw error;
        }),
      ),
    );
    const seen: RunEvent["type"][] = [];
    for await (const event of flow("left", { bosun }, { begin }).stream()) {
      seen.push(event.type);
      if (event.type === "step-start") break;
    }

    expect(seen).toEqual(["flow-start", "step-start"]);
    expect(await ended.promise).toMatchObject({ code: "run/cancelled" });
  });
});

describe("a flow for each of several inputs", () => {
  it("gives the results in order, with the failure of the one that fails", async () => {
    const begin = start(({ state }: { state: { n: number } }) => {
      if (state.n === 2) throw new Error("no twos");
      return state.n * 10;
    });
    const each = flow("each", { bosun, initial: { n: 0 } }, { begin });
    const results = await each.kickoffForEach([{ n: 1 }, { n: 2 }, { n: 3 }], { concurrency: 2 });

    const came = results.map((one) =>
      one.type === "done" ? one.result.output : (one.error as BosunError).code,
    ); // `as`: kickoff rejects with nothing else
    expect(came).toEqual([10, "run/failed", 30]);
    expect(results.map(({ index, item }) => [index, item.n])).toEqual([
      [0, 1],
      [1, 2],
      [2, 3],
    ]);
  });

  it("is refused for a number at once that is none", async () => {
    const each = flow("each", { bosun }, { begin: start(() => null) });

    expect((await errorOf(each.kickoffForEach([], { concurrency: 0 }))).code).toBe("usage");
  });
});
