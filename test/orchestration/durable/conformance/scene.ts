// One engine under test in this process: its flows, its restarts, and second engines at the same place as other processes have them.

import { randomUUID } from "node:crypto";
import { type Clock, createVirtualClock, systemClock } from "../../../../src/clock.ts";
import { BosunError, isBosunError } from "../../../../src/error.ts";
import type { Json } from "../../../../src/json.ts";
import type { Durable, Flow } from "../../../../src/orchestration/durable/durable.ts";
import type {
  DurableEngine,
  RunHandle,
  RunPhase,
  StartOptions,
} from "../../../../src/orchestration/durable/engine.ts";
import type { EngineKind, OpenOptions } from "./harness.ts";

/** An engine, and the clock that it is tested on. */
export type Subject = { readonly kind: EngineKind; readonly time: "virtual" | "real" };

export type Body<O> = (d: Durable, input: Json) => Promise<O>;

export type Scene = AsyncDisposable & {
  readonly clock: Clock;
  /** The one that is open now. */
  readonly engine: DurableEngine;
  /** No other scene has it: engines may share a server. */
  readonly name: string;
  /** A flow that every engine of this scene knows. */
  flow<O extends Json>(body: Body<O>, version?: string): Flow<Json, O>;
  /** Starts a run of a new flow of this body. */
  start<O extends Json>(body: Body<O>, options?: SceneOptions): Promise<RunHandle<O>>;
  /** Starts one and waits for what it comes to. */
  run<O extends Json>(body: Body<O>, options?: SceneOptions): Promise<O>;
  id(): string;
  /** Another engine at the same place, as a second process has one. */
  another(options?: Partial<OpenOptions>): Promise<DurableEngine>;
  /** The engine's end and its next start; `flows` = what it knows then (default: all of this scene). */
  restart(flows?: readonly Flow<never, Json>[]): Promise<void>;
  /** Resolves when it is true. */
  until(isTrue: () => boolean | Promise<boolean>): Promise<void>;
  /** Resolves when the run stands so. */
  reached(id: string, phase: RunPhase): Promise<void>;
  pass(ms: number): Promise<void>;
};

export type SceneOptions = Partial<StartOptions> & { readonly input?: Json | undefined };

/** A flow for a child. */
export const childFlow = <O extends Json>(run: (d: Durable) => Promise<O>): Flow<Json, O> => ({
  name: "child",
  version: "1",
  run,
});

export const NEVER: Promise<never> = new Promise<never>(() => undefined);
const LIVE = new AbortController().signal;

export async function createScene(
  { kind, time }: Subject,
  options: Partial<OpenOptions> = {},
): Promise<Scene> {
  const clock = time === "virtual" ? createVirtualClock() : systemClock;
  const place = await kind.place();
  const name = `c${randomUUID().slice(0, 8)}`;
  const flows: Flow<never, Json>[] = [];
  const engines: DurableEngine[] = [];
  const open = async (
    known: readonly Flow<never, Json>[],
    more: Partial<OpenOptions> = {},
  ): Promise<DurableEngine> => {
    const engine = await kind.open(place, { clock, ...options, ...more });
    for (const one of known) engine.register(one);
    engines.push(engine);
    return engine;
  };
  let engine = await open(flows);
  let count = 0;
  const scene: Scene = {
    clock,
    name,
    get engine() {
      return engine;
    },
    flow(body, version = "1") {
      const flow = { name: `${name}-${++count}`, version, run: body };
      flows.push(flow);
      for (const one of engines) one.register(flow);
      return flow;
    },
    start: (body, { input = null, ...more } = {}) =>
      engine.start(scene.flow(body), input, { id: scene.id(), ...more }),
    run: async (body, more) => (await scene.start(body, more)).result(),
    id: () => `${name}-run-${++count}`,
    another: (more) => open(flows, more),
    async restart(known = flows) {
      await engine[Symbol.asyncDispose]();
      engines.splice(engines.indexOf(engine), 1);
      engine = await open(known);
    },
    async until(isTrue) {
      while (!(await isTrue())) await scene.pass(5);
    },
    reached: (id, phase) => scene.until(async () => (await engine.find(id))?.phase === phase),
    pass: (ms) => clock.sleep(ms, LIVE),
    async [Symbol.asyncDispose]() {
      for (const one of engines) await one[Symbol.asyncDispose]();
      await place[Symbol.asyncDispose]();
    },
  };
  return scene;
}

/** Where a body stands still in its first execution: what it has seen by then is noted, in the next execution too. */
export type Halt = (seen: Json) => Promise<void>;

export type Interrupted<O> = {
  readonly id: string;
  /** What each execution had seen when it came to the halt. */
  readonly seen: readonly Json[];
  /** Keys of the steps whose functions were called, as `counted` notes them. */
  readonly executed: readonly string[];
  readonly output: O;
};

export type HaltingBody<O> = (
  d: Durable,
  halt: Halt,
  counted: <T extends Json>(key: string, value: T, ms?: number) => Promise<T>,
) => Promise<O>;

/**
 * Runs a body until it halts, ends its engine there, opens it anew and lets the run go on to its end.
 * @param between What happens while no engine is open for the run.
 */
export async function interrupted<O extends Json>(
  scene: Scene,
  body: HaltingBody<O>,
  {
    between = async () => undefined,
    ...options
  }: SceneOptions & { between?: () => Promise<unknown> } = {},
): Promise<Interrupted<O>> {
  const seen: Json[] = [];
  const executed: string[] = [];
  const reached = Promise.withResolvers<void>();
  const handle = await scene.start((d) => {
    const halt: Halt = async (value) => {
      seen.push(value);
      const execution = seen.length;
      await d.step("halt", async () => {
        reached.resolve();
        if (execution === 1) await NEVER;
        return null;
      });
    };
    return body(d, halt, (key, value, ms) =>
      d.step(key, async ({ signal }) => {
        executed.push(key);
        if (ms !== undefined) await scene.clock.sleep(ms, signal);
        return value;
      }),
    );
  }, options);
  const first = handle.result().catch(codeOf);
  await Promise.race([reached.promise, first]);
  await scene.restart();
  await between();
  const again = await resumed<O>(scene, handle.id);
  return { id: handle.id, seen, executed, output: await again.result() };
}

/** Goes on with a run as soon as no other process has it. */
export async function resumed<O extends Json>(
  scene: Scene,
  id: string,
  { by = scene.engine, ...options }: Partial<StartOptions> & { by?: DurableEngine } = {},
): Promise<RunHandle<O>> {
  for (;;) {
    try {
      return await by.resume<O>(id, options);
    } catch (error) {
      if (codeOf(error) !== "run/owned") throw error;
      await scene.pass(20);
    }
  }
}

/** The error's code; its name and message when it has none. */
export function codeOf(error: unknown): string {
  return isBosunError(error) ? error.code : String(error);
}

/** "none", or the code of what the work rejects with. */
export const failureOf = (work: Promise<unknown>): Promise<string> =>
  work.then(() => "none", codeOf);

/** An error as a body can tell it apart. */
export const toFacts = (error: unknown): Json =>
  error instanceof BosunError
    ? [error.code, error.message, error.retryable, error.details ?? null]
    : error instanceof Error
      ? [error.name, error.message]
      : "no error";

export const factsOf = (work: Promise<unknown>): Promise<Json> =>
  work.then(() => "no error", toFacts);
