import { describe, expect, it } from "vitest";
import { BosunError } from "../../../src/error.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import type { PoolEndpoint } from "../../../src/inference/pool/deployment.ts";
import { createPool } from "../../../src/inference/pool/pool.ts";
import { endOf, requestOf, twinFleet } from "./twin-fleet.ts";

/** A server that is gone: each call fails at once, so it looks as if it had nothing to do. */
const GONE: Model = {
  // eslint-disable-next-line require-yield
  async *call() {
    throw new BosunError("model/unreachable", "gone: connection refused", { retryable: true });
  },
  contextTokens: async () => undefined,
};

describe("a deployment with one server of two gone", () => {
  it("does not fail calls that the other one can answer", async () => {
    const { clock, deployment } = twinFleet();
    const capacity = { kvTokens: 4_096 };
    const gone: PoolEndpoint = { name: "gone", at: GONE, capacity };
    const pool = createPool({
      clock,
      random: () => 0.5,
      resolve: () => ({ ...deployment, endpoints: [...deployment.endpoints, gone] }),
    });

    const calls = Array.from({ length: 200 }, (_, at) =>
      endOf({ pool, clock }, requestOf(100, { runId: `run-${at}` })),
    );
    const ended = await Promise.allSettled(calls);

    expect(ended.filter(({ status }) => status === "rejected")).toEqual([]);
  });
});
