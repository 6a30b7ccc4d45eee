import { describe, expect, it } from "vitest";
import { createFaults, faultText, parseFault } from "../../../src/inference/twin/fault.ts";

describe("a fault's text", () => {
  it.each([
    "429; retry-after=2",
    "500; retry-after=0",
    "503; retry-after=7",
    "slow; ms=800",
    "cut; after=5",
    "malformed; after=1",
    "stuck; after=0",
    "engine-death; after=3; restart-ms=500",
    "finish; reason=abort",
    "kv-squeeze; share=0.5",
  ])("%s is read and written as it stands", (text) => {
    expect(faultText(parseFault(text).fault)).toBe(text);
  });

  it.each(["404", "cut; ms=3", "cut; after=x", "slow; ms=-1", "500; p=2", "429; reason=x", ""])(
    '"%s" is none',
    (text) => {
      expect(() => parseFault(text)).toThrow(expect.objectContaining({ code: "config/invalid" }));
    },
  );
});

describe("faults by probability", () => {
  const rules = [parseFault("500; p=0.2"), parseFault("cut; p=0.1")];
  const draw = (seed: number): (string | undefined)[] => {
    const faults = createFaults(rules, seed);
    return Array.from({ length: 2_000 }, () => faults.next()?.type);
  };

  it("befall the same requests for the same seed, and others for another (X1)", () => {
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
  });

  it("befall about as many as they say", () => {
    const drawn = draw(3);
    const share = (type: string): number => drawn.filter((one) => one === type).length / 2_000;

    expect(share("status")).toBeGreaterThan(0.17);
    expect(share("status")).toBeLessThan(0.23);
    expect(share("cut")).toBeGreaterThan(0.06);
    expect(share("cut")).toBeLessThan(0.1);
  });

  it("give way to the header's fault", () => {
    const faults = createFaults([parseFault("500")]);

    expect(faults.next("slow; ms=1")).toEqual({ type: "slow", ms: 1 });
    expect(faults.next()).toMatchObject({ type: "status" });
  });
});
