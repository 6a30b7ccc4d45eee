import { describe, expect, it } from "vitest";
import { createDurations } from "../../../src/inference/pool/duration.ts";

describe("createDurations", () => {
  it("tells the shortest when enough were measured, and the longest at once", () => {
    const durations = createDurations();

    durations.note("task", 30);
    const few = [durations.shortest("task", 2), durations.longest("task")];
    durations.note("task", 20);

    expect(few).toEqual([undefined, 30]);
    expect([durations.shortest("task", 2), durations.longest("task")]).toEqual([20, 30]);
    expect([durations.shortest("other", 1), durations.longest("other")]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it("keeps the newest eight of each, and of a thousand things", () => {
    const durations = createDurations();

    for (let ms = 1; ms <= 20; ms++) durations.note("task", ms);
    const shortest = durations.shortest("task", 1);
    for (let at = 0; at < 1_024; at++) durations.note(`other-${at}`, 1);

    expect(shortest).toBe(13);
    expect(durations.longest("task")).toBeUndefined();
    expect(durations.longest("other-0")).toBe(1);
  });
});
