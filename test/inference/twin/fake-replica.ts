// A replica with constant times, for what stands before an engine: each token takes as long as every other.

import type { Clock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import { zeroCounters } from "../../../src/inference/twin/counters.ts";
import type { EngineState } from "../../../src/inference/twin/engine.ts";
import { toEngineConfig } from "../../../src/inference/twin/engine-config.ts";
import type { GenerateEvent, GenerateRequest } from "../../../src/inference/twin/generate.ts";
import type { Served } from "../../../src/inference/twin/served.ts";

export type FakeReplica = Served & {
  readonly requests: readonly GenerateRequest[];
  /** Requests that have not ended. */
  readonly open: number;
  readonly squeezes: readonly number[];
};

export type FakeReplicaOptions = {
  readonly clock: Clock;
  readonly queueMs?: number;
  readonly prefillMs?: number;
  readonly tokenMs?: number;
  /** Tokens of one event. */
  readonly chunk?: number;
  readonly cachedTokens?: number;
  readonly state?: EngineState;
  /** Requests above which it refuses. Default: no bound. */
  readonly maxOpen?: number;
};

export function createFakeReplica(options: FakeReplicaOptions): FakeReplica {
  const { clock, queueMs = 5, prefillMs = 20, tokenMs = 10, chunk = 1, cachedTokens = 0 } = options;
  const { maxOpen = Number.POSITIVE_INFINITY } = options;
  const requests: GenerateRequest[] = [];
  const squeezes: number[] = [];
  let state: EngineState = options.state ?? "awake";
  let open = 0;
  let life = new AbortController();

  const isDead = (): boolean => state === "dead";

  async function* generate(
    request: GenerateRequest,
    signal: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
    if (isDead()) throw refused("dead");
    if (open >= maxOpen) throw refused("queue-requests");
    requests.push(request);
    open++;
    const { outputIds } = request;
    const alive = life.signal;
    const both = AbortSignal.any([signal, alive]);
    const decodeMs = tokenMs * (outputIds.length - 1);
    const end = (finish: "stop" | "length" | "abort" | "error"): GenerateEvent => ({
      type: "end",
      finish,
      atMs: clock.now(),
      timings: { queueMs, prefillMs, decodeMs },
      cachedTokens,
      preemptions: 0,
    });
    try {
      await clock.sleep(queueMs, both);
      yield { type: "start", atMs: clock.now() };
      await clock.sleep(prefillMs, both);
      for (let from = 0; from < outputIds.length; from += chunk) {
        const to = Math.min(from + chunk, outputIds.length);
        await clock.sleep(from === 0 ? 0 : tokenMs * (to - from), both);
        const now = clock.now();
        const times = Float64Array.from(
          { length: to - from },
          (_, at) => now - tokenMs * (to - from - 1 - at),
        );
        yield { type: "tokens", from, to, times };
      }
      yield end(request.finish);
    } catch (error) {
      if (!both.aborted) throw error;
      yield end(alive.aborted && isDead() ? "error" : "abort");
    } finally {
      open--;
    }
  }
  const stop = (next: EngineState): void => {
    state = next;
    life.abort(new Error(next));
    if (next === "awake") life = new AbortController();
  };
  return {
    requests,
    squeezes,
    get open() {
      return open;
    },
    generate,
    config: toEngineConfig({ numGpuBlocks: 1_000, maxModelLen: 4_096 }),
    stats: () => ({
      state,
      numRequestsRunning: open,
      numRequestsWaiting: 0,
      numRequestsDeferred: 0,
      kvCacheUsage: open / 10,
      kvBlocksCached: 0,
      runningLoras: [],
      waitingLoras: [],
      counters: {
        ...zeroCounters(),
        prefixCacheQueries: 100,
        prefixCacheHits: 40,
        preemptions: 2,
      },
    }),
    sleep: (level) => stop(level === 1 ? "weights_offloaded" : "discard_all"),
    wakeUp: () => stop("awake"),
    kill: () => stop("dead"),
    restart: () => stop("awake"),
    squeeze: (share) => void squeezes.push(share),
  };
}

/** As the real replica refuses. */
function refused(reason: string): BosunError {
  return new BosunError("model/server", "twin replica: refused", { details: { reason } });
}
