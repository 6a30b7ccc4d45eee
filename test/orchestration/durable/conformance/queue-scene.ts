// A queue under test, and bodies that tell when they begin.

import type { Json } from "../../../../src/json.ts";
import type {
  DurableEngine,
  QueueLimits,
  RunHandle,
} from "../../../../src/orchestration/durable/engine.ts";
import type { Body, Scene, SceneOptions } from "./scene.ts";

/** A queue of the scene's own. Disposing it ends its servers. */
export type TestQueue = AsyncDisposable & {
  readonly name: string;
  limit(limits: QueueLimits): Promise<void>;
  /** Puts a run of a new flow of this body into it. */
  put<O extends Json>(body: Body<O>, options?: SceneOptions): Promise<RunHandle<O>>;
  serve(concurrency: number, engine?: DurableEngine): void;
};

/** A body that takes 30 ms, and notes when it begins and how many ran at once. */
export type Watcher = {
  readonly body: Body<null>;
  /** The inputs of those that were begun, and when. */
  readonly begun: readonly Json[];
  readonly at: readonly number[];
  readonly most: () => number;
};

export function queueOf(scene: Scene): TestQueue {
  const name = `${scene.name}-q`;
  const stop = new AbortController();
  const serving: Promise<void>[] = [];
  return {
    name,
    limit: (limits: QueueLimits) => scene.engine.queue(name, limits),
    put: <O extends Json>(body: Body<O>, options: SceneOptions = {}): Promise<RunHandle<O>> =>
      scene.start(body, { queue: name, ...options }),
    serve(concurrency: number, engine: DurableEngine = scene.engine): void {
      serving.push(engine.serve({ concurrency, queues: [name] }, stop.signal));
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await Promise.all(serving);
    },
  };
}

export function watcher(scene: Scene): Watcher {
  const begun: Json[] = [];
  const at: number[] = [];
  let [now, most] = [0, 0];
  const body: Body<null> = async (d, input) => {
    begun.push(input);
    at.push(scene.clock.now());
    most = Math.max(most, ++now);
    await d.step("work", async ({ signal }) => {
      await scene.clock.sleep(30, signal);
      return null;
    });
    now--;
    return null;
  };
  return { begun, at, body, most: () => most };
}

export const endOf = (runs: readonly RunHandle<Json>[]): Promise<unknown> =>
  Promise.all(runs.map((run) => run.result()));
