import { describe, expect, it } from "vitest";
import { COPY_OVERHEAD_BYTES, planCopies } from "../../../src/fleet.ts";
import { failureOf } from "./failure-of.ts";

/** Eight agents, each with a model of its own. */
const EIGHT = { model: "mistralai/Mistral-7B-Instruct-v0.3", copies: 8 };

describe.each(["A6000", "L40S"])("eight copies of a 7B model on cards of 48 GB, %s", (gpu) => {
  it("run out of memory on one card at the fourth", () => {
    const plan = planCopies({ ...EIGHT, gpu, gpus: 1 });

    expect(plan).toMatchObject({
      type: "out-of-memory-at-load",
      copiesPerGpu: [3],
      failedCopy: 3,
      fewestGpus: 3,
    });
    expect(plan.type === "out-of-memory-at-load" && plan.message).toMatch(
      /^torch\.OutOfMemoryError: CUDA out of memory\. Tried to allocate 112\.00 MiB\. GPU 0 has/,
    );
  });

  it("run out of memory on two cards at the seventh", () => {
    expect(planCopies({ ...EIGHT, gpu, gpus: 2 })).toMatchObject({
      type: "out-of-memory-at-load",
      copiesPerGpu: [3, 3],
      failedCopy: 6,
      fewestGpus: 3,
    });
  });

  it("fit on three", () => {
    expect(planCopies({ ...EIGHT, gpu, gpus: 3 })).toEqual({
      type: "fits",
      bytesPerCopy: 14_496_047_104 + COPY_OVERHEAD_BYTES,
      copiesPerGpu: [3, 3, 2],
    });
  });
});

describe("copies of a model", () => {
  it("fit on two cards of 80 GB", () => {
    expect(planCopies({ ...EIGHT, gpu: "H100", gpus: 1 }).type).toBe("out-of-memory-at-load");
    expect(planCopies({ ...EIGHT, gpu: "H100", gpus: 2 })).toMatchObject({
      type: "fits",
      copiesPerGpu: [4, 4],
    });
  });

  it("fit in greater number when their weights are smaller", () => {
    expect(planCopies({ ...EIGHT, gpu: "L40S", gpus: 2, quantization: "fp8" }).type).toBe("fits");
  });

  it("fit on no number of cards that cannot hold one", () => {
    const plan = planCopies({ model: "Qwen3-32B", copies: 1, gpu: "L40S", gpus: 1024 });

    expect(plan).toMatchObject({ type: "out-of-memory-at-load", failedCopy: 0 });
    expect(plan.type === "out-of-memory-at-load" && plan.fewestGpus).toBeUndefined();
    expect(new Set(plan.copiesPerGpu)).toEqual(new Set([0]));
  });

  it("leave cards empty when there are fewer of them", () => {
    expect(planCopies({ ...EIGHT, copies: 2, gpu: "L40S", gpus: 4 }).copiesPerGpu).toEqual([
      1, 1, 0, 0,
    ]);
  });

  it.each([
    [{ copies: 0 }, /copies/],
    [{ copies: 10_001 }, /copies/],
    [{ gpus: 0 }, /gpus/],
    [{ gpus: 2.5 }, /gpus/],
    [{ overheadBytes: NaN }, /bytes of a copy/],
    [{ overheadBytes: -1e12 }, /bytes of a copy/],
  ])("are refused with %j", (wrong, message) => {
    const error = failureOf(() => planCopies({ ...EIGHT, gpu: "L40S", gpus: 1, ...wrong }));

    expect(error.code).toBe("fleet/invalid");
    expect(error.message).toMatch(message);
  });
});
