// What vLLM and the host add to the kernels of a step, and the server to a request.
//
// Two numbers are fitted, both to Llama-3.1-8B on one H100: the time of a step and of a request, which a fit over many models leaves at
// 0.126 and 0.0044 ms (BLIS, inference-sim/inference-sim, trained physics, 2026). With those, inter-token latency comes out 9 % low
// at eight requests and 14 % low at 46, on vLLM 0.15.1. The other models, GPUs and numbers of GPUs in the tests were not looked at.

/** Milliseconds besides the operators. */
export type StepOverhead = {
  /** Each step. */
  readonly stepMs: number;
  /** Each layer of each step: launches, norms and activations of few tokens. */
  readonly layerMs: number;
  /** Each request in a step. */
  readonly requestMs: number;
  /** Each all-reduce, however small. */
  readonly allReduceMs: number;
  /** Each request, once, before the scheduler sees it: HTTP, template, tokenising, the way between processes. No part of a step. */
  readonly frontendMs: number;
};

/** vLLM on the hosts of data-centre GPUs. */
export const VLLM_OVERHEAD: StepOverhead = {
  // Between what vLLM 0.15.1 (S2R, June 2026) and 0.21 (yobitelcomm/bench, 2026-05-16) leave.
  stepMs: 0.3,
  layerMs: 0.032, // BLIS
  // The slope over concurrency of S2R's rows, less keys and values: sampling, input preparation, one more split of attention.
  requestMs: 0.02,
  // What the rows of Qwen2.5-72B on four H100s leave at one request: (16.05 - 15.3) ms / 160. yobitelcomm/bench, 2026-06-13.
  allReduceMs: 0.0046,
  // TTFT less its steps: 3 ms behind one client (S2R, vLLM 0.15.1, 2026-06), 7.5 ms behind another (yobitelcomm/bench, vLLM 0.21,
  // 2026-05-16).
  frontendMs: 5,
};

/** The operators alone. */
export const NO_OVERHEAD: StepOverhead = {
  stepMs: 0,
  layerMs: 0,
  requestMs: 0,
  allReduceMs: 0,
  frontendMs: 0,
};
