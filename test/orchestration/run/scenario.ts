// What the tests of runs share: a Bosun on scripted models, and ways to look at requests and events.

import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bosun, type BosunOptions, createBosun } from "../../../src/bosun.ts";
import { type BosunError, isBosunError } from "../../../src/error.ts";
import type { Model, ModelRequest } from "../../../src/inference/model/model.ts";
import type { Usage } from "../../../src/inference/model/usage.ts";
import { type Agent, agent, type AgentOptions } from "../../../src/orchestration/crew/agent.ts";
import {
  type OnError,
  type Task,
  task,
  type TaskOptions,
} from "../../../src/orchestration/crew/task.ts";
import type { RunEvent } from "../../../src/orchestration/run/event.ts";
import {
  type Script,
  type ScriptedModel,
  scriptedModel,
  type ScriptedModelOptions,
  type ScriptedReply,
} from "../../../src/test/scripted-model.ts";
import { createVirtualClock, type VirtualClock } from "../../../src/clock.ts";

/** A Bosun that keeps nothing, reads no environment and asks only this model. */
export function bosunOf(model: Model, options: BosunOptions = {}): Bosun {
  const kept =
    process.env["BOSUN_CHECK_REPLAY"] === "1" ? checked() : { data: false as const, env: {} };
  return createBosun({
    ...kept,
    model,
    retry: QUICK,
    ...options,
    ...(kept.data !== false && { env: { ...options.env, ...kept.env } }),
  });
}

function checked() {
  return { data: mkdtempSync(join(tmpdir(), "bosun-checked-")), env: { BOSUN_CHECK_REPLAY: "1" } };
}

/** Retries without waiting, so that events and virtual times are the same each time. */
export const QUICK = { baseMs: 0, capMs: 0 };

type Scene = { readonly bosun: Bosun; readonly model: ScriptedModel; readonly clock: VirtualClock };

/**
 * A Bosun with its model, in virtual time.
 * @param options.auto true lets the time jump whenever nothing else can happen, also over a gate: then a gate ends in a time-out.
 *   Default false: only `clock.advance` moves it.
 */
export function scene(
  script: Script,
  options: BosunOptions & ScriptedModelOptions & { readonly auto?: boolean } = {},
): Scene {
  const { auto = false, contextTokens, name, ...rest } = options;
  const clock = createVirtualClock({ auto });
  const model = scriptedModel(script, { clock, contextTokens, name });
  return { clock, model, bosun: bosunOf(model, { clock, ...rest }) };
}

/** An agent that needs no words of its own. */
export function worker(
  role: string,
  options: Partial<AgentOptions<string, string, string>> = {},
): Agent<never> {
  return agent({ role, goal: "Do it", ...options }) as Agent<never>; // without placeholders
}

type JobOptions = Omit<
  TaskOptions<string, string, string, Agent<never>, undefined, OnError | undefined>,
  "name" | "description" | "expectedOutput" | "agent"
> & { readonly agent?: Agent<never> };

/** A task that needs no words of its own, done by an agent of its own. */
export function job<const Name extends string>(
  name: Name,
  options: JobOptions = {},
): Task<Name, never, string> {
  const made = task({
    name,
    description: `Do ${name}`,
    expectedOutput: "A text",
    agent: worker(`agent of ${name}`),
    ...options,
  });
  return made as Task<Name, never, string>; // without placeholders
}

/** The name of the task that a call belongs to. */
export function taskIn(request: ModelRequest): string {
  return (request.hints.path[0] ?? "").replace(/^task:/, "").replace(/~\d+$/, "");
}

type Answer = ScriptedReply | ((request: ModelRequest) => ScriptedReply | Promise<ScriptedReply>);

/** Answers by task: the n-th call of a task gets the n-th of its answers, further calls the last one. */
export function byTask(answers: Readonly<Record<string, Answer | readonly Answer[]>>): Script {
  const counts = new Map<string, number>();
  return (request) => {
    const name = taskIn(request);
    const key = `${request.hints.runId} ${name}`;
    const n = counts.get(key) ?? 0;
    counts.set(key, n + 1);
    const own = answers[name];
    const list = Array.isArray(own) ? own : [own];
    const answer: Answer | undefined = list[n] ?? list.at(-1);
    if (answer === undefined) throw new Error(`the test has no answer for task ${name}`);
    return typeof answer === "function" ? answer(request) : answer;
  };
}

/** A usage that a server counted. */
export function costing(inputTokens: number, outputTokens = 1): Usage {
  return {
    input: { total: inputTokens, cached: undefined },
    output: { total: outputTokens, reasoning: undefined },
    source: "server",
  };
}

/** The text of the user's message, where context and task stand. */
export function promptOf(request: ModelRequest | undefined): string {
  return request?.messages.find(({ role }) => role === "user")?.content ?? "";
}

/** The requests of one task. */
export function requestsOf(model: ScriptedModel, name: string): readonly ModelRequest[] {
  return model.requests.filter((request) => taskIn(request) === name);
}

/** What a promise rejects with. @throws when it does not reject, or not with a BosunError. */
export async function errorOf(work: Promise<unknown>): Promise<BosunError> {
  const outcome = await work.then(
    () => "it did not fail",
    (error: unknown) => error,
  );
  if (isBosunError(outcome)) return outcome;
  throw new Error("expected a BosunError", { cause: outcome });
}

/** What a function throws. @throws when it does not throw, or not a BosunError. */
export function thrownBy(work: () => unknown): BosunError {
  let outcome: unknown = "it did not fail";
  try {
    work();
  } catch (error) {
    outcome = error;
  }
  if (isBosunError(outcome)) return outcome;
  throw new Error("expected a BosunError", { cause: outcome });
}

/** All events of a stream and how it ended. */
export async function eventsOf(
  stream: AsyncGenerator<RunEvent, unknown>,
): Promise<{ readonly events: readonly RunEvent[]; readonly error: unknown }> {
  const events: RunEvent[] = [];
  try {
    for await (const event of stream) events.push(event);
    return { events, error: undefined };
  } catch (error) {
    return { events, error };
  }
}

/** The events of one type. */
export function only<Type extends RunEvent["type"]>(
  events: readonly RunEvent[],
  type: Type,
): readonly Extract<RunEvent, { readonly type: Type }>[] {
  return events.filter(
    (event): event is Extract<RunEvent, { readonly type: Type }> => event.type === type,
  );
}

/** An event without what may differ between two runs of one script: its run's id and its time. */
export function withoutTimes(event: RunEvent): unknown {
  const { runId: _runId, at: _at, ...rest } = event;
  if (!("timings" in rest)) return rest;
  const { timings: _timings, ...timeless } = rest;
  return timeless;
}

/** A promise that a test opens itself. */
export function gate<T = void>(): PromiseWithResolvers<T> {
  return Promise.withResolvers<T>();
}

/** Resolves when everything that can happen without time and sockets has happened. */
export async function settle(): Promise<void> {
  const turns = process.env["BOSUN_CHECK_REPLAY"] === "1" ? 500 : 5;
  for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
}

/** Numbers from 0 to 1, the same for a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
