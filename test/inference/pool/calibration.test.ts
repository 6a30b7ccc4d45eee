import { describe, expect, it } from "vitest";
import { createCalibration } from "../../../src/inference/pool/calibration.ts";

describe("a calibration", () => {
  it("changes nothing before a reply has told", () => {
    expect(createCalibration().tokens(1_000)).toBe(1_000);
  });

  it("takes the first reply at its word and moves slowly after it", () => {
    const calibration = createCalibration();
    calibration.learn(1_000, 800);
    expect(calibration.tokens(1_000)).toBe(800);

    calibration.learn(1_000, 1_800);
    expect(calibration.tokens(1_000)).toBe(900);
  });

  it("does not believe a server that counts something else, or nothing", () => {
    const calibration = createCalibration();
    calibration.learn(1_000, 0);
    calibration.learn(0, 1_000);
    expect(calibration.tokens(1_000)).toBe(1_000);

    calibration.learn(10, 100_000);
    expect(calibration.tokens(1_000)).toBe(4_000);
  });
});
