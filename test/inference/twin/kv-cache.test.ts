import { describe, expect, it } from "vitest";
import { createEngine } from "./drive.ts";
import { request, tokens } from "./request.ts";

const SHARED = tokens("shared", 16);

describe("the prefix cache", () => {
  it("serves the full blocks that a prompt shares with an earlier one", () => {
    const driven = createEngine();
    driven.add(request("a", { prompt: [...SHARED, ...tokens("a", 3)] }));
    driven.drain();
    const [b] = driven.add(request("b", { prompt: [...SHARED, ...tokens("b", 3)] }));

    expect(driven.step()).toEqual({ b: 3 });
    expect(b?.numCachedTokens).toBe(16);
    expect(driven.engine.counters).toMatchObject({
      prefixCacheQueries: 38,
      prefixCacheHits: 16,
      promptTokensComputed: 22,
      promptTokensCached: 16,
    });
  });

  it("shares blocks between two that run, also when both begin in one step", () => {
    const driven = createEngine();
    const [a, b] = driven.add(
      request("a", { prompt: [...SHARED, 1], output: 2 }),
      request("b", { prompt: [...SHARED, 2], output: 9 }),
    );

    expect(driven.step()).toEqual({ a: 17, b: 1 });
    const { pool } = driven.engine.scheduler.kv;
    expect(b?.blockTable.slice(0, 4)).toEqual(a?.blockTable.slice(0, 4));
    expect(pool.refCount(b?.blockTable[0] ?? -1)).toBe(2);
    expect(pool.numFree).toBe(16 - 6);
    driven.step();
    expect(pool.refCount(b?.blockTable[0] ?? -1)).toBe(1);
  });

  it("never serves the last token of a prompt", () => {
    const driven = createEngine();
    driven.add(request("a", { prompt: SHARED }));
    driven.drain();
    const [again] = driven.add(request("again", { prompt: SHARED }));

    expect(driven.step()).toEqual({ again: 4 });
    expect(again?.numCachedTokens).toBe(12);
  });

  it("serves what was generated to the prompt that continues it, but for the last token", () => {
    const driven = createEngine();
    const answer = tokens("answer", 9);
    driven.add(request("a", { prompt: SHARED, output: answer }));
    driven.drain();

    const [next] = driven.add(request("next", { prompt: [...SHARED, ...answer, 1, 2, 3] }));
    driven.step();

    // 16 + 8 tokens are full blocks; the 25th was said but never computed.
    expect(next?.numCachedTokens).toBe(24);
  });

  it.each([
    ["salt", { cacheSalt: "other" }],
    ["adapter", { lora: "other" }],
    ["beginning", { prompt: [0, ...SHARED.slice(1), 5] }],
  ])("shares nothing across a different %s", (_, difference) => {
    const driven = createEngine();
    driven.add(request("a", { prompt: [...SHARED, 5] }));
    driven.drain();
    const [b] = driven.add(request("b", { prompt: [...SHARED, 5], ...difference }));
    driven.step();

    expect(b?.numCachedTokens).toBe(0);
  });

  it.each([
    ["old", 8],
    ["new", 12],
  ])("keeps free blocks until they are used again, oldest first, ends first: %s", (id, cached) => {
    const driven = createEngine({ maxModelLen: 60 });
    for (const before of ["old", "new"]) {
      driven.add(request(before, { prompt: 13, output: 1 }));
      driven.drain();
    }
    // 8 blocks were never used, then come those of "old" from its end: 10 leave two of its four.
    driven.add(request("big", { prompt: 37, output: 1 }));
    driven.drain();
    const [again] = driven.add(request(id, { prompt: 13, output: 1 }));
    driven.step();

    expect(again?.numCachedTokens).toBe(cached);
  });

  it("counts a hit on a free block against the free ones: it is no gain in room", () => {
    const driven = createEngine({ numGpuBlocks: 16 });
    driven.add(request("a", { prompt: SHARED, output: 1 }));
    driven.drain();
    driven.add(request("big", { prompt: 47, output: 8 }));
    driven.step();

    // 4 blocks are free, 3 of them hits: with 4 more than the hits it needs 7.
    driven.add(request("b", { prompt: [...SHARED, ...tokens("b", 12)] }));

    expect(driven.step()).toEqual({ big: 1 });
    expect(driven.waiting).toEqual(["b"]);
  });

  it("is off without enablePrefixCaching", () => {
    const driven = createEngine({ enablePrefixCaching: false });
    driven.add(request("a", { prompt: SHARED }));
    driven.drain();
    driven.add(request("b", { prompt: SHARED }));

    expect(driven.step()).toEqual({ b: 16 });
    expect(driven.engine.scheduler.kv.pool.numCached).toBe(0);
  });

  it("can be reset while nothing uses it, and only then", () => {
    const driven = createEngine();
    driven.add(request("a", { prompt: SHARED }));
    driven.step();
    const busy = driven.engine.resetPrefixCache();
    driven.drain();

    expect([busy, driven.engine.resetPrefixCache()]).toEqual([false, true]);
    const [b] = driven.add(request("b", { prompt: SHARED }));
    driven.step();
    expect(b?.numCachedTokens).toBe(0);
  });
});
