// Replicas of one twin on one virtual clock, each as a Model that tells about itself: what a pool has endpoints of.
//
// The Model is lighter than the twin's own: it says what the workload wrote for the call, and it encodes each message once.
// Its token ids are the twin's, in the shape of its chat template, so shared text is shared blocks and an answer that comes back
// as history is found in the cache.

import { createVirtualClock, type VirtualClock } from "../../src/clock.ts";
import { BosunError } from "../../src/error.ts";
import type { Message } from "../../src/inference/model/message.ts";
import type {
  Model,
  ModelEvent,
  ModelHints,
  ModelRequest,
} from "../../src/inference/model/model.ts";
import type { Probe } from "../../src/inference/pool/probe.ts";
import {
  createFaults,
  encodeText,
  fillerSource,
  type GenerateEvent,
  type GenerateRequest,
  planTwin,
  type ReplicaStats,
  type Served,
  startTwin,
  type TwinSetup,
} from "../../src/twin.ts";
import type { Text } from "./workload.ts";

/** One endpoint of the fleet. */
export type FleetReplica = {
  readonly name: string;
  readonly model: Model & Pick<Probe, "gauges" | "capacity" | "health">;
  readonly stats: () => ReplicaStats;
};

export type Fleet = {
  readonly clock: VirtualClock;
  readonly replicas: readonly FleetReplica[];
  /** Of one replica. */
  readonly capacity: { readonly kvTokens: number; readonly maxNumSeqs: number };
  /** Computed alone, in an empty engine. */
  readonly config: Served["config"];
};

export type FleetOptions = {
  readonly setup: TwinSetup;
  readonly replicas: number;
  readonly seed: number;
  /** What is answered to a call. */
  readonly answerOf: (hints: ModelHints) => Text;
};

/** A fleet that runs on a clock of its own. */
export function createFleet({ setup, replicas, seed, answerOf }: FleetOptions): Fleet {
  const clock = createVirtualClock();
  const source = fillerSource(1); // never asked: the Models below go past the text layer
  const twin = startTwin(planTwin(setup), {
    clock,
    source,
    faults: createFaults(),
    replicas,
    seed,
  });
  const [{ config }] = twin.replicas;
  const toIds = createEncoder();
  return {
    clock,
    config,
    capacity: { kvTokens: config.numGpuBlocks * config.blockSize, maxNumSeqs: config.maxNumSeqs },
    replicas: twin.replicas.map((served, index): FleetReplica => {
      const name = `replica-${index}`;
      return {
        name,
        stats: () => served.stats(),
        model: createReplicaModel({
          name,
          clock,
          generate: served.generate,
          served,
          toIds,
          answerOf,
        }),
      };
    }),
  };
}

/** What generates, and what it says to whom. */
export type ModelParts = {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly generate: (
    request: GenerateRequest,
    signal: AbortSignal,
  ) => AsyncIterable<GenerateEvent>;
  readonly served: Pick<Served, "config" | "stats">;
  readonly toIds: (messages: readonly Message[]) => Int32Array;
  readonly answerOf: (hints: ModelHints) => Text;
};

/** A replica as a Model with gauges. */
function createReplicaModel(parts: ModelParts): FleetReplica["model"] {
  const { clock, served } = parts;
  const { config } = served;
  return {
    ...createTextModel(parts, config.maxModelLen),
    gauges: async () => {
      const { numRequestsRunning, numRequestsWaiting, kvCacheUsage, counters } = served.stats();
      return {
        at: clock.now(),
        running: numRequestsRunning,
        waiting: numRequestsWaiting,
        kvUsage: kvCacheUsage,
        preemptions: counters.preemptions,
        prefixQueries: counters.prefixCacheQueries,
        prefixHits: counters.prefixCacheHits,
      };
    },
    capacity: async () => ({
      kvTokens: config.numGpuBlocks * config.blockSize,
      maxNumSeqs: config.maxNumSeqs,
    }),
    health: async () => (served.stats().state === "awake" ? "awake" : "unhealthy"),
  };
}

/** Whatever generates as a Model: the answer is the workload's, cut at the call's maxTokens. */
export function createTextModel(
  { name, clock, generate, toIds, answerOf }: Omit<ModelParts, "served">,
  maxModelLen: number,
): Model {
  let count = 0;
  async function* call(request: ModelRequest, signal: AbortSignal): AsyncGenerator<ModelEvent> {
    const startedAt = clock.now();
    const promptIds = toIds(request.messages);
    const { text, ids } = answerOf(request.hints);
    if (promptIds.length + ids.length > maxModelLen)
      throw new BosunError("model/context-length", `${name}: ${promptIds.length} + ${ids.length}`);
    const { priority } = request.settings.extraBody ?? {};
    const generated = generate(
      {
        id: `${name}-${++count}`,
        promptIds,
        outputIds: ids,
        finish: "stop",
        priority: typeof priority === "number" ? priority : 0,
        cacheSalt: undefined,
        lora: undefined,
      },
      signal,
    );
    yield { type: "start", endpoint: name, model: "twin (simulated)", attempt: 1 };
    let firstAt: number | undefined;
    for await (const event of generated) {
      if (event.type === "tokens") {
        firstAt ??= event.times[0];
        yield { type: "text-delta", text: partOf(text, event, ids.length) };
      }
      if (event.type !== "end") continue;
      if (signal.aborted) throw signal.reason;
      if (event.finish === "error") throw new BosunError("model/server", `${name}: it died`);
      yield {
        type: "end",
        text,
        reasoning: "",
        calls: [],
        finish: { unified: "stop", raw: event.finish },
        usage: {
          input: { total: promptIds.length, cached: event.cachedTokens },
          output: { total: ids.length, reasoning: undefined },
          source: "server",
        },
        timings: {
          queueMs: 0,
          firstTokenMs: firstAt === undefined ? undefined : firstAt - startedAt,
          totalMs: clock.now() - startedAt,
        },
        endpoint: name,
        model: "twin (simulated)",
      };
    }
  }
  return { call, contextTokens: async () => maxModelLen };
}

/** What some of the tokens say, to a character or two: words have about one length. */
function partOf(text: string, { from, to }: { from: number; to: number }, tokens: number): string {
  const at = (token: number): number => Math.round((token * text.length) / tokens);
  return text.slice(at(from), at(to));
}

/** Messages as prompt ids; each message object is encoded once, however often it comes again as history. */
export function createEncoder(): (messages: readonly Message[]) => Int32Array {
  const known = new WeakMap<Message, Int32Array>();
  const idsOf = (message: Message): Int32Array => {
    let ids = known.get(message);
    if (ids === undefined) {
      ids = encodeMessage(message);
      known.set(message, ids);
    }
    return ids;
  };
  return (messages) => {
    const parts = messages.map(idsOf);
    const ids = new Int32Array(parts.reduce((sum, { length }) => sum + length, 1));
    let at = 0;
    for (const part of parts) {
      ids.set(part, at);
      at += part.length;
    }
    ids[at] = BEGIN; // where the assistant begins to speak
    return ids;
  };
}

/** A mark before a turn; the role and the end mark are left out, which costs three tokens a message. */
const BEGIN = 2_100_000_000;

function encodeMessage({ content }: Message): Int32Array {
  const said = encodeText(content);
  const ids = new Int32Array(said.length + 1);
  ids[0] = BEGIN;
  ids.set(said, 1);
  return ids;
}
