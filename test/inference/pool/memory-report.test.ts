import { describe, expect, it } from "vitest";
import { planMemoryReport, tellMemoryReport } from "../../../src/inference/pool/memory-report.ts";
import {
  createMemoryWatch,
  growthOf,
  type MemoryWatch,
} from "../../../src/inference/pool/memory-watch.ts";
import { seeded } from "../../orchestration/run/scenario.ts";

const CUDA = "CUDA out of memory. Tried to allocate 2.00 GiB.";

type Call = { readonly run: string; readonly prompt: number; readonly others?: number };

/** A call that went well beside `others` of the same size. */
function succeed(watch: MemoryWatch, { run, prompt, others = 0 }: Call): void {
  watch.onStart(run, prompt);
  watch.onSuccess({
    promptTokens: prompt,
    inFlight: others + 1,
    tokensInFlight: prompt * (others + 1),
  });
}

/** The report of one that failed so. */
function failAs(watch: MemoryWatch, { run, prompt, others = 0 }: Call, said = CUDA) {
  watch.onStart(run, prompt);
  return watch.report({
    said,
    isTooLarge: false,
    runId: run,
    load: {
      promptTokens: prompt,
      inFlight: others + 1,
      tokensInFlight: prompt * (others + 1),
    },
  });
}

describe("out of memory on a first request", () => {
  it.each([
    ["CUDA", CUDA, "--gpu-memory-utilization", "0.85"],
    [
      "vLLM's own estimate",
      "Based on the available memory, the estimated maximum model length is 46032.",
      "--max-model-len",
      "46032",
    ],
    [
      "vLLM beside other processes",
      "Free memory on device cuda:0 (12.00/24.00 GiB) on startup is less than desired GPU memory utilization",
      "--gpu-memory-utilization",
      "0.49",
    ],
    [
      "vLLM without blocks",
      "No available memory for the cache blocks.",
      "--gpu-memory-utilization",
      "0.95",
    ],
    [
      "Ollama's memory",
      "model requires more system memory (8.1 GiB) than is available (7.3 GiB)",
      "the model's quantisation",
      "one whose weights take less than 7.3 GiB",
    ],
    [
      "llama.cpp's buffers",
      "ggml_backend: failed to allocate CUDA0 buffer of size 1879048192",
      "num_ctx (Ollama) or --ctx-size (llama.cpp)",
      "3072",
    ],
    ["SGLang", "Prefill out of memory. Try to lower", "--chunked-prefill-size", "2048"],
  ])("%s: names the setting that its words ask for", (_, said, name, value) => {
    const report = failAs(createMemoryWatch(), { run: "a", prompt: 2_000 }, said);

    expect(report).toMatchObject({ pattern: "first-request", setting: { name, value } });
  });

  it("is also a prompt above the budget, whatever went well before", () => {
    const watch = createMemoryWatch({ kvTokens: 10_000 });
    succeed(watch, { run: "a", prompt: 1_000, others: 5 });

    const report = failAs(watch, { run: "b", prompt: 12_000 });

    expect(report).toMatchObject({
      pattern: "first-request",
      setting: { name: "--max-model-len", value: "10000" },
    });
  });

  it("is also the first prompt of its size, alone", () => {
    const watch = createMemoryWatch();
    succeed(watch, { run: "a", prompt: 1_000 });

    const report = failAs(watch, { run: "b", prompt: 7_000 });

    expect(report.pattern).toBe("first-request");
    expect(report.evidence.join()).toContain("the longest prompt that went well has 1000 tokens");
  });

  it("is whatever says by itself that it does not fit", () => {
    const load = { promptTokens: 10, inFlight: 30, tokensInFlight: 300 };

    const report = createMemoryWatch().report({ said: CUDA, isTooLarge: true, runId: "a", load });

    expect(report.pattern).toBe("first-request");
  });
});

describe("out of memory after growth", () => {
  it("sees prompts that grow from run to run", () => {
    const watch = createMemoryWatch();
    for (let n = 0; n < 20; n++) succeed(watch, { run: `run-${n}`, prompt: 1_000 + n * 300 });

    const report = failAs(watch, { run: "run-20", prompt: 7_000 });

    expect(report.pattern).toBe("growth");
    expect(report.setting.name).toContain("session");
    expect(report.evidence.join()).toContain("from 1000 to 7000 tokens, by 300 with each run");
  });

  it("sees prompts that grow within a run, and says after how many turns to stop", () => {
    const watch = createMemoryWatch();
    for (let n = 0; n < 8; n++) succeed(watch, { run: "a", prompt: 1_000 + n * 1_000 });

    const report = failAs(watch, { run: "a", prompt: 9_000 });

    expect(report).toMatchObject({
      pattern: "growth",
      setting: { name: "the agent's maxIterations", value: "7" },
    });
  });

  it("sees an engine that fails at what it did a hundred times", () => {
    const random = seeded(2);
    const watch = createMemoryWatch();
    for (let n = 0; n < 100; n++)
      succeed(watch, { run: `run-${n}`, prompt: 900 + Math.floor(random() * 200), others: 3 });

    const report = failAs(watch, { run: "last", prompt: 1_000, others: 1 });

    expect(report).toMatchObject({
      pattern: "growth",
      setting: { name: "a restart of the engine", value: "every 80 runs" },
    });
  });
});

describe("out of memory under load", () => {
  it("sees tokens in flight that reach the budget, also before any call went well", () => {
    const report = failAs(createMemoryWatch({ kvTokens: 20_000 }), {
      run: "a",
      prompt: 1_000,
      others: 17,
    });

    expect(report.pattern).toBe("load");
    expect(report.setting).toEqual({
      name: "maxNumSeqs of the endpoint in the fleet file (vLLM: --max-num-seqs)",
      value: "9",
    });
    expect(report.evidence.join()).toContain("18 calls and 18000 tokens in flight");
    expect(report.evidence.join()).toContain("its budget is 20000 tokens");
  });

  it("sees more calls at once than ever went well, where no budget is known, and goes back to those", () => {
    const watch = createMemoryWatch();
    for (let n = 0; n < 30; n++) succeed(watch, { run: "a", prompt: 1_000, others: 5 });

    const report = failAs(watch, { run: "b", prompt: 1_000, others: 15 });

    expect(report).toMatchObject({ pattern: "load", setting: { value: "6" } });
  });

  it("lowers the tokens where as many calls went well with fewer of them", () => {
    const watch = createMemoryWatch({ kvTokens: 100_000 });
    for (let n = 0; n < 3; n++) succeed(watch, { run: "a", prompt: 1_000, others: 31 });

    const report = failAs(watch, { run: "b", prompt: 6_000, others: 15 });

    expect(report).toMatchObject({
      pattern: "load",
      setting: { name: "kvTokens of the endpoint in the fleet file", value: "32000" },
    });
  });
});

describe("out of memory of which nothing can be said", () => {
  it("says so, and what to try: many calls at once at an endpoint that never answered", () => {
    const report = failAs(createMemoryWatch(), { run: "a", prompt: 1_000, others: 7 });

    expect(report).toMatchObject({ pattern: "unknown", setting: { value: "4" } });
    expect(tellMemoryReport(report)).toMatch(/^Out of memory: .*Change one setting: maxNumSeqs/);
  });

  it("has a pattern, evidence and one setting for whatever is known", () => {
    const random = seeded(21);
    const whole = (below: number): number => Math.floor(random() * below);
    const load = () => ({
      promptTokens: 1 + whole(9_000),
      tokensInFlight: 1 + whole(90_000),
      inFlight: 1 + whole(40),
    });
    for (let n = 0; n < 2_000; n++) {
      const values = Array.from({ length: whole(12) }, () => whole(9_000));
      const report = planMemoryReport({
        said: CUDA,
        isTooLarge: random() < 0.1,
        failed: load(),
        best: load(),
        calls: whole(3),
        runs: whole(30),
        overRuns: growthOf(values),
        inRun: growthOf(values.toReversed()),
        kvTokens: random() < 0.5 ? undefined : 1 + whole(100_000),
      });
      expect(report.evidence.length).toBeGreaterThan(0);
      expect(report.evidence.length).toBeLessThanOrEqual(5);
      expect(tellMemoryReport(report)).not.toMatch(/NaN|undefined|Infinity/);
      expect(report.setting.value).not.toMatch(/^(-|0$)/);
    }
  });
});

describe("growthOf", () => {
  it("finds the line through values on a line", () => {
    const growth = growthOf([100, 150, 200, 250]);

    expect(growth).toMatchObject({ steps: 4, first: 100, last: 250, perStep: 50 });
    expect(growth?.fit).toBeCloseTo(1, 9);
  });

  it("has none for less than two values, and no fit for equal ones", () => {
    expect(growthOf([5])).toBeUndefined();
    expect(growthOf([5, 5, 5])).toMatchObject({ perStep: 0, fit: 0 });
  });
});
