// Random engines and random workloads, small enough that everything that can go wrong does: little memory, shared beginnings, aborts.

import type { Engine } from "../../../src/inference/twin/engine.ts";
import { type EngineConfig, toEngineConfig } from "../../../src/inference/twin/engine-config.ts";
import type { GenerateRequest } from "../../../src/inference/twin/generate.ts";
import type { Sequence } from "../../../src/inference/twin/sequence.ts";
import { request, tokens } from "./request.ts";

/** What happens before a step. */
export type Happening =
  | { readonly type: "arrival"; readonly request: GenerateRequest }
  | { readonly type: "abort"; readonly id: string };

export type Scenario = {
  readonly config: EngineConfig;
  /** What happens before step n; nothing after the last. */
  readonly before: readonly (readonly Happening[])[];
};

/** The scenario of a seed. */
export function createScenario(random: () => number): Scenario {
  const draw = (least: number, most: number): number =>
    least + Math.floor(random() * (most - least + 1));
  const config = drawConfig(draw);
  const before: Happening[][] = [];
  const ids: string[] = [];
  for (let step = 0; step < 40; step++) {
    const happenings: Happening[] = [];
    for (let arrivals = draw(0, 3) - 1; arrivals > 0 && ids.length < 25; arrivals--) {
      const id = `r${ids.length}`;
      ids.push(id);
      happenings.push({ type: "arrival", request: drawRequest(id, config, draw) });
    }
    const victim = ids[draw(0, 12 * Math.max(1, ids.length))];
    if (victim !== undefined) happenings.push({ type: "abort", id: victim });
    before.push(happenings);
  }
  return { config, before };
}

/** Lets it happen to an engine; `sequences` are all that it ever took, by id. */
export function applyHappening(
  happening: Happening,
  engine: Engine,
  sequences: Map<string, Sequence>,
  now: number,
): void {
  if (happening.type === "arrival") {
    const admission = engine.add(happening.request, now);
    if (admission.type === "admitted") sequences.set(happening.request.id, admission.sequence);
    return;
  }
  const sequence = sequences.get(happening.id);
  if (sequence) engine.abort(sequence, now);
}

type Draw = (least: number, most: number) => number;

function drawConfig(draw: Draw): EngineConfig {
  const blockSize = draw(1, 2) * 2;
  const maxModelLen = draw(16, 40);
  const maxNumSeqs = draw(1, 6);
  const enableChunkedPrefill = draw(0, 4) > 0;
  return toEngineConfig({
    blockSize,
    maxModelLen,
    numGpuBlocks: Math.ceil(maxModelLen / blockSize) + draw(0, 12),
    maxNumSeqs,
    maxNumBatchedTokens: enableChunkedPrefill ? maxNumSeqs + draw(0, 30) : maxModelLen + 8,
    longPrefillTokenThreshold: Math.max(0, draw(-6, 6)),
    enableChunkedPrefill,
    schedulingPolicy: draw(0, 1) === 0 ? "fcfs" : "priority",
    schedulerReserveFullIsl: draw(0, 2) > 0,
    enablePrefixCaching: draw(0, 5) > 0,
    maxLoras: draw(1, 2),
  });
}

function drawRequest(id: string, { maxModelLen }: EngineConfig, draw: Draw): GenerateRequest {
  const shared = tokens(`shared${draw(0, 1)}`, draw(0, Math.floor(maxModelLen / 2)));
  const own = tokens(id, draw(1, Math.floor(maxModelLen / 2) - 1));
  return request(id, {
    prompt: [...shared, ...own].slice(0, maxModelLen - 1),
    output: draw(1, 14),
    priority: draw(0, 2),
    cacheSalt: draw(0, 5) === 0 ? "salt" : undefined,
    lora: [undefined, undefined, undefined, "a", "b", "c"][draw(0, 5)],
  });
}
