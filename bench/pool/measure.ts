// Plays a workload against a contender on a fleet and writes down what each run met.

import { toBosunError } from "../../src/error.ts";
import type { Message } from "../../src/inference/model/message.ts";
import type { Model, ModelHints, ModelRequest } from "../../src/inference/model/model.ts";
import type { TwinSetup } from "../../src/twin.ts";
import { alone, type Contender } from "./contender.ts";
import { createFleet, type Fleet } from "./fleet.ts";
import type { Call, Program, RunClass, Text, Workload } from "./workload.ts";

/** What one run met. Times in milliseconds. */
export type RunRecord = {
  readonly id: string;
  readonly kind: RunClass;
  readonly calls: number;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly latencyMs: number;
  /** From each call to its first token, the pool's queue included. */
  readonly firstTokenMs: readonly number[];
  /** Of all its prompts. */
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  /** The code of the error that ended it. */
  readonly error: string | undefined;
};

/** What a contender came to. */
export type Played = {
  readonly contender: string;
  readonly runs: readonly RunRecord[];
  /** Of all replicas. */
  readonly preemptions: number;
  /** Most requests that waited in a replica, seen at the starts of calls. */
  readonly mostWaiting: number;
  /** Seconds of virtual time until the last run ended, and of processor time. */
  readonly seconds: number;
  readonly cpuSeconds: number;
};

export type Stage = {
  readonly workload: Workload;
  readonly setup: TwinSetup;
  readonly replicas: number;
  readonly seed: number;
};

/** How programs come. */
export type Arrival =
  /** Poisson, programs per second of virtual time. */
  | { readonly type: "open"; readonly perSecond: number }
  /** So many at once, the next when one has ended. */
  | { readonly type: "closed"; readonly atOnce: number };

/** Everything from one fleet and one contender, from the first arrival to the last end. */
export async function play(stage: Stage, contender: Contender, arrival: Arrival): Promise<Played> {
  const { workload, setup, replicas, seed } = stage;
  const fleet = createFleet({ setup, replicas, seed, answerOf: answersOf(workload) });
  const before = process.cpuUsage();
  const made = contender.create(fleet);
  const seen = { mostWaiting: 0 };
  const player: Player = { fleet, workload, model: made.model, seen };
  const runs = await (arrival.type === "open"
    ? playOpen(player, arrival.perSecond)
    : playClosed(player, arrival.atOnce));
  made.close();
  const { user, system } = process.cpuUsage(before);
  return {
    contender: contender.name,
    runs,
    preemptions: fleet.replicas.reduce((sum, one) => sum + one.stats().counters.preemptions, 0),
    mostWaiting: seen.mostWaiting,
    seconds: fleet.clock.now() / 1_000,
    cpuSeconds: (user + system) / 1e6,
  };
}

type Player = {
  readonly fleet: Fleet;
  readonly workload: Workload;
  readonly model: Model;
  readonly seen: { mostWaiting: number };
};

const NEVER = new AbortController().signal;

async function playOpen(player: Player, perSecond: number): Promise<readonly RunRecord[]> {
  const { clock } = player.fleet;
  const going: Promise<RunRecord>[] = [];
  for (const program of player.workload.programs) {
    const waitMs = (program.arrivesAt / perSecond) * 1_000 - clock.now();
    if (waitMs > 0) await clock.sleep(waitMs, NEVER);
    going.push(playProgram(program, player));
  }
  return Promise.all(going);
}

async function playClosed(player: Player, atOnce: number): Promise<readonly RunRecord[]> {
  const runs: RunRecord[] = [];
  const left = player.workload.programs.values();
  const worker = async (): Promise<void> => {
    for (const program of left) runs.push(await playProgram(program, player));
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return runs;
}

async function playProgram(program: Program, player: Player): Promise<RunRecord> {
  const { fleet, workload } = player;
  const { clock } = fleet;
  const startedAt = clock.now();
  const sums = { prompt: 0, cached: 0, output: 0 };
  const firstTokenMs: number[] = [];
  let messages: readonly Message[] = [];
  let error: string | undefined;
  for (const [index, call] of program.calls.entries()) {
    if (call.gapMs > 0) await clock.sleep(call.gapMs, NEVER);
    messages = promptOf(call, messages, workload);
    try {
      const at = clock.now();
      for await (const event of player.model.call(requestOf(program, index, messages), NEVER)) {
        if (event.type === "text-delta" && firstTokenMs.length <= index)
          firstTokenMs.push(clock.now() - at);
        if (event.type === "start") watch(player);
        if (event.type !== "end") continue;
        sums.prompt += event.usage.input.total;
        sums.cached += event.usage.input.cached ?? 0;
        sums.output += event.usage.output.total;
      }
    } catch (thrown) {
      error = toBosunError(thrown, "model/server", "a call of the benchmark").code;
      break;
    }
    messages = [...messages, { role: "assistant", content: call.answer.text }];
  }
  const endedAt = clock.now();
  return {
    id: program.id,
    kind: program.kind,
    calls: program.calls.length,
    startedAt,
    endedAt,
    latencyMs: endedAt - startedAt,
    firstTokenMs,
    promptTokens: sums.prompt,
    cachedTokens: sums.cached,
    outputTokens: sums.output,
    error,
  };
}

function watch({ fleet, seen }: Player): void {
  for (const { stats } of fleet.replicas)
    seen.mostWaiting = Math.max(seen.mostWaiting, stats().numRequestsWaiting);
}

/** The messages of a call, after those of the call before it and its answer. */
export function promptOf(call: Call, before: readonly Message[], { systems }: Workload): Message[] {
  const said: Message = { role: "user", content: call.said.text };
  if (!call.isFirst) return [...before, said];
  const system = systems.get(call.agent);
  return system && system.text !== "" ? [{ role: "system", content: system.text }, said] : [said];
}

/** No bound of waiting: every contender finishes all that it is given, however late. */
const PATIENCE_MS = 1e9;

/** The request of a call, with what an orchestrator knows of it. */
export function requestOf(
  program: Program,
  index: number,
  messages: readonly Message[],
): ModelRequest {
  const call = program.calls[index];
  if (!call) throw new Error(`no call ${index} of ${program.id}`);
  const { agent, task, remainingCalls, remainingTokens } = call;
  return {
    models: ["model"],
    messages,
    settings: { maxTokens: MAX_TOKENS },
    timeouts: { queueMs: PATIENCE_MS, firstTokenMs: PATIENCE_MS, totalMs: PATIENCE_MS },
    hints: {
      runId: program.id,
      path: [`task:${task}`, `turn:${index}`],
      purpose: "work",
      remainingCalls,
      remainingTokens,
      agent,
      task,
    },
  };
}

/** What an agent's maker writes there: above every answer, far above most. */
const MAX_TOKENS = 2_048;

/** Finds the answer of a call by its run and the number of its turn. */
export function answersOf({ programs }: Workload): (hints: ModelHints) => Text {
  const byId = new Map(programs.map((program) => [program.id, program]));
  return ({ runId, path }) => {
    const turn = Number(path.at(-1)?.slice("turn:".length));
    const call = byId.get(runId)?.calls[turn];
    if (!call) throw new Error(`no answer for ${runId} ${path.join(" ")}`);
    return call.answer;
  };
}

/** Latency of each program when nobody else is there, by id: one after the other on one replica. */
export async function measureUnloaded(stage: Stage): Promise<ReadonlyMap<string, number>> {
  const { runs } = await play({ ...stage, replicas: 1 }, alone, { type: "closed", atOnce: 1 });
  return new Map(runs.map(({ id, latencyMs }) => [id, latencyMs]));
}
