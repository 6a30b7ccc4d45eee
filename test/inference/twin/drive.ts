// An engine in a test's hands: steps of 1 ms, and what each of them did.

import { Engine } from "../../../src/inference/twin/engine.ts";
import { type EngineOptions, toEngineConfig } from "../../../src/inference/twin/engine-config.ts";
import type { GenerateRequest } from "../../../src/inference/twin/generate.ts";
import type { Sequence } from "../../../src/inference/twin/sequence.ts";
import { constantStepCost } from "../../../src/inference/twin/step-cost.ts";

/** An engine with blocks of 4 and room for 64 tokens, but for what the options say. */
export function createEngine(options: Partial<EngineOptions> = {}): Driven {
  const config = toEngineConfig({
    numGpuBlocks: 16,
    blockSize: 4,
    maxModelLen: 64,
    maxNumSeqs: 8,
    maxNumBatchedTokens: 64,
    ...options,
  });
  return new Driven(new Engine(config, constantStepCost(1)));
}

/** An engine and the time. */
export class Driven {
  readonly engine: Engine;
  now = 0;

  constructor(engine: Engine) {
    this.engine = engine;
  }

  add(...requests: readonly GenerateRequest[]): readonly Sequence[] {
    return requests.map((request) => {
      const admission = this.engine.add(request, this.now);
      if (admission.type === "refused") throw new Error(`refused: ${admission.reason}`);
      return admission.sequence;
    });
  }

  /** One step; the tokens that it computes, by request. Undefined when there is nothing to do. */
  step(): Readonly<Record<string, number>> | undefined {
    const durationMs = this.engine.begin(this.now);
    if (durationMs === undefined) return undefined;
    const inStep = this.engine.scheduler.running
      .filter(({ numScheduled }) => numScheduled > 0)
      .map(({ request, numScheduled }) => [request.id, numScheduled] as const);
    this.engine.finish();
    this.now += durationMs;
    return Object.fromEntries(inStep);
  }

  /** Steps until nothing is left, at most 1,000. */
  drain(): void {
    for (let steps = 0; this.step() !== undefined; steps++)
      if (steps > 1_000) throw new Error("the engine does not come to an end");
  }

  get waiting(): readonly string[] {
    return this.engine.scheduler.waiting.toArray().map(({ request }) => request.id);
  }

  get running(): readonly string[] {
    return this.engine.scheduler.running.map(({ request }) => request.id);
  }
}
