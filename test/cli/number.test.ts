import { describe, expect, it } from "vitest";
import { count, duration, elapsed, share, speed, tokens } from "../../src/cli/number.ts";

describe("duration", () => {
  it.each([
    [undefined, "–"],
    [Number.NaN, "–"],
    [0, "0 ms"],
    [850.4, "850 ms"],
    [1_000, "1.0 s"],
    [59_949, "59.9 s"],
    [59_950, "1m 00s"],
    [75_000, "1m 15s"],
    [3_599_999, "1h 00m"],
    [11_100_000, "3h 05m"],
  ])("of %s ms is %s", (ms, shown) => {
    expect(duration(ms)).toBe(shown);
  });
});

describe("numbers", () => {
  it("mark estimates, group thousands and never divide by nothing", () => {
    expect(count(1_234_567)).toBe("1,234,567");
    expect([tokens(1_200, "server"), tokens(1_200, "estimated")]).toEqual(["1,200", "~1,200"]);
    expect([share(1, 4), share(0, 0)]).toEqual(["25 %", "–"]);
    expect([share(1, 1_000), share(0, 9), share(999, 1_000)]).toEqual(["<1 %", "0 %", "100 %"]);
    expect([speed(4.26), speed(45.4)]).toEqual(["4.3 tok/s", "45 tok/s"]);
    expect(elapsed(300)).toBe("0.3 s");
  });
});
