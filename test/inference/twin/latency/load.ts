// Puts a load on one twin replica in virtual time and says what its clients saw.

import { createVirtualClock } from "../../../../src/clock.ts";
import type { GenerateRequest } from "../../../../src/inference/twin/generate.ts";
import {
  createServedReplica,
  type FrontendOptions,
} from "../../../../src/inference/twin/latency/frontend.ts";
import { createRandom, drawExponential } from "../../../../src/inference/twin/random.ts";
import type { StepCost } from "../../../../src/inference/twin/step-cost.ts";
import type { MeasuredLoad } from "./measured.ts";

/** Means over the requests after the first quarter, in milliseconds. */
export type Seen = { readonly ttftMs: number; readonly itlMs: number; readonly e2eMs: number };

const REQUESTS = 300;
const NEVER = new AbortController().signal;

/** S2R's settings of vLLM. */
const CONFIG = { maxModelLen: 4_096, maxNumBatchedTokens: 2_048, maxNumSeqs: 128 };

/** A server under test. */
export type LoadServer = {
  readonly stepCost: StepCost;
  /** Default 26,000: an 8 B model on 80 GB. */
  readonly numGpuBlocks?: number | undefined;
  readonly frontend?: FrontendOptions | undefined;
};

/** Runs the load. */
export async function runLoad(
  load: MeasuredLoad,
  { stepCost, numGpuBlocks = 26_000, frontend }: LoadServer,
): Promise<Seen> {
  const clock = createVirtualClock();
  const config = { ...CONFIG, numGpuBlocks };
  const served = createServedReplica({ config, stepCost, clock }, frontend);
  const random = createRandom(1);
  const seen: (Seen | undefined)[] = [];
  const ask = async (index: number): Promise<void> => {
    const sentAtMs = clock.now();
    let [firstAtMs, lastAtMs] = [0, 0];
    const request = toRequest(index, load);
    for await (const event of served.generate(request, NEVER)) {
      if (event.type !== "tokens") continue;
      firstAtMs ||= event.times[0] ?? 0;
      lastAtMs = event.times.at(-1) ?? 0;
    }
    const itlMs = (lastAtMs - firstAtMs) / (request.outputIds.length - 1);
    const ttftMs = firstAtMs - sentAtMs;
    seen[index] = { ttftMs, itlMs, e2eMs: ttftMs + itlMs * (load.outputTokens - 1) };
  };
  if (load.type === "open") {
    const asked: Promise<void>[] = [];
    for (let index = 0; index < REQUESTS; index++) {
      asked.push(ask(index));
      await clock.sleep(drawExponential(random, 1_000 / load.rate), NEVER);
    }
    await Promise.all(asked);
  } else {
    let next = 0;
    const client = async (): Promise<void> => {
      while (next < REQUESTS) await ask(next++);
    };
    await Promise.all(Array.from({ length: load.concurrency }, client));
  }
  return meanOf(seen.slice(REQUESTS / 4).flatMap((one) => one ?? []));
}

/**
 * Answers of a closed loop are of half to all of the tokens: with one length all clients would end and begin together. Each is then
 * counted as a whole one.
 */
function toRequest(index: number, load: MeasuredLoad): GenerateRequest {
  const { promptTokens, shared, outputTokens, type } = load;
  const share = type === "open" ? 1 : 1 - ((index * 7) % 16) / 32;
  const promptIds = Int32Array.from({ length: promptTokens }, (_, at) =>
    at < shared ? at : 1_000 + index * promptTokens + at,
  );
  return {
    id: `r${index}`,
    promptIds,
    outputIds: new Int32Array(Math.max(2, Math.round(outputTokens * share))),
    finish: "length",
    priority: 0,
    cacheSalt: undefined,
    lora: undefined,
  };
}

function meanOf(all: readonly Seen[]): Seen {
  const mean = (of: (one: Seen) => number): number =>
    all.reduce((sum, one) => sum + of(one), 0) / all.length;
  return {
    ttftMs: mean(({ ttftMs }) => ttftMs),
    itlMs: mean(({ itlMs }) => itlMs),
    e2eMs: mean(({ e2eMs }) => e2eMs),
  };
}
