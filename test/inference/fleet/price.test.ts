import { describe, expect, it } from "vitest";
import { findPrice, GPUS, type GpuPrice, PRICES } from "../../../src/fleet.ts";

describe("the table of prices", () => {
  it("has a flex price with its date and an active one below it for each GPU of the catalogue", () => {
    for (const { id } of GPUS) {
      const [flex, active] = [findPrice(id, "flex"), findPrice(id, "active")];

      expect(flex?.readAt, id).toBe("2026-08");
      const share = (active?.usdPerHour ?? NaN) / (flex?.usdPerHour ?? NaN);
      expect(share, id).toBeGreaterThan(0.67);
      expect(share, id).toBeLessThan(0.81);
    }
  });

  it("names only GPUs of the catalogue, each once a rental, with a source", () => {
    const ids = new Set(GPUS.map(({ id }) => id));
    const keys = PRICES.map(({ gpu, rental }) => `${gpu} ${rental}`);

    expect(PRICES.filter(({ gpu }) => !ids.has(gpu))).toEqual([]);
    expect(new Set(keys).size).toBe(keys.length);
    expect(PRICES.filter(({ source }) => source === "")).toEqual([]);
  });

  it("can be another", () => {
    const mine: GpuPrice = {
      gpu: "L4",
      rental: "on-demand",
      usdPerHour: 0.5,
      source: "invoice",
      readAt: "2026-11",
    };

    expect(findPrice("L4", "on-demand", [mine])).toBe(mine);
    expect(findPrice("L4", "on-demand")).toBeUndefined();
    expect(findPrice("L40S", "on-demand")?.usdPerHour).toBe(0.72);
  });
});
