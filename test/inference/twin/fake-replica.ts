// A replica with constant times, for what stands before an engine: each token takes as long as every other.

import type { Clock } from "../../../src/clock.ts";
import type { GenerateEvent, GenerateRequest } from "../../../src/inference/twin/generate.ts";
import type {
  ReplicaState,
  ReplicaStats,
  ServedReplica,
} from "../../../src/inference/twin/served.ts";

export type FakeReplica = ServedReplica & {
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
  readonly state?: ReplicaState;
};

export function createFakeReplica(options: FakeReplicaOptions): FakeReplica {
  const { clock, queueMs = 5, prefillMs = 20, tokenMs = 10, chunk = 1, cachedTokens = 0 } = options;
  const requests: GenerateRequest[] = [];
  const squeezes: number[] = [];
  let state: ReplicaState = options.state ?? { type: "awake" };
  let open = 0;
  let life = new AbortController();

  async function* generate(
    request: GenerateRequest,
    signal: AbortSignal,
  ): AsyncGenerator<GenerateEvent> {
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
      yield end(alive.aborted ? (state.type === "dead" ? "error" : "abort") : "abort");
    } finally {
      open--;
    }
  }
  const stop = (next: ReplicaState): void => {
    state = next;
    life.abort(new Error(next.type));
    if (next.type === "awake") life = new AbortController();
  };
  return {
    requests,
    squeezes,
    get open() {
      return open;
    },
    generate,
    stats: (): ReplicaStats => ({
      state,
      running: open,
      waiting: 0,
      kvUsage: open / 10,
      blockSize: 16,
      blocks: 1_000,
      prefixQueries: 100,
      prefixHits: 40,
      preemptions: 2,
    }),
    async sleep(level) {
      stop({ type: "asleep", level });
    },
    async wakeUp() {
      stop({ type: "awake" });
    },
    kill: () => stop({ type: "dead" }),
    async restart() {
      stop({ type: "awake" });
    },
    squeeze: (share) => void squeezes.push(share),
  };
}
