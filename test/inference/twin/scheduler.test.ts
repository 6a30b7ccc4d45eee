import { describe, expect, it } from "vitest";
import { createEngine } from "./drive.ts";
import { request } from "./request.ts";

describe("a step", () => {
  it("computes a prompt, then one token a step for each sequence", () => {
    const driven = createEngine();
    driven.add(request("a", { prompt: 10, output: 3 }));

    const steps = [driven.step(), driven.step(), driven.step(), driven.step()];

    expect(steps).toEqual([{ a: 10 }, { a: 1 }, { a: 1 }, undefined]);
  });

  it("spends its budget on the running first and cuts a prompt into chunks with the rest", () => {
    const driven = createEngine({ maxNumBatchedTokens: 8 });
    driven.add(request("a", { prompt: 4, output: 9 }));
    driven.step();
    driven.add(request("b", { prompt: 12, output: 2 }));

    const steps = [driven.step(), driven.step(), driven.step()];

    expect(steps).toEqual([
      { a: 1, b: 7 },
      { a: 1, b: 5 },
      { a: 1, b: 1 },
    ]);
  });

  it("computes no more of one prompt than longPrefillTokenThreshold", () => {
    const driven = createEngine({ longPrefillTokenThreshold: 5 });
    driven.add(request("a", { prompt: 12 }), request("b", { prompt: 3 }));

    const steps = [driven.step(), driven.step(), driven.step()];

    expect(steps).toEqual([
      { a: 5, b: 3 },
      { a: 5, b: 1 },
      { a: 2, b: 1 },
    ]);
  });

  it("lets a prompt wait that does not fit into the budget whole, without chunked prefill", () => {
    const driven = createEngine({
      enableChunkedPrefill: false,
      maxModelLen: 32,
      maxNumBatchedTokens: 32,
    });
    driven.add(request("a", { prompt: 20 }), request("b", { prompt: 20 }));

    expect([driven.step(), driven.step()]).toEqual([{ a: 20 }, { a: 1, b: 20 }]);
  });

  it("runs maxNumSeqs at once", () => {
    const driven = createEngine({ maxNumSeqs: 2 });
    driven.add(request("a", { output: 2 }), request("b"), request("c"));

    driven.step();
    const before = [driven.running, driven.waiting];
    driven.step();
    driven.step();

    expect(before).toEqual([["a", "b"], ["c"]]);
    expect(driven.running).toEqual(["b", "c"]);
  });
});

describe("admission", () => {
  it("stops at the first that does not fit, though a later one would", () => {
    const driven = createEngine({ numGpuBlocks: 16 });
    driven.add(request("a", { prompt: 40, output: 8 }));
    driven.add(request("b", { prompt: 30 }), request("c", { prompt: 4 }));

    expect(driven.step()).toEqual({ a: 40 });
    expect(driven.waiting).toEqual(["b", "c"]);
  });

  it("wants room for the whole prompt, not for its first chunk only", () => {
    const options = { maxNumBatchedTokens: 48 } as const;
    const [reserving, eager] = [
      createEngine(options),
      createEngine({ ...options, schedulerReserveFullIsl: false }),
    ];
    for (const driven of [reserving, eager])
      driven.add(request("a", { prompt: 36 }), request("b", { prompt: 40 }));

    expect(reserving.step()).toEqual({ a: 36 });
    expect(eager.step()).toEqual({ a: 36, b: 12 });
  });

  it("runs at most maxLoras adapters and passes over those that have no slot", () => {
    const driven = createEngine({ maxLoras: 1 });
    driven.add(
      request("a", { lora: "one", output: 2 }),
      request("b", { lora: "two" }),
      request("c", { lora: "one" }),
      request("d"),
    );

    driven.step();
    const before = [driven.running, driven.waiting, driven.engine.scheduler.numDeferred];
    driven.drain();

    expect(before).toEqual([["a", "c", "d"], ["b"], 1]);
    expect(driven.engine.counters.requests.stop).toBe(4);
  });

  it("goes by priority, then by arrival, under the priority policy", () => {
    const driven = createEngine({ schedulingPolicy: "priority", maxNumSeqs: 1 });
    driven.add(
      request("late", { priority: 5 }),
      request("first", { priority: -1 }),
      request("second", { priority: 0 }),
      request("third", { priority: 0 }),
    );

    expect(driven.waiting).toEqual(["first", "second", "third", "late"]);
  });
});

describe("preemption", () => {
  it("takes the last admitted first come, first served, and puts it at the front of the waiting", () => {
    const driven = createEngine({ numGpuBlocks: 16, enablePrefixCaching: false });
    const [, b] = driven.add(
      request("a", { prompt: 32, output: 12 }),
      request("b", { prompt: 32, output: 12 }),
    );
    driven.step();
    driven.add(request("c", { prompt: 4 }));

    // All 16 blocks are full: "a" needs a 9th.
    expect(driven.step()).toEqual({ a: 1 });
    expect(driven.waiting).toEqual(["b", "c"]);
    expect(b).toMatchObject({ numComputed: 0, numPreemptions: 1, numOutputs: 1, numBlocks: 0 });
  });

  it("admits nothing in a step that preempted", () => {
    const driven = createEngine({ numGpuBlocks: 17, enablePrefixCaching: false });
    driven.add(request("a", { prompt: 28, output: 12 }), request("b", { prompt: 32, output: 12 }));
    for (let step = 0; step < 5; step++) driven.step();
    driven.add(request("c", { prompt: 4 }));

    const preempting = driven.step();

    expect(driven.engine.counters.preemptions).toBe(1);
    expect(preempting).toEqual({ a: 1 });
    expect(driven.waiting).toEqual(["b", "c"]);
  });

  it("computes prompt and generated tokens again, and generates none of them twice", () => {
    const driven = createEngine({ numGpuBlocks: 17, enablePrefixCaching: false });
    const [, b] = driven.add(
      request("a", { prompt: 28, output: 12 }),
      request("b", { prompt: 32, output: 12 }),
    );
    for (let step = 0; step < 6; step++) driven.step();
    const before = b?.times.slice(0, b.numOutputs);

    const steps = [];
    while (!driven.running.includes("b")) steps.push(driven.step());

    expect(steps.at(-1)).toEqual({ b: 37 });
    driven.drain();
    expect(b?.times.slice(0, 5)).toEqual(before);
    expect(b?.numOutputs).toBe(12);
  });

  it("finds its own blocks in the cache when it comes back, and counts no lookup for that", () => {
    const driven = createEngine({ numGpuBlocks: 18 });
    const [, b] = driven.add(
      request("a", { prompt: 32, output: 12 }),
      request("b", { prompt: 32, output: 12 }),
    );
    while (driven.engine.counters.preemptions === 0) driven.step();
    const queries = driven.engine.counters.prefixCacheQueries;

    while (driven.running[0] !== "b") driven.step();

    expect(b?.numPreemptions).toBe(1);
    expect(driven.engine.counters.prefixCacheQueries).toBe(queries);
    expect(b?.numCachedTokens).toBe(0); // of its first scheduling
  });

  it("takes the worst priority, even one that the step has scheduled already", () => {
    const driven = createEngine({
      schedulingPolicy: "priority",
      numGpuBlocks: 16,
      enablePrefixCaching: false,
    });
    driven.add(
      request("worst", { prompt: 31, output: 12, priority: 9 }),
      request("best", { prompt: 32, output: 12, priority: 0 }),
    );
    driven.step();

    // "worst" goes first and fits into its 8th block; "best" then needs a block.
    expect(driven.step()).toEqual({ best: 1 });
    expect(driven.waiting).toEqual(["worst"]);
    expect(driven.engine.scheduler.batch).toMatchObject({ decodeSeqs: 1, decodeContextTokens: 33 });
  });

  it("gives the budget of what it took out of the step to those that follow", () => {
    const driven = createEngine({
      schedulingPolicy: "priority",
      schedulerReserveFullIsl: false,
      longPrefillTokenThreshold: 4,
      maxNumBatchedTokens: 12,
      maxModelLen: 40,
      numGpuBlocks: 12,
    });
    driven.add(request("worst", { prompt: 28, priority: 9 }));
    driven.step();
    driven.add(
      request("a", { prompt: 4, priority: 0, output: 9 }),
      request("b", { prompt: 20, priority: 1 }),
      request("c", { prompt: 20, priority: 2 }),
    );
    for (let step = 0; step < 3; step++) driven.step();

    // All 12 blocks are taken once "worst" has its 5th; "b" needs one.
    expect(driven.step()).toEqual({ a: 1, b: 4, c: 4 });
    expect(driven.waiting).toEqual(["worst"]);
  });

  it("takes the later arrival among equals, which may be the one that asks", () => {
    const driven = createEngine({
      schedulingPolicy: "priority",
      numGpuBlocks: 16,
      enablePrefixCaching: false,
    });
    driven.add(request("a", { prompt: 31, output: 12 }));
    driven.add(request("b", { prompt: 32, output: 12 }));
    driven.step();

    expect(driven.step()).toEqual({ a: 1 });
    expect(driven.waiting).toEqual(["b"]);
  });
});
