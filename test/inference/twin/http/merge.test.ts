import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../../src/clock.ts";
import { merge } from "../../../../src/inference/twin/http/merge.ts";

const SIGNAL = new AbortController().signal;

async function* failing(): AsyncGenerator<number> {
  yield 1;
  throw new Error("no");
}

describe("merge", () => {
  it("gives values in the order of their time, each with its source", async () => {
    const clock = createVirtualClock();
    async function* every(ms: number): AsyncGenerator<number> {
      for (let count = 1; count <= 3; count++) {
        await clock.sleep(ms, SIGNAL);
        yield count;
      }
    }

    const all = await Array.fromAsync(merge([every(10), every(4)], () => undefined));

    expect(all).toEqual([
      [1, 1],
      [1, 2],
      [0, 1],
      [1, 3],
      [0, 2],
      [0, 3],
    ]);
  });

  it("tells the others to end, and ends them, when one fails", async () => {
    const stop = new AbortController();
    const ended: string[] = [];
    async function* waiting(): AsyncGenerator<number> {
      try {
        await new Promise((_, reject) =>
          stop.signal.addEventListener("abort", () => reject(new Error("told to"))),
        );
        yield 2;
      } finally {
        ended.push("waiting");
      }
    }

    await expect(
      Array.fromAsync(merge([waiting(), failing()], () => stop.abort())),
    ).rejects.toThrow("no");
    expect(ended).toEqual(["waiting"]);
  });

  it("ends its sources when its reader leaves", async () => {
    let isEnded = false;
    async function* endless(): AsyncGenerator<number> {
      try {
        for (let count = 0; ; count++) yield count;
      } finally {
        isEnded = true;
      }
    }

    for await (const [, value] of merge([endless()], () => undefined)) if (value > 2) break;

    expect(isEnded).toBe(true);
  });
});
