import { describe, expect, it } from "vitest";
import { labelOf, readSamples } from "../../../src/inference/pool/metric-sample.ts";

const TEXT = `# HELP vllm:num_requests_running Number of requests.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="a } b"} 3.0
vllm:num_requests_running{engine="1",model_name="x"} 4.0 1700000000000
llamacpp:requests_processing 2
vllm:kv_cache_usage_perc{engine="0"} NaN
vllm:other{engine="0"} 9
broken{
`;

describe("samples of a metrics page", () => {
  it("are those of the wanted names, one for each engine", () => {
    const wanted = new Set(["vllm:num_requests_running", "llamacpp:requests_processing", "broken"]);

    const samples = readSamples(TEXT, wanted);

    expect([...samples.keys()]).toEqual([
      "vllm:num_requests_running",
      "llamacpp:requests_processing",
    ]);
    expect(samples.get("vllm:num_requests_running")?.map(({ value }) => value)).toEqual([3, 4]);
    expect(samples.get("llamacpp:requests_processing")).toEqual([{ labels: "", value: 2 }]);
  });

  it("leave out what is no number", () => {
    expect(readSamples(TEXT, new Set(["vllm:kv_cache_usage_perc"])).size).toBe(0);
  });

  it("are bounded for one name", () => {
    const text = "a 1\n".repeat(5_000);

    expect(readSamples(text, new Set(["a"])).get("a")).toHaveLength(1_024);
  });

  it("have labels with quotes inside", () => {
    const sample = { labels: 'block_size="16",name="say \\"hi\\"",num_gpu_blocks="100"', value: 1 };

    expect(labelOf(sample, "num_gpu_blocks")).toBe("100");
    expect(labelOf(sample, "name")).toBe('say \\"hi\\"');
    expect(labelOf(sample, "size")).toBeUndefined();
  });
});
