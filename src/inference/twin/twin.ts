// A twin: replicas that simulate vLLM's engine, and what they answer. HTTP (http/) and the in-process Model (model.ts) stand on it.
//
// All time is the replicas' clock. The text is written before the first token, in no time; the engine decides when it exists.
// Invariants
//   V1  An answer ends with one "end" event or by throwing; leaving it or aborting the signal frees its blocks at once.
//   V2  What is refused holds nothing: no replica, no block, no place in a queue.

import { type Clock, until } from "../../clock.ts";
import { detailOf } from "../../error.ts";
import { type TwinAsk, maxTokensOf, refusalOf } from "./ask.ts";
import { type Balance, createBalance } from "./balance.ts";
import type { Faults } from "./fault.ts";
import { type Broken, playFault, statusFault } from "./fault-play.ts";
import type { ServingFlags } from "./flag.ts";
import type { GenerateEvent, GenerateRequest, GenerateTimings } from "./generate.ts";
import { metricText } from "./metric/metric-text.ts";
import { createRecorded, followRequest, type Recorded } from "./metric/recorder.ts";
import { engineDead, queueFull, tooLong } from "./refusal.ts";
import type { Served } from "./served.ts";
import { type Answer, type Delta, planAnswer } from "./text/answer.ts";
import { writeShaped } from "./text/shaped.ts";
import type { TextSource } from "./text/source.ts";
import { SPECIAL } from "./text/tokenizer.ts";

/** What a twin is made of. */
export type TwinOptions = {
  readonly replicas: readonly [Served, ...Served[]];
  /** The replicas' clock. */
  readonly clock: Clock;
  readonly flags: ServingFlags;
  readonly source: TextSource;
  readonly faults: Faults;
};

/** Why an answer ended, as vLLM says it. */
export type TwinFinish = "stop" | "length" | "tool_calls" | "abort";

/** Tokens of one answer. */
export type TwinUsage = {
  readonly promptTokens: number;
  readonly completionTokens: number;
  readonly cachedTokens: number;
};

/** What happens during an answer, in order. */
export type TwinEvent =
  | { readonly type: "start"; readonly atMs: number }
  | {
      readonly type: "tokens";
      readonly ids: Int32Array;
      readonly deltas: readonly Delta[];
      readonly times: Float64Array;
      /** Tokens of the answer so far, these included. */
      readonly total: number;
    }
  | Broken
  | {
      readonly type: "end";
      readonly finish: TwinFinish | (string & {});
      readonly stopReason: string | number | undefined;
      readonly usage: TwinUsage;
      readonly timings: GenerateTimings;
    };

/** Replicas that answer. */
export interface Twin extends TwinOptions {
  /** @throws BosunError as refusal.ts has them; the signal's reason when it aborts while the text is written. */
  answer(ask: TwinAsk, signal: AbortSignal): AsyncGenerator<TwinEvent>;
  /** Computes a prompt and no answer, as an embedding does. @throws BosunError as `answer`. */
  prefill(id: string, promptIds: Int32Array, signal: AbortSignal): Promise<void>;
  /** Prometheus text. */
  metrics(): string;
}

/** A twin over its replicas. */
export function createTwin(options: TwinOptions): Twin {
  const { replicas, flags } = options;
  const recorded = new Map(
    replicas.map((replica) => [replica, createRecorded(flags.maxModelLen)] as const),
  );
  const home: Home = { ...options, recorded, balance: createBalance(replicas) };
  const engines = (): Parameters<typeof metricText>[1] =>
    [...recorded].map(([replica, sums]) => ({ replica, recorded: sums }));
  return {
    ...options,
    answer: (ask, signal) => answer(ask, home, signal),
    prefill: (id, promptIds, signal) => prefill({ id, promptIds }, home, signal),
    metrics: () => metricText(flags.servedModelName[0], engines()),
  };
}

type Home = TwinOptions & {
  readonly recorded: ReadonlyMap<Served, Recorded>;
  readonly balance: Balance;
};

async function* answer(ask: TwinAsk, home: Home, signal: AbortSignal): AsyncGenerator<TwinEvent> {
  const { clock, flags, source } = home;
  const { fault } = ask;
  if (fault?.type === "status") throw statusFault(fault);
  const refusal = refusalOf(ask, flags);
  if (refusal) throw refusal;
  const maxTokens = maxTokensOf(ask, flags);
  const { request, constraint, choice } = ask;
  // The clock stands still meanwhile: a text that is decided beforehand takes no time of the GPU.
  const writing = writeShaped(
    source,
    { request, constraint, maxTokens, choice },
    { reasoningParser: flags.reasoningParser, signal },
  );
  const written = await until(clock.external(writing), signal);
  const planned = planAnswer(written, {
    ...ask,
    maxTokens,
    isConstrained: constraint !== undefined,
  });
  if (fault?.type === "slow") await clock.sleep(fault.ms, signal);
  yield* played(ask, { home, planned, maxTokens }, signal);
}

/** A generation of one token, which nobody sees: the end mark. */
async function prefill(
  prompt: Pick<GenerateRequest, "id" | "promptIds">,
  home: Home,
  signal: AbortSignal,
): Promise<void> {
  const request: GenerateRequest = { ...prompt, ...UNSEEN };
  const { replica, leave } = home.balance.enter();
  try {
    for await (const event of replica.generate(request, signal))
      if (event.type === "end" && event.finish === "error") throw engineDead();
  } finally {
    leave();
  }
}

const UNSEEN: Omit<GenerateRequest, "id" | "promptIds"> = {
  outputIds: Int32Array.of(SPECIAL["<|im_end|>"]),
  finish: "stop",
  priority: 0,
  cacheSalt: undefined,
  lora: undefined,
};

type Playing = {
  readonly home: Home;
  readonly planned: Answer;
  readonly maxTokens: number;
};

/** The answer's tokens as the engine makes them, with the fault that befalls it. */
async function* played(
  ask: TwinAsk,
  { home, planned, maxTokens }: Playing,
  signal: AbortSignal,
): AsyncGenerator<TwinEvent> {
  const { clock, recorded, flags, balance } = home;
  const { replica, leave } = balance.enter();
  const arrival = { atMs: clock.now(), promptTokens: ask.promptIds.length, maxTokens };
  const recorder = followRequest(
    recorded.get(replica) ?? createRecorded(flags.maxModelLen),
    arrival,
  );
  const generated = replica.generate(toGenerate(ask, planned, flags), signal);
  let total = 0;
  try {
    for await (const event of playFault(generated, ask.fault, { replica, signal, clock })) {
      if (event.type !== "broken") recorder.follow(event);
      if (event.type === "tokens") total = event.to;
      yield toTold(event, { ask, planned, total });
    }
  } catch (error) {
    throw toRefusal(error, ask, flags);
  } finally {
    recorder.leave();
    leave();
  }
}

/** The engine's refusals in vLLM's words. */
function toRefusal(
  error: unknown,
  { promptIds, maxTokens }: TwinAsk,
  flags: ServingFlags,
): unknown {
  switch (detailOf(error, "reason")) {
    case "dead":
      return engineDead();
    case "queue-requests":
    case "queue-tokens":
      return queueFull();
    case "context-length":
      return tooLong(flags.maxModelLen, promptIds.length, maxTokens ?? 0);
    default:
      return error;
  }
}

function toGenerate(ask: TwinAsk, { ids, finish }: Answer, flags: ServingFlags): GenerateRequest {
  const { id, request, promptIds, priority, cacheSalt, choice } = ask;
  const [name] = request.models;
  const isLora = typeof name === "string" && flags.loraModules.includes(name);
  return {
    id: choice === 0 ? id : `${id}-${choice}`,
    promptIds,
    outputIds: ids,
    finish,
    priority,
    cacheSalt,
    lora: isLora ? name : undefined,
  };
}

type Told = { readonly ask: TwinAsk; readonly planned: Answer; readonly total: number };

function toTold(event: GenerateEvent | Broken, told: Told): TwinEvent {
  switch (event.type) {
    case "start":
    case "broken":
      return event;
    case "tokens": {
      const { from, to, times } = event;
      const ids = told.planned.ids.subarray(from, to);
      return { type: "tokens", ids, deltas: told.planned.deltas(from, to), times, total: to };
    }
    case "end":
      return toEnd(event, told);
    default:
      return event satisfies never;
  }
}

function toEnd(
  { finish, timings, cachedTokens }: Extract<GenerateEvent, { type: "end" }>,
  { ask, planned, total }: Told,
): TwinEvent {
  if (finish === "error") throw engineDead();
  const { fault, promptIds, isNamedTool } = ask;
  const isCalling = finish === "stop" && planned.hasCalls && !isNamedTool;
  const said = fault?.type === "finish" ? fault.reason : isCalling ? "tool_calls" : finish;
  const usage = { promptTokens: promptIds.length, completionTokens: total, cachedTokens };
  return { type: "end", finish: said, stopReason: planned.stopReason, usage, timings };
}
