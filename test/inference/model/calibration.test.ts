import { describe, expect, it } from "vitest";
import { createCalibration, FIRST_SCALE } from "../../../src/inference/model/calibration.ts";
import type { Usage } from "../../../src/inference/model/usage.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

const counted = (total: number, source: Usage["source"] = "server"): Usage => ({
  input: { total, cached: undefined },
  output: { total: 1, reasoning: undefined },
  source,
});

describe("a calibration", () => {
  it("leaves a tenth free of a model that it knows nothing of", () => {
    expect(createCalibration().scaleOf(["a"])).toEqual(FIRST_SCALE);
    expect(FIRST_SCALE).toEqual({ ratio: 1, margin: 0.1 });
  });

  it("learns a model's ratio from what its server counted, and no other model's", () => {
    const calibration = createCalibration();

    for (let n = 0; n < 20; n++) calibration.note("a", 1_000, counted(1_400));

    expect(calibration.scaleOf(["a"]).ratio).toBe(1.4);
    expect(calibration.scaleOf(["b"])).toEqual(FIRST_SCALE);
  });

  it("takes the scale of the model that needs most room, where a call can reach several", () => {
    const calibration = createCalibration();
    for (let n = 0; n < 20; n++) {
      calibration.note("fine", 1_000, counted(800));
      calibration.note("dense", 1_000, counted(1_600));
    }

    expect(calibration.scaleOf(["fine", "dense"])).toEqual(calibration.scaleOf(["dense"]));
  });

  it("leaves less free the more replies agree, but never less than 3 %", () => {
    const calibration = createCalibration();
    const margins: number[] = [];

    for (let n = 0; n < 100; n++) {
      margins.push(calibration.scaleOf(["a"]).margin);
      calibration.note("a", 1_000, counted(1_000));
    }

    expect(margins).toEqual(margins.toSorted((a, b) => b - a));
    expect(margins[0]).toBe(0.1);
    expect(margins.at(-1)).toBe(0.03);
  });

  it("leaves more free when replies differ, but never more than 30 %", () => {
    const calibration = createCalibration();

    for (let n = 0; n < 40; n++) {
      calibration.note("a", 1_000, counted(n % 5 === 0 ? 1_250 : 1_000));
      calibration.note("b", 1_000, counted(n % 5 === 0 ? 4_000 : 1_000));
    }

    expect(calibration.scaleOf(["a"]).margin).toBeCloseTo(0.25);
    expect(calibration.scaleOf(["b"]).margin).toBe(0.3);
  });

  it("is not moved by one odd count, or by the first reply alone", () => {
    const calibration = createCalibration();
    calibration.note("first", 1_000, counted(400));
    for (let n = 0; n < 20; n++) calibration.note("odd", 1_000, counted(n === 7 ? 90_000 : 1_000));

    expect(calibration.scaleOf(["first"]).ratio).toBe(1);
    expect(calibration.scaleOf(["odd"]).ratio).toBe(1);
  });

  it("learns nothing from small prompts, from estimates, and from servers that count nothing", () => {
    const calibration = createCalibration();

    for (let n = 0; n < 20; n++) {
      calibration.note("a", 50, counted(200));
      calibration.note("a", 1_000, counted(2_000, "estimated"));
      calibration.note("a", 1_000, counted(0));
    }

    expect(calibration.scaleOf(["a"])).toEqual(FIRST_SCALE);
  });

  it("is not led by a server that cuts prompts in silence, and so counts too few", () => {
    const calibration = createCalibration();

    for (let n = 0; n < 40; n++) {
      calibration.note("cut", 20_000, counted(2_048));
      calibration.note("some", 3_000, counted(2_048));
    }

    expect(calibration.scaleOf(["cut"])).toEqual(FIRST_SCALE);
    expect(calibration.scaleOf(["some"]).ratio).toBe(0.75);
  });

  it("covers nineteen of twenty prompts once it has seen enough of them", () => {
    const calibration = createCalibration();
    const random = seeded(3);
    let over = 0;

    for (let n = 0; n < 1_000; n++) {
      const [estimated, actual] = [1_000, Math.round(1_000 * (1.1 + 0.3 * random()))];
      const { ratio, margin } = calibration.scaleOf(["a"]);
      if (n >= 100 && actual > (estimated * ratio) / (1 - margin)) over++;
      calibration.note("a", estimated, counted(actual));
    }

    expect(over).toBeLessThanOrEqual(45);
  });

  it("forgets the model that was longest unused after 256 others", () => {
    const calibration = createCalibration();
    for (let n = 0; n < 20; n++) calibration.note("old", 1_000, counted(2_000));

    for (let n = 0; n < 256; n++) calibration.note(`model ${n}`, 1_000, counted(1_000));

    expect(calibration.scaleOf(["old"])).toEqual(FIRST_SCALE);
  });
});
