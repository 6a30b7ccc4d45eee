import { describe, expect, it } from "vitest";
import {
  type LoadReading,
  NO_FOREIGN_LOAD,
  noteReading,
} from "../../../src/inference/pool/foreign-load.ts";

const READING: LoadReading = { endpoint: "gpu-1", at: 0, running: 5, waiting: 1, sent: 4 };

/** When something is told, of readings that come every half second. */
function toldAt(readings: readonly Partial<LoadReading>[]): readonly number[] {
  let load = NO_FOREIGN_LOAD;
  return readings.flatMap((reading, index) => {
    const at = index * 500;
    const next = noteReading(load, { ...READING, at, ...reading });
    load = next.load;
    return next.notice ? [at] : [];
  });
}

const more = (count: number, reading: Partial<LoadReading> = {}): readonly Partial<LoadReading>[] =>
  Array.from({ length: count }, () => reading);
const EQUAL = { running: 4, waiting: 0 };

describe("the load of others on an endpoint", () => {
  it("is told with the third reading in a row, with its numbers", () => {
    expect(toldAt(more(2))).toEqual([]);
    expect(toldAt(more(3))).toEqual([1_000]);

    const { notice } = noteReading({ inARow: 2, toldAt: undefined }, READING);

    expect(notice).toEqual({ endpoint: "gpu-1", running: 6, sent: 4 });
  });

  it("is no load when a reading shows no more than was sent", () => {
    expect(toldAt([...more(2), EQUAL, ...more(2)])).toEqual([]);
    expect(toldAt([...more(2), { running: 2, waiting: 0 }, ...more(3)])).toEqual([2_500]);
  });

  it("is told once a minute while it lasts", () => {
    expect(toldAt(more(360))).toEqual([1_000, 61_000, 121_000]);
  });

  it("is told no sooner for having been away", () => {
    expect(toldAt([...more(3), EQUAL, ...more(119)])).toEqual([1_000, 61_000]);
  });

  it("counts what waits there, and lets others have their share", () => {
    expect(toldAt(more(3, { running: 3, waiting: 2 }))).toEqual([1_000]);
    expect(toldAt(more(3, { others: 2 }))).toEqual([]);
    expect(toldAt(more(3, { others: 1.9 }))).toEqual([1_000]);
  });
});
