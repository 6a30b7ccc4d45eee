import { describe, expect, it } from "vitest";
import { toIndexed, withSpellings } from "../../../src/orchestration/memory/indexed.ts";

describe("toIndexed", () => {
  it("leaves out sentences that only announce", () => {
    expect(toIndexed("Jobs wait. This page explains how jobs are retried and why. Jobs run.")).toBe(
      "Jobs wait. Jobs run.",
    );
    expect(toIndexed("This document describes the queue.")).toBe("");
  });

  it("keeps sentences that say something about a page", () => {
    expect(toIndexed("This section is out of date.")).toBe("This section is out of date.");
  });
});

describe("withSpellings", () => {
  it.each([
    ["plain words 1.5", "plain words 1.5"],
    ["a time-out of maxParallelJobs", "a time-out of maxParallelJobs timeout max Parallel Jobs"],
    ["PagedAttention in vLLM", "PagedAttention in vLLM Paged Attention v LLM"],
    ["a--b -c d-", "a--b -c d-"],
  ])("adds to %j what else it may be called", (text, expected) => {
    expect(withSpellings(text)).toBe(expected);
  });

  it.each([
    ["letters", "a".repeat(60_000), ""],
    ["letters before a hyphen", `${"a".repeat(60_000)}-b`, ` ${"a".repeat(60_000)}b`],
    ["hyphens", "-".repeat(60_000), ""],
    ["hyphens between letters", "a-".repeat(30_000), ` ${"a".repeat(30_000)}`],
    ["capitals", "A".repeat(60_000), ""],
  ])("reads a word of 60,000 characters: %s", (_what, text, added) => {
    expect(withSpellings(text) === text + added).toBe(true);
  });
});
