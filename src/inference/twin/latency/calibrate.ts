// Measures a real server with a small load and fits the coefficients of its steps. The server should do nothing else meanwhile.

import type { Clock } from "../../../clock.ts";
import { BosunError } from "../../../error.ts";
import { isObject } from "../../../json.ts";
import { type Endpoint, nameOf } from "../../model/endpoint.ts";
import type { Model, Reply } from "../../model/model.ts";
import type { Calibration } from "./calibration.ts";
import {
  CALIBRATION_WAVES,
  calibrationPrompt,
  type Timing,
  toObservations,
  type Wave,
} from "./calibration-load.ts";
import { fitStepCost, type Observation } from "./fit.ts";

/** What is measured, and how. */
export type CalibrateOptions = {
  readonly model: Model;
  readonly endpoint: Endpoint;
  readonly clock: Clock;
  /** Default CALIBRATION_WAVES. */
  readonly waves?: readonly Wave[] | undefined;
  /** Of the prompts: with another one nothing of an earlier calibration is cached. Default: the time. */
  readonly seed?: number | undefined;
  /** Hears of every wave that has ended, counted from 1. Must not throw. */
  readonly onWave?: ((done: number, all: number) => void) | undefined;
};

/** Answers below this are no measurement of the time between tokens. */
const LEAST_OUTPUT_TOKENS = 8;

/**
 * The calibration of a server, one wave after the other, after one that warms it up.
 * @throws BosunError of the server's, and `model/protocol` when it does not stream or ends its answers early: it must know
 * `ignore_eos`, as vLLM and SGLang do.
 */
export async function calibrate(
  options: CalibrateOptions,
  signal: AbortSignal,
): Promise<Calibration> {
  const { endpoint, clock, waves = CALIBRATION_WAVES, onWave } = options;
  const seed = options.seed ?? clock.now();
  const [warmUp] = waves;
  if (warmUp) await runWave(options, { wave: warmUp, seed }, signal);
  const observations: Observation[] = [];
  let model = "";
  for (const [index, wave] of waves.entries()) {
    const answers = await runWave(options, { wave, seed: seed + 1_000 * (index + 1) }, signal);
    observations.push(...toObservations(wave, answers.map(toTiming)));
    model = answers[0]?.model ?? model;
    onWave?.(index + 1, waves.length);
  }
  return {
    type: "step-calibration",
    version: 1,
    endpoint: endpoint.url,
    model,
    measuredAt: new Date(clock.now()).toISOString(),
    ...fitStepCost(observations),
  };
}

type WaveRun = { readonly wave: Wave; readonly seed: number };

/** Whichever fails ends the others. */
async function runWave(
  { model, endpoint }: CalibrateOptions,
  { wave, seed }: WaveRun,
  signal: AbortSignal,
): Promise<readonly Reply[]> {
  const others = new AbortController();
  const both = AbortSignal.any([signal, others.signal]);
  const ask = async (index: number): Promise<Reply> => {
    const content = calibrationPrompt(wave.promptTokens, seed + index);
    const events = model.call(toRequest(endpoint, content, wave.outputTokens), both);
    for await (const event of events) if (event.type === "end") return checked(event, endpoint);
    throw new BosunError("model/protocol", `${nameOf(endpoint)}: a call without an end`);
  };
  const asked = Array.from({ length: wave.concurrency }, (_, index) => ask(index));
  try {
    return await Promise.all(asked);
  } catch (error) {
    others.abort(error);
    await Promise.allSettled(asked);
    throw error;
  }
}

function toRequest(
  endpoint: Endpoint,
  content: string,
  outputTokens: number,
): Parameters<Model["call"]>[0] {
  return {
    models: [endpoint],
    messages: [{ role: "user", content }],
    settings: {
      temperature: 0,
      maxTokens: outputTokens,
      extraBody: { ignore_eos: true, min_tokens: outputTokens },
    },
    hints: { runId: "calibration", path: [], purpose: "work", remainingCalls: undefined },
  };
}

function checked(reply: Reply, endpoint: Endpoint): Reply {
  const { output } = reply.usage;
  if (reply.timings.firstTokenMs !== undefined && output.total >= LEAST_OUTPUT_TOKENS) return reply;
  throw new BosunError(
    "model/protocol",
    `${nameOf(endpoint)} answered with ${output.total} tokens${reply.timings.firstTokenMs === undefined ? " and no stream" : ""}: a calibration needs a server that streams and honours ignore_eos, as vLLM does`,
  );
}

/** vLLM's own time between tokens where it sends one (--enable-per-request-metrics): free of the network and of this client. */
function toTiming({ usage, timings }: Reply): Timing {
  const { firstTokenMs = 0, totalMs, queueMs, server } = timings;
  const outputTokens = usage.output.total;
  const own = isObject(server) ? server["mean_itl_ms"] : undefined;
  const seen = (totalMs - queueMs - firstTokenMs) / (outputTokens - 1);
  return {
    promptTokens: usage.input.total,
    cachedTokens: usage.input.cached ?? 0,
    outputTokens,
    ttftMs: firstTokenMs,
    itlMs: typeof own === "number" && own > 0 ? own : seen,
  };
}
