// What a handler of a flow's step gets, over the Durable of its call.

import { BosunError } from "../../error.ts";
import { isJson, isObject, type Json, type JsonObject, notJsonIn } from "../../json.ts";
import type { Crew } from "../crew/crew.ts";
import type { Durable } from "../durable/durable.ts";
import { copyOf, type Draft } from "../flow/state.ts";
import type { CrewCall as StepCall, CrewResult, FlowContext } from "../flow/step.ts";
import type { AskLimits, Decision } from "../tool/approval.ts";
import type { Path } from "../../inference/model/model.ts";
import { askPerson } from "./ask.ts";
import type { CrewCall, FlowRun, FlowWorld } from "./flow-world.ts";
import { toResult } from "./result.ts";

/** One call of a step. */
export type Calling = {
  readonly world: FlowWorld;
  readonly run: FlowRun;
  /** The step's name. */
  readonly step: string;
  readonly call: number;
  readonly attempt: number;
  /** Of its path: the step, and from the second call on its number. */
  readonly segment: string;
  readonly draft: Draft;
  /** Makes what it is called with: asked for once at most, as large ones are seldom looked at by all. */
  readonly input: () => Json;
  readonly inputs: Readonly<Record<string, Json>>;
  /** How often each name has been waited for in this run. */
  readonly waited: Map<string, number>;
};

/** The key of what a call came to, beside those of its handler. */
export const END = "end";

/** What the function of a step gets. */
type Given = { readonly signal: AbortSignal; readonly attempt: number };

export function createFlowContext(d: Durable, calling: Calling): FlowContext<never, never> {
  const { call, attempt, segment, draft, waited } = calling;
  const where = whereOf(calling);
  const claim = createKeys(where);
  let asks = 0;
  const own: { input?: Json; inputs?: Readonly<Record<string, Json>> } = {};
  const context: FlowContext<JsonObject> = {
    get state() {
      return draft.read();
    },
    get input() {
      return (own.input ??= calling.input());
    },
    get inputs() {
      return (own.inputs ??= copyOf(calling.inputs));
    },
    runId: d.rootId,
    call,
    attempt,
    signal: d.signal,
    run: createRun(d, calling, claim),
    ask(text, limits = {}) {
      const work = async (): Promise<Decision> => {
        checkMs(`${where}, ask`, limits.timeoutMs ?? 0);
        const path = [segment, `ask:${++asks}`];
        return askOf(d, calling, { text, path, limits });
      };
      return heard(work());
    },
    waitFor(event, options) {
      const work = async (): Promise<Json> => {
        const { timeoutMs, otherwise } = options ?? {}; // a caller without types may leave them out
        checkEvent(where, event);
        checkMs(`${where}, waitFor "${event}"`, timeoutMs);
        const count = (waited.get(event) ?? 0) + 1;
        waited.set(event, count);
        const given = await d.wait(count > 1 ? `${event}~${count}` : event, { timeoutMs });
        return given === undefined ? (otherwise ?? null) : given;
      };
      return heard(work());
    },
    sleep(key, ms) {
      const work = async (): Promise<void> => {
        claim("sleep", key);
        checkMs(`${where}, sleep "${key}"`, ms);
        await d.sleep(`sleep:${key}`, ms);
      };
      return heard(work());
    },
    step(key, work, options) {
      const begin = async (): Promise<Json | undefined> => {
        claim("step", key);
        const once = work as (given: Given) => Promise<Json | undefined>; // `as`: what is nothing is kept as nothing
        return d.step(`step:${key}`, async (given) => once(given), options);
      };
      return heard(begin()) as never; // `as`: the journal gives back what work came to
    },
  };
  return context as unknown as FlowContext<never, never>; // `as`: the definition says what the handler takes it for
}

function whereOf({ run, step }: Calling): string {
  return `flow "${run.flow.name}", step "${step}"`;
}

/** What runs crews. */
function createRun(
  d: Durable,
  calling: Calling,
  claim: ReturnType<typeof createKeys>,
): FlowContext["run"] {
  const crews = new Map<string, number>();
  return (crew, ...call) => {
    const [inputs = {}, options = {}] = call as [inputs?: JsonObject, options?: StepCall]; // `as`: what is right for this crew, its type says, and `begin` looks
    const work = async (): Promise<CrewResult> => {
      checkCrew(whereOf(calling), crew);
      const count = (crews.get(crew.name) ?? 0) + 1;
      crews.set(crew.name, count);
      const key = options.key ?? (count > 1 ? `${crew.name}~${count}` : crew.name);
      claim("run", key);
      return runCrew(d, calling, { crew, inputs, key });
    };
    return heard(work()) as never; // `as`: the crew's tasks say what it has
  };
}

/** @throws BosunError `usage`. */
function checkEvent(where: string, event: unknown): void {
  if (typeof event === "string" && event !== "" && event !== END && !event.includes("/")) return;
  throw new BosunError(
    "usage",
    `${where}: waitFor takes a name without "/", other than "${END}", got ${JSON.stringify(event)}`,
  );
}

async function askOf(
  d: Durable,
  { run, step }: Calling,
  { text, ...at }: { readonly text: string; readonly path: Path; readonly limits: AskLimits },
): Promise<Decision> {
  const subject = { subject: "question", agent: step, task: step, text } as const;
  return (await askPerson(d, run, subject, at)).decision;
}

/** The same promise. What a handler began and did not await is cut off at its end: that must not end the process. */
function heard<T>(work: Promise<T>): Promise<T> {
  work.catch(() => undefined);
  return work;
}

const USES = { run: "run(crew, inputs, { key })", sleep: "sleep(key, ms)", step: "step(key, fn)" };

/** Refuses a key that a call of the step has used before. */
function createKeys(where: string): (use: "run" | "sleep" | "step", key: string) => void {
  const used = new Set<string>();
  return (use, key) => {
    const wrong = typeof key !== "string" || key === "" || used.has(`${use} ${key}`);
    used.add(`${use} ${key}`);
    if (wrong)
      throw new BosunError(
        "usage",
        `${where}: ${USES[use]} got the key ${JSON.stringify(key)}. Each needs a text of its own in its step`,
      );
  };
}

function checkMs(what: string, ms: number): void {
  if (!Number.isFinite(ms) || ms < 0)
    throw new BosunError("usage", `${what}: its time must be milliseconds from 0, got ${ms}`);
}

function checkCrew(where: string, crew: Crew): void {
  if (!isObject(crew) || crew["type"] !== "crew")
    throw new BosunError("usage", `${where}: what it runs is no crew: make it with crew(…)`);
}

/** Runs a crew as a child of the step's call. */
async function runCrew(
  d: Durable,
  { world, segment, step }: Calling,
  { crew, inputs, key }: { readonly crew: Crew; readonly inputs: JsonObject; readonly key: string },
): Promise<CrewResult> {
  const where = `step "${step}", crew "${crew.name}"`;
  if (!isJson(inputs))
    throw new BosunError(
      "flow/input",
      `${where}: its inputs must be JSON, but ${notJsonIn(inputs)}`,
    );
  const child = `crew:${key}`;
  const call: CrewCall = {
    crew,
    inputs,
    runId: `${d.runId}/${child}`,
    rootId: d.rootId,
    place: [segment, child],
  };
  const beginning = await d.step(`${child}/inputs`, ({ signal }) => world.begin(call, signal));
  const context = await d.local(() => world.enter(call, beginning));
  try {
    const { timeoutMs } = crew;
    const timeoutError = (): BosunError =>
      new BosunError("run/timed-out", `${where}: no end within its ${timeoutMs} ms`);
    const input = { crew: crew.name, inputs: beginning.inputs };
    await d.child(child, world.crewFlow, input, { timeoutMs, timeoutError }).result;
    const result = await d.local(() => toResult(crew, context.log.state));
    const { status, raw, error } = result;
    if (status !== "done" && status !== "partial")
      throw new BosunError(error?.code ?? "run/failed", `${where}: ${error?.message ?? status}`, {
        retryable: error?.retryable ?? false,
        ...(error?.details ? { details: error.details } : {}),
      });
    const outputs = Object.entries(result.tasks).map(([name, task]): [string, Json] => [
      name,
      isJson(task.output) ? task.output : task.raw,
    ]);
    return { status, raw, tasks: Object.fromEntries(outputs) };
  } finally {
    world.leave(call, context);
  }
}
