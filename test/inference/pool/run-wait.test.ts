import { describe, expect, it } from "vitest";
import { createRunWaits } from "../../../src/inference/pool/run-wait.ts";

describe("waits of runs", () => {
  it("adds up what the calls of a run waited, each run for itself", () => {
    const waits = createRunWaits();
    waits.add("a", 100);
    waits.add("a", 50);
    waits.add("b", 7);

    expect([waits.of("a"), waits.of("b"), waits.of("c")]).toEqual([150, 7, 0]);
  });

  it("forgets the run that waited longest ago, not one that still waits", () => {
    const waits = createRunWaits();
    waits.add("old", 1);
    waits.add("kept", 1);
    for (let run = 0; run < 16_383; run++) waits.add(`run ${run}`, 1);
    waits.add("kept", 1);
    waits.add("newest", 1);

    expect([waits.of("old"), waits.of("kept")]).toEqual([0, 2]);
  });
});
