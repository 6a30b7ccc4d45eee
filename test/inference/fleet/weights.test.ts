import { describe, expect, it } from "vitest";
import {
  requireModel,
  toBlocks,
  toKvBytesPerToken,
  toParameters,
  toSafeConcurrency,
  toWeightBytes,
} from "../../../src/fleet.ts";

/** docs/kv-cache-sizing.md: parameters, weights in bytes, KV bytes of a token in bf16, KV of 4,096 tokens in GiB. */
const TABLE = [
  ["Qwen3-8B", 8_190_735_360, 16_381_470_720, 9_435_703_296, 6_098_479_104, 147_456, 0.5625],
  ["Qwen3-14B", 14_768_307_200, 29_536_614_400, 16_324_556_800, 9_976_576_000, 163_840, 0.625],
  ["Qwen3-32B", 32_762_123_264, 65_524_246_528, 34_318_624_768, 19_325_298_688, 262_144, 1],
  ["Llama-3.1-8B", 8_030_261_248, 16_060_522_496, 9_081_200_640, 5_727_854_592, 131_072, 0.5],
  ["Llama-3.1-70B", 70_553_706_496, 141_107_412_992, 72_656_371_712, 39_767_785_472, 327_680, 1.25],
  ["Mistral-7B", 7_248_023_552, 14_496_047_104, 7_516_725_248, 4_163_379_200, 131_072, 0.5],
] as const;

/** The same as printed: parameters in 10⁹ and weights in GB, rounded. */
const PRINTED: Readonly<Record<string, readonly [number, number, number, number]>> = {
  "Qwen3-8B": [8.191, 16.38, 9.44, 6.1],
  "Qwen3-14B": [14.768, 29.54, 16.32, 9.98],
  "Qwen3-32B": [32.762, 65.52, 34.32, 19.33],
  "Llama-3.1-8B": [8.03, 16.06, 9.08, 5.73],
  "Llama-3.1-70B": [70.554, 141.11, 72.66, 39.77],
  "Mistral-7B": [7.248, 14.5, 7.52, 4.16],
};

describe.each(TABLE)("%s", (name, ...row) => {
  const [parameters, bf16, fp8, int4, kvBytes, kvGib] = row;
  const { model } = requireModel(name);

  it("has the parameters of the table", () => {
    const { total, linear, rest } = toParameters(model);

    expect(total).toBe(parameters);
    expect(linear + rest).toBe(total);
  });

  it("takes the bytes of the table", () => {
    expect(toWeightBytes(model, "bf16")).toBe(bf16);
    expect(toWeightBytes(model, "fp8")).toBe(fp8);
    expect(toWeightBytes(model, "int4")).toBe(int4);
  });

  it("takes what the table prints, rounded", () => {
    const printed = [parameters, bf16, fp8, int4].map((value, at) =>
      Number((value / 1e9).toFixed(at === 0 ? 3 : 2)),
    );

    expect(printed).toEqual(PRINTED[name]);
  });

  it("takes the KV bytes of the table, half of them in fp8", () => {
    expect(toKvBytesPerToken(model, "bf16")).toBe(kvBytes);
    expect(toKvBytesPerToken(model, "fp8")).toBe(kvBytes / 2);
    expect((toKvBytesPerToken(model, "bf16") * 4096) / 2 ** 30).toBe(kvGib);
  });

  it("is shared among GPUs; KV heads only up to one a GPU", () => {
    expect(toWeightBytes(model, "fp8", 2)).toBe(Math.ceil(fp8 / 2));
    expect(toKvBytesPerToken(model, "bf16", 2)).toBe(kvBytes / 2);
    expect(toKvBytesPerToken(model, "bf16", 8)).toBe(kvBytes / 8);
    expect(toKvBytesPerToken(model, "bf16", 16)).toBe(kvBytes / 8);
  });
});

describe("a model with tied embeddings", () => {
  it("stores them once", () => {
    const { model } = requireModel("Qwen3-0.6B");
    const untied = toParameters({ ...model, tiedEmbeddings: false });

    expect(toParameters(model).total).toBe(596_049_920);
    expect(untied.total - toParameters(model).total).toBe(151_936 * 1024);
  });
});

// Sizes of the files on Hugging Face, in GB: what the formula cannot make fit by itself.
describe("the weights of published checkpoints", () => {
  it.each([
    ["RedHatAI/Mistral-7B-Instruct-v0.3-FP8", 4.95 + 2.57],
    ["solidrust/Mistral-7B-v0.3-AWQ", 4.16],
  ])("%s are as large as computed", (name, gigabytes) => {
    const { model, checkpoint } = requireModel(name);

    expect(toWeightBytes(model, checkpoint.quantization) / 1e9).toBeCloseTo(gigabytes, 2);
  });
});

describe("blocks", () => {
  it.each([
    [1, 1],
    [16, 1],
    [17, 2],
    [2500, 157],
  ])("%d tokens take %d", (tokens, blocks) => {
    expect(toBlocks(tokens)).toBe(blocks);
  });

  it("hold as many requests as reach their length together", () => {
    expect(toSafeConcurrency(1900, 4096)).toBe(7);
    expect(toSafeConcurrency(255, 4096)).toBe(0);
  });
});
