import { describe, expect, it } from "vitest";
import { runEach } from "../../../src/orchestration/run/each.ts";
import { gate, settle } from "./scenario.ts";

const LIVE = new AbortController().signal;

describe("runEach", () => {
  it("yields what has ended in the order of the ends", async () => {
    const gates = [gate<string>(), gate<string>(), gate<string>()];
    const seen: string[] = [];

    const reading = (async () => {
      for await (const ended of runEach(gates, ({ promise }) => promise, {
        concurrency: 3,
        signal: LIVE,
      }))
        seen.push(ended.type === "done" ? ended.result : "failed");
    })();
    for (const [index, text] of [
      [1, "b"],
      [2, "c"],
      [0, "a"],
    ] as const) {
      await settle();
      gates[index]?.resolve(text);
    }
    await reading;

    expect(seen).toEqual(["b", "c", "a"]);
  });

  it("yields what has ended while it waits for the next item", async () => {
    const opened = gate();
    const seen: string[] = [];
    async function* source() {
      yield "first";
      await opened.promise;
      yield "second";
    }

    const reading = (async () => {
      for await (const { item } of runEach(source(), async (word) => word, {
        concurrency: 4,
        signal: LIVE,
      }))
        seen.push(item);
    })();
    await settle();
    const early = [...seen];
    opened.resolve();
    await reading;

    expect(early).toEqual(["first"]);
    expect(seen).toEqual(["first", "second"]);
  });

  it("aborts what runs when its reader leaves, waits for it, and closes the source", async () => {
    let [isClosed, aborted] = [false, 0];
    function* source() {
      try {
        for (let n = 0; ; n++) yield n;
      } finally {
        isClosed = true;
      }
    }
    const othersRun = gate();
    const work = (n: number, signal: AbortSignal): Promise<number | void> => {
      if (n === 2) othersRun.resolve();
      if (n === 0) return othersRun.promise;
      return new Promise((_, reject) =>
        signal.addEventListener("abort", () => {
          aborted++;
          reject(new Error("aborted"));
        }),
      );
    };

    for await (const { index } of runEach(source(), work, { concurrency: 3, signal: LIVE }))
      if (index === 0) break;

    expect({ isClosed, aborted }).toEqual({ isClosed: true, aborted: 2 });
  });

  it("gives the work's own error, whatever it is", async () => {
    const results = await Array.fromAsync(
      runEach([1], () => Promise.reject(new TypeError("no")), { concurrency: 1, signal: LIVE }),
    );

    expect(results).toMatchObject([
      { type: "failed", index: 0, item: 1, error: expect.any(TypeError) },
    ]);
  });
});
