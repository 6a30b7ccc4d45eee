// The body of a flow: calls the steps that events let run, lays what they have made of the state over each other, ends the run.
//
// Which steps run, flow/firing.ts decides (F1 to F4). A call's end is a step of the journal, and ends are taken in the journal's order:
// an execution that repeats the run comes to the same state, and calls nothing that has ended.
//
// Invariants
//   W1  A step's changes are laid over the state in the order in which the ends are kept. A field that another step has changed
//       meanwhile is reduced, settled, or fails the run: it is never overwritten in silence.
//   W2  When a step fails for good, the others are aborted and joined before run-end.

import { BosunError, type ErrorData, toBosunError } from "../../error.ts";
import { isJson, type Json, type JsonObject, notJsonIn } from "../../json.ts";
import type { Child, Durable, Flow as DurableFlow } from "../durable/durable.ts";
import { beginningOf } from "../flow/beginning.ts";
import { type Activation, createFirings, type Firings } from "../flow/firing.ts";
import { DEFAULT_CALLS } from "../flow/flow.ts";
import { copyOf, fieldsOf } from "../flow/state.ts";
import type { FlowStep } from "../flow/step.ts";
import { showTrigger } from "../flow/trigger.ts";
import type { RunStatus } from "./event.ts";
import { withoutText } from "./failure.ts";
import { mergeChanges } from "./flow-merge.ts";
import { callFlow, type CallEnd, type Called, failureOfCall } from "./flow-call.ts";
import type { FlowRun, FlowWorld } from "./flow-world.ts";

/** A run's input. */
export type FlowInput = { readonly flow: string; readonly inputs: JsonObject };

/** What a flow's run came to. Plain JSON. */
export type FlowOutcome = {
  readonly status: RunStatus;
  readonly raw: string;
  readonly output: Json;
  readonly state: JsonObject;
};

/** A call that runs. */
type Running = Activation & {
  readonly call: number;
  /** From 1; the last one may be the step's onError. */
  readonly attempt: number;
  readonly segment: string;
  readonly base: JsonObject;
  /** How many calls had ended well when it began. */
  readonly since: number;
  readonly failed?: BosunError | undefined;
  readonly child: Child<CallEnd>;
};

/** What the functions of this body share. */
type Body = {
  readonly d: Durable;
  readonly world: FlowWorld;
  readonly run: FlowRun;
  readonly firings: Firings;
  readonly calls: Map<string, number>;
  readonly waited: Map<string, number>;
  readonly running: Map<string, Running>;
  readonly results: Map<string, Promise<CallEnd>>;
  /** Calls that have ended and were not taken, in the order in which they did: that of the journal. */
  readonly ended: string[];
  state: JsonObject;
  /** How many calls have ended well, and which of them was the last to change each field. */
  merged: number;
  readonly changedBy: Map<string, number>;
  /** What the last step came to. */
  last: Json;
};

/** Most characters of what a step came to in its event; the whole of it is in the journal. */
const MAX_RAW = 2_000;

/** Of a call that came to nothing. */
const NOTHING = { raw: "", labels: [], changed: [] } as const;

/** The flow of a user's flow. Rejects with what it failed with, or with the reason of an abort. */
export function createFlowBody(world: FlowWorld): DurableFlow<FlowInput, FlowOutcome> {
  return {
    name: "bosun/flow",
    version: "1",
    async run(d, { inputs }) {
      const run = world.flowRunOf(d.rootId);
      const { flow, log } = run;
      const steps = Object.entries(flow.steps).map(([name, { kind, on }]) => ({ name, kind, on }));
      const shown = steps.map(({ name, kind, on }) => ({
        name,
        kind,
        on: on ? showTrigger(on) : "",
      }));
      log.emit([], { type: "flow-start", flow: flow.name, inputs, steps: shown });
      const body = startBody(d, world, { run, firings: createFirings(steps) });
      try {
        body.state = await d.step("state", () => beginningOf(flow, inputs));
        for (const { name, kind } of steps)
          if (kind === "start")
            begin(body, { step: name, input: inputs, inputs: {}, causes: new Map() });
        for (let round = 0; body.running.size > 0; round++) await takeOne(body, round);
        const { state, last } = body;
        const output = outputOf(flow, { state, last });
        const raw = textOf(output);
        log.emit([], { type: "run-end", status: "done", raw, output, state });
        return { status: "done", raw, output, state };
      } catch (error) {
        throw await endBadly(body, error);
      }
    },
  };
}

/** @throws BosunError `flow/state` for what is no JSON. */
function outputOf(
  { name, options }: FlowRun["flow"],
  ended: { readonly state: JsonObject; readonly last: Json },
): Json {
  if (options.output === undefined) return ended.last;
  const output = options.output(copyOf(ended)) ?? null;
  if (isJson(output)) return output;
  throw new BosunError(
    "flow/state",
    `flow "${name}": what its output returned is no JSON: ${notJsonIn(output)}`,
  );
}

function startBody(
  d: Durable,
  world: FlowWorld,
  { run, firings }: { readonly run: FlowRun; readonly firings: Firings },
): Body {
  const calls = { calls: new Map(), waited: new Map(), running: new Map(), results: new Map() };
  const state = { state: {}, merged: 0, changedBy: new Map(), last: null };
  return { d, world, run, firings, ...calls, ended: [], ...state };
}

/** Calls a step for the first time. @throws BosunError `flow/loop`. */
function begin(body: Body, activation: Activation): void {
  const { run, calls } = body;
  const { step } = activation;
  const call = (calls.get(step) ?? 0) + 1;
  const { maxCalls = DEFAULT_CALLS } = definitionOf(run, step).options;
  if (call > maxCalls)
    throw new BosunError(
      "flow/loop",
      `flow "${run.flow.name}", step "${step}": it would be called more than ${maxCalls} times in one run. Let its loop end earlier, or raise its maxCalls`,
    );
  calls.set(step, call);
  launch(body, { ...activation, call, attempt: 1 });
}

/** Starts a call, or another try of it. */
function launch(body: Body, begun: Omit<Running, "segment" | "base" | "since" | "child">): void {
  const { d, world, run, waited, state } = body;
  const { step, call, attempt, failed, input, inputs } = begun;
  const definition = definitionOf(run, step);
  const segment = segmentOf(step, call, attempt);
  if (attempt === 1) run.log.emit([segment], { type: "step-start", step, call });
  const place = { world, run, step, call, attempt, segment };
  const called: Called = { ...place, input, inputs, waited, definition, base: state, failed };
  const timeoutMs = definition.options.timeoutMs;
  const timeoutError = (): BosunError =>
    new BosunError("run/timed-out", `step "${step}" did not end within ${timeoutMs} ms`);
  const limits = timeoutMs === undefined ? {} : { timeoutMs, timeoutError };
  const child = d.child(segment, callFlow(called), null, limits);
  body.running.set(segment, { ...begun, segment, base: state, since: body.merged, child });
  body.results.set(segment, child.result);
  const note = (): void => void body.ended.push(segment);
  child.result.then(note, note);
}

/** `step:write`, `step:write~3` for the third call, `step:write~3.2` for its second try. */
function segmentOf(step: string, call: number, attempt: number): string {
  const number = attempt > 1 ? `~${call}.${attempt}` : call > 1 ? `~${call}` : "";
  return `step:${step}${number}`;
}

/** Waits for the next call that ends, and does what follows from it. */
async function takeOne(body: Body, round: number): Promise<void> {
  const { d, running, results } = body;
  const first = await d.race(`round:${round}`, results);
  const segment = body.ended.shift() ?? first;
  const one = running.get(segment);
  if (one === undefined) return;
  let end: CallEnd;
  try {
    end = await one.child.result;
  } catch (error) {
    if (d.signal.aborted) throw error;
    running.delete(segment);
    results.delete(segment);
    return onFailure(body, one, failureOfCall(error, one.step));
  }
  running.delete(segment);
  results.delete(segment);
  await onEnd(body, one, end);
}

async function onEnd(
  body: Body,
  one: Running,
  { output, emitted, changes }: CallEnd,
): Promise<void> {
  const { run, firings, changedBy } = body;
  const { step, call, causes, since } = one;
  try {
    const isChanged = (field: string): boolean => (changedBy.get(field) ?? 0) > since;
    const current = body.state;
    body.state = await mergeChanges(body.d, { run, current, ...one, changes, isChanged });
    body.merged++;
    for (const field of fieldsOf(changes)) changedBy.set(field, body.merged);
  } catch (error) {
    if (!body.d.signal.aborted) tellFailed(body, one, withoutText(failureOfCall(error, one.step)));
    throw error;
  }
  const isRouter = definitionOf(run, step).kind === "router";
  if (!isRouter) body.last = output;
  run.log.emit([segmentOf(step, call, 1)], {
    type: "step-end",
    step,
    call,
    status: "done",
    raw: textOf(output).slice(0, MAX_RAW),
    labels: emitted.map(({ label }) => label),
    changed: fieldsOf(changes),
  });
  const events = isRouter
    ? emitted.map(({ label, value }) => ({ name: label, value, causes }))
    : [{ name: step, value: output, causes }];
  for (const event of events) for (const next of firings.happen(event)) begin(body, next);
}

/** Another try, what the step's onError makes of it, or the flow's failure. */
function onFailure(body: Body, one: Running, error: BosunError): void {
  const { run } = body;
  const { step, call, attempt, failed } = one;
  const { retries = 0, onError } = definitionOf(run, step).options;
  const data = withoutText(error);
  const path = [segmentOf(step, call, 1)];
  const again = (by: "retry" | "onError"): void => {
    run.log.emit(path, { type: "step-retry", step, call, by, error: data }, attempt + 1);
    launch(body, { ...one, attempt: attempt + 1, failed: by === "retry" ? undefined : error });
  };
  if (failed === undefined && attempt <= retries) return again("retry");
  if (failed === undefined && onError) return again("onError");
  tellFailed(body, one, data);
  throw error;
}

function tellFailed({ run }: Body, { step, call }: Running, error: ErrorData): void {
  const path = [segmentOf(step, call, 1)];
  run.log.emit(path, { type: "step-end", step, call, status: "failed", ...NOTHING, error });
}

/** W2. @returns what the run fails with. */
async function endBadly(body: Body, error: unknown): Promise<BosunError> {
  const { d, run, running, state } = body;
  const { log, flow } = run;
  const reason: unknown = d.signal.aborted ? d.signal.reason : error;
  const failure = toBosunError(reason, "run/failed", `flow "${flow.name}"`);
  run.noteFailure(failure);
  const left = [...running.values()];
  for (const { child } of left) child.cancel(`the run of flow "${flow.name}" is ending`);
  await Promise.allSettled(left.map(({ child }) => child.result));
  for (const { step, call } of left)
    log.emit([segmentOf(step, call, 1)], {
      type: "step-end",
      step,
      call,
      status: "cancelled",
      ...NOTHING,
    });
  const status = statusOf(failure);
  log.emit([], { type: "run-end", status, raw: "", error: withoutText(failure), state });
  return failure;
}

function statusOf({ code }: BosunError): RunStatus {
  if (code === "run/timed-out") return "timed-out";
  if (code === "run/over-budget") return "over-budget";
  return code === "run/cancelled" ? "cancelled" : "failed";
}

function definitionOf({ flow }: FlowRun, step: string): FlowStep {
  const found = flow.steps[step];
  if (found) return found;
  throw new Error(`no step ${step} in flow ${flow.name}`); // firings know the flow's own steps only
}

function textOf(output: Json): string {
  return typeof output === "string" ? output : JSON.stringify(output);
}
