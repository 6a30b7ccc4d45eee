import { describe, expect, it } from "vitest";
import {
  createLedger,
  type Need,
  NO_BOUNDS,
  type Reservation,
} from "../../../src/inference/pool/ledger.ts";
import { createRandom } from "../../../src/inference/twin/random.ts";

const need = (promptTokens: number, outputTokens = 0, blocks: readonly number[] = []): Need => ({
  prefix: { blocks, tokensPerBlock: 64 },
  promptTokens,
  outputTokens,
  prefillTokens: promptTokens,
});
/** Nobody has said anything yet. */
const PACE = { now: 0, interTokenMs: 10 };
const BOUNDS = { ...NO_BOUNDS, kvTokens: 1_000 };

describe("a ledger", () => {
  it("counts a prefix once, however many calls in flight hold it", () => {
    const ledger = createLedger(BOUNDS);
    const first = ledger.reserve(need(200, 50, [1, 2, 3]));
    const second = ledger.reserve(need(200, 50, [1, 2, 9]));

    expect(ledger.reservedTokens).toBe(4 * 64 + 2 * (200 - 3 * 64) + 100);
    first.release();
    expect(ledger.reservedTokens).toBe(200 + 50);
    second.release();
    expect(ledger.reservedTokens).toBe(0);
  });

  it("says beforehand what it will reserve", () => {
    const ledger = createLedger(BOUNDS);
    ledger.reserve(need(200, 50, [1, 2, 3]));
    const before = ledger.reservedTokens;
    const next = need(300, 10, [1, 2, 8, 9]);

    expect(ledger.reserve(next).tokens).toBe(ledger.reservedTokens - before);
  });

  it("bounds calls, prompts that are not computed, and tokens", () => {
    const ledger = createLedger({ kvTokens: 2_000, maxNumSeqs: 4, prefillTokens: 500 });
    const [first] = [need(400), need(100), need(100)].map((one) => ledger.reserve(one));

    expect(ledger.fits(need(100), PACE)).toBe(false); // prefill
    first?.firstToken(0);
    expect(ledger.fits(need(100), PACE)).toBe(true);
    expect(ledger.fits(need(1_500), PACE)).toBe(false); // KV
    ledger.reserve(need(10));
    expect(ledger.fits(need(10), PACE)).toBe(false); // calls
  });

  it("lets three prompts go whatever their length: one is computed and two wait behind it", () => {
    const ledger = createLedger({ ...NO_BOUNDS, prefillTokens: 500 });
    const fits = [1, 2, 3, 4].map(() => {
      const isFree = ledger.fits(need(4_000), PACE);
      ledger.reserve(need(4_000));
      return isFree;
    });

    expect(fits).toEqual([true, true, true, false]);
  });

  it("never exceeds its bounds but for a call alone, and is back at zero (M2, M3; 200 random histories)", () => {
    for (let seed = 0; seed < 200; seed++) {
      const random = createRandom(seed);
      const draw = (most: number): number => Math.floor(random() * most);
      const ledger = createLedger({ kvTokens: 2_000, maxNumSeqs: 8, prefillTokens: 1_000 });
      const open: Reservation[] = [];
      for (let turn = 0; turn < 200; turn++) {
        const blocks = Array.from(
          { length: draw(12) },
          (_, at) => at * 10 + (at > 5 ? draw(3) : 0),
        );
        const next = need(blocks.length * 64 + draw(64), draw(300), blocks);
        const isLetIn = ledger.fits(next, PACE);
        if (isLetIn) open.push(ledger.reserve(next));
        const isBound = isLetIn && ledger.inFlight > 1; // a call alone may be as large as it is
        expect(isBound ? ledger.peakTokens(PACE) : 0).toBeLessThanOrEqual(2_000);
        expect(ledger.inFlight).toBeLessThanOrEqual(8);
        if (random() < 0.3) open[draw(open.length)]?.firstToken(0);
        if (random() < 0.4) open.splice(draw(open.length), 1).forEach((one) => one.release());
        if (random() < 0.1) open[0]?.release(); // twice
        if (random() < 0.1) open.shift()?.release();
        expect(ledger.reservedTokens).toBeGreaterThanOrEqual(0);
      }
      for (const one of open) one.release();
      expect(ledger).toMatchObject({ inFlight: 0, reservedTokens: 0, prefillTokens: 0 });
    }
  });
});
