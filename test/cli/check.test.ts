import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../src/clock.ts";
import { type Check, CHECK_TIMEOUT_MS, runChecks } from "../../src/cli/check.ts";
import { BosunError } from "../../src/error.ts";

const ok: Check["find"] = async () => ({ status: "ok", detail: "fine" });

const stuck: Check["find"] = (signal) =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

function run(checks: readonly Check[], signal = new AbortController().signal) {
  return Array.fromAsync(runChecks(checks, { clock: createVirtualClock(), signal }));
}

describe("runChecks", () => {
  it("reports each check in order, with its time", async () => {
    const clock = createVirtualClock();
    const slow: Check["find"] = async (signal) => {
      await clock.sleep(40, signal);
      return { status: "ok", detail: "slow" };
    };

    const reports = await Array.fromAsync(
      runChecks(
        [
          { name: "a", find: ok },
          { name: "b", find: slow },
        ],
        { clock, signal: new AbortController().signal },
      ),
    );

    expect(reports).toEqual([
      { name: "a", ms: 0, status: "ok", detail: "fine" },
      { name: "b", ms: 40, status: "ok", detail: "slow" },
    ]);
  });

  it("makes a finding of an error, with its code and its advice", async () => {
    const reports = await run([
      {
        name: "a",
        find: async () => {
          throw new BosunError("model/unreachable", "nobody there");
        },
        advice: () => "start it",
      },
    ]);

    expect(reports).toMatchObject([
      { status: "failed", detail: "[model/unreachable] nobody there", next: "start it" },
    ]);
  });

  it("skips what needs a check that failed or was skipped for it", async () => {
    const reports = await run([
      { name: "a", find: async () => ({ status: "failed", detail: "no" }) },
      { name: "b", needs: ["a"], find: ok },
      { name: "c", needs: ["b"], find: ok },
      { name: "d", find: ok },
    ]);

    expect(reports.map(({ status, detail }) => `${status}: ${detail}`)).toEqual([
      "failed: no",
      "skipped: needs: a",
      "skipped: needs: b",
      "ok: fine",
    ]);
  });

  it("ends a check that never ends", async () => {
    const [report] = await run([{ name: "a", find: stuck }]);

    expect(report).toMatchObject({ status: "failed", ms: CHECK_TIMEOUT_MS });
    expect(report?.detail).toContain("[model/timed-out]");
  });

  it("stops at once when the user interrupts", async () => {
    const controller = new AbortController();
    const find: Check["find"] = async (signal) => {
      controller.abort(new BosunError("run/cancelled", "interrupted"));
      signal.throwIfAborted();
      return { status: "ok", detail: "" };
    };

    await expect(run([{ name: "a", find }], controller.signal)).rejects.toMatchObject({
      code: "run/cancelled",
    });
  });
});
