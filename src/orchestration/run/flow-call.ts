// One call of a flow's step: its handler as a child run, and what that came to, kept as one step of the journal.

import type { Clock, Timer } from "../../clock.ts";
import { BosunError, toBosunError } from "../../error.ts";
import { isJson, type Json, type JsonObject, notJsonIn } from "../../json.ts";
import { validate } from "../../schema.ts";
import type { Durable, Flow as DurableFlow } from "../durable/durable.ts";
import { emissionsOf, type Emitted } from "../flow/emission.ts";
import { type Changes, checkState, copyOf, createDraft, fieldsOf } from "../flow/state.ts";
import type { FlowStep } from "../flow/step.ts";
import { type Calling, createFlowContext, END } from "./flow-context.ts";

/** What a call came to. Plain JSON. */
export type CallEnd = {
  readonly output: Json;
  /** Of a router. */
  readonly emitted: readonly Emitted[];
  readonly changes: Changes;
};

/** What is called: the step, or its onError with what it failed with. */
export type Called = Omit<Calling, "draft" | "input"> & {
  /** What others may be called with too. */
  readonly input: Json;
  readonly definition: FlowStep;
  /** The state as it is when the call begins. */
  readonly base: JsonObject;
  readonly failed?: BosunError | undefined;
};

/** The call as a flow of its own: one child of the flow's run. */
export function callFlow(called: Called): DurableFlow<null, CallEnd> {
  return { name: `step:${called.step}`, version: "1", run: (d) => execute(d, called) };
}

async function execute(d: Durable, called: Called): Promise<CallEnd> {
  const { base, run, step } = called;
  const where = `flow "${run.flow.name}", step "${step}"`;
  const draft = createDraft(base);
  const handled = work(d, { ...called, draft }, where).then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  const ended = await orAborted(handled, d.signal, called.world.clock);
  if (d.signal.aborted) throw d.signal.reason; // what an abort made fail is no end
  return d.step(END, async () => {
    if ("error" in ended) throw ended.error;
    const changes = draft.changes(where);
    checkWrites(where, called.definition, fieldsOf(changes));
    const { state: schema } = run.flow.options;
    if (schema !== undefined) await checkState(where, schema, draft.read()); // that it is JSON, `changes` has seen
    return { ...endOf(where, called, ended.value), changes };
  });
}

/** How long a handler may take to end once it is aborted: what it awaits may not listen to its signal. */
const GRACE_MS = 50;

/** @throws the signal's reason. */
async function orAborted<T>(handled: Promise<T>, signal: AbortSignal, clock: Clock): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  let timer: Timer | undefined;
  const onAbort = (): void => {
    timer ??= clock.timer(GRACE_MS, () => reject(signal.reason));
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([handled, promise]);
  } finally {
    timer?.[Symbol.dispose]();
    signal.removeEventListener("abort", onAbort);
  }
}

/** Calls the user's function. */
async function work(
  d: Durable,
  { definition, failed, input, ...calling }: Called & Pick<Calling, "draft">,
  where: string,
): Promise<unknown> {
  const { options } = definition;
  const context = createFlowContext(d, { ...calling, input: () => copyOf(input) });
  if (failed) return options.onError?.(failed, context);
  if (options.input === undefined) return definition.run(context);
  const schema = options.input;
  const checked = await d.local(() => validate(schema, copyOf(input)));
  if (checked.type === "invalid")
    throw new BosunError(
      "flow/input",
      `${where}: what it got is not what its schema asks for: ${checked.issues.join("; ")}`,
    );
  const value = checked.value as Json; // `as`: its handler takes what the schema gives
  return definition.run(createFlowContext(d, { ...calling, input: () => value }));
}

function endOf(
  where: string,
  { definition, input }: Called,
  value: unknown,
): Omit<CallEnd, "changes"> {
  const { kind, labels } = definition;
  if (kind === "router")
    return { output: input, emitted: copyOf(emissionsOf(where, value, { labels, input })) };
  const output = value ?? null;
  if (isJson(output)) return { output: copyOf(output), emitted: [] }; // the handler may still hold it
  throw new BosunError(
    "flow/state",
    `${where}: what it returned is no JSON: ${notJsonIn(output)}. It must survive its process`,
  );
}

function checkWrites(where: string, { options }: FlowStep, changed: readonly string[]): void {
  const writes: readonly string[] | undefined = options.writes;
  const other = writes && changed.find((field) => !writes.includes(field));
  if (other === undefined) return;
  throw new BosunError(
    "flow/state",
    `${where}: it changed "${other}" of the state, which its writes do not name`,
  );
}

/** What the call failed with, as its events and `onError` get it. */
export function failureOfCall(error: unknown, step: string): BosunError {
  return toBosunError(error, "run/failed", `step "${step}"`);
}
