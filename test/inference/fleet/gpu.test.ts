import { describe, expect, it } from "vitest";
import { defineGpu, findGpu, GPUS, requireGpu } from "../../../src/fleet.ts";
import { failureOf } from "./failure-of.ts";

const GIB = 2 ** 30;

describe("findGpu", () => {
  it.each([
    ["H100-SXM", "H100-SXM"],
    ["h100", "H100-SXM"],
    ["NVIDIA H100 80GB HBM3", "H100-SXM"],
    ["A100-SXM4-80GB", "A100-80"],
    ["NVIDIA A100-SXM4-80GB", "A100-80"],
    ["NVIDIA GeForce RTX 4090", "RTX-4090"],
    ["rtx 4090", "RTX-4090"],
    ["4090", "RTX-4090"],
    ["NVIDIA RTX A6000", "A6000"],
    ["nvidia l40s", "L40S"],
    ["Tesla L4", "L4"],
    ["NVIDIA H200", "H200"],
    ["NVIDIA B200", "B200"],
  ])("knows %s", (text, id) => {
    expect(findGpu(text)?.id).toBe(id);
  });

  it.each([
    ["a slower relative", "NVIDIA H100 PCIe"],
    ["a smaller relative", "NVIDIA A100-SXM4-40GB"],
    ["a laptop's", "NVIDIA GeForce RTX 4090 Laptop GPU"],
    ["a slice", "NVIDIA H100 80GB HBM3 MIG 1g.10gb"],
    ["another card", "NVIDIA L40"],
    ["a brand alone", "NVIDIA"],
    ["nothing", ""],
    ["a very long text", "h100 ".repeat(10_000)],
  ])("does not take %s for one of the catalogue", (_what, text) => {
    expect(findGpu(text)).toBeUndefined();
  });
});

describe("requireGpu", () => {
  it("lists what is known when a GPU is not", () => {
    const error = failureOf(() => requireGpu("RTX 9999"));

    expect(error.code).toBe("fleet/unknown-gpu");
    expect(error.message).toContain('"RTX 9999"');
    expect(error.message).toContain("L4, RTX-4090, L40S, A6000, H100-SXM, A100-80, H200, B200");
    expect(error.details).toEqual({ known: GPUS.map(({ id }) => id) });
  });

  it("finds each GPU by its id and by each alias, and by no other's", () => {
    for (const gpu of GPUS)
      for (const name of [gpu.id, ...gpu.aliases]) expect(requireGpu(name).id, name).toBe(gpu.id);
  });
});

describe("the catalogue of GPUs", () => {
  it("has the memory that nvidia-smi prints, in bytes", () => {
    expect(requireGpu("L40S").memoryBytes).toBe(48_305_799_168);
    expect(requireGpu("A100-80").memoryBytes).toBe(80 * GIB);
    expect(requireGpu("B200").memoryBytes).toBe(183_359 * 2 ** 20);
  });

  it("has no fp8 on cards before Ada and fp4 only from Blackwell on", () => {
    const without = GPUS.filter(({ fp8FlopsPerSecond }) => fp8FlopsPerSecond === undefined);

    expect(without.map(({ id }) => id)).toEqual(["A6000", "A100-80"]);
    expect(GPUS.filter((gpu) => gpu.fp4FlopsPerSecond).map(({ id }) => id)).toEqual(["B200"]);
  });

  it.each([
    ["L4", 256, 2048],
    ["RTX-4090", 256, 2048],
    ["A6000", 256, 2048],
    ["L40S", 256, 2048],
    ["A100-80", 256, 2048],
    ["H100-SXM", 1024, 8192],
    ["H200", 1024, 8192],
    ["B200", 1024, 16_384],
  ])("sets what vLLM sets on a %s", (id, maxNumSeqs, maxNumBatchedTokens) => {
    expect(requireGpu(id)).toMatchObject({ maxNumSeqs, maxNumBatchedTokens });
  });
});

describe("defineGpu", () => {
  const facts = {
    id: "Mine",
    aliases: [],
    memoryBytes: 96 * GIB,
    bandwidthBytesPerSecond: 1.8e12,
    bf16FlopsPerSecond: 500e12,
  };

  it("gives a GPU of one's own what vLLM would set on it", () => {
    expect(defineGpu(facts)).toEqual({ ...facts, maxNumSeqs: 1024, maxNumBatchedTokens: 8192 });
  });

  it.each(["memoryBytes", "bandwidthBytesPerSecond", "bf16FlopsPerSecond"])(
    "refuses a wrong %s",
    (key) => {
      for (const wrong of [0, -1, NaN, Infinity]) {
        const error = failureOf(() => defineGpu({ ...facts, [key]: wrong }));

        expect(error.code).toBe("fleet/invalid");
        expect(error.message).toContain(`GPU Mine: ${key}`);
      }
    },
  );
});
