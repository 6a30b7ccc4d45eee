import { describe, expect, it } from "vitest";
import type { Reply } from "../../../src/inference/model/model.ts";
import { createLedger, NO_BOUNDS } from "../../../src/inference/pool/ledger.ts";
import { createSpeed } from "../../../src/inference/pool/speed.ts";

const replyAfter = (firstTokenMs: number, totalMs: number): Reply => ({
  text: "",
  reasoning: "",
  calls: [],
  finish: { unified: "stop", raw: "stop" },
  usage: {
    input: { total: 1_000, cached: undefined },
    output: { total: 101, reasoning: undefined },
    source: "server",
  },
  timings: { queueMs: 0, firstTokenMs, totalMs },
  endpoint: "gpu",
  model: "m",
});
const SEEN = { computedTokens: 1_000, batch: 1 };

describe("the speed of an endpoint", () => {
  it("is learned from the time between tokens", () => {
    const speed = createSpeed();
    speed.learn(replyAfter(500, 1_500), SEEN);

    expect(speed.decodeMs(1, 1)).toBe(10);
  });

  it.each([500, 500.01])(
    "is not learned from an answer that came at once, held back on its way (%f ms)",
    (totalMs) => {
      const speed = createSpeed();
      speed.learn(replyAfter(500, totalMs), SEEN);
      const ledger = createLedger({ ...NO_BOUNDS, kvTokens: 10_000 });
      const need = {
        prefix: { blocks: [], tokensPerBlock: 0 },
        promptTokens: 100,
        outputTokens: 100,
        prefillTokens: 100,
      };
      ledger.reserve(need).firstToken(1_000);

      for (const now of [1_000, 1_500])
        expect(ledger.fits(need, { now, interTokenMs: speed.decodeMs(1, 1) })).toBe(true);
    },
  );
});
