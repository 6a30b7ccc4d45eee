// The flows that are measured, each with the loop of awaits that calls as many functions in the same order. Handlers do nothing, but
// for those of the large state, which count up one field of it.

import type { Bosun } from "../../src/bosun.ts";
import { flow, and, listen, or, router, start, type RunnableFlow } from "../../src/flow.ts";
import type { FlowSteps } from "../../src/orchestration/flow/flow.ts";
import type { JsonObject } from "../../src/json.ts";

/** One form of a flow. */
export type Shape = {
  readonly name: "chain" | "loop" | "fan" | "long" | "state";
  /** Calls of steps in one run. */
  readonly activations: number;
  /** Of the flow through Bosun. */
  readonly define: (bosun: Bosun) => RunnableFlow;
  /** The handlers without Bosun. */
  readonly bare: () => Promise<void>;
};

const STEPS = 50;
const ROUNDS = 25;
const LISTENERS = 100;
const LONG = 500;
/** Of the large state: texts of 1 KiB. */
const FIELDS = 100;

type State = { count?: number } & JsonObject;

const count = ({ state }: { readonly state: JsonObject }): void => {
  const draft = state as State; // `as`: a draft is there to be written
  draft.count = (draft.count ?? 0) + 1;
};

const nothing = (): undefined => undefined;

/** What a handler costs that is called and awaited by hand. */
async function handler(): Promise<undefined> {
  return undefined;
}

export const SHAPES: readonly Shape[] = [
  chainOf("chain", STEPS),
  {
    name: "loop",
    activations: 2 * ROUNDS + 2,
    define: (bosun) =>
      flow(
        "loop",
        { bosun },
        {
          begin: start(nothing),
          work: listen(or("begin", "again"), nothing),
          decide: router("work", ["again", "enough"], ({ call }) =>
            call < ROUNDS ? "again" : "enough",
          ),
          end: listen("enough", nothing),
        },
      ),
    bare: () => callInRow(2 * ROUNDS + 2),
  },
  {
    name: "fan",
    activations: LISTENERS + 2,
    define: (bosun) => {
      const names = Array.from({ length: LISTENERS }, (_, place) => `part${place}`);
      const parts = names.map((name) => [name, listen("begin", nothing)] as const);
      return define("fan", bosun, {
        begin: start(nothing),
        ...Object.fromEntries(parts),
        end: listen(and(...names), nothing),
      });
    },
    async bare() {
      await handler();
      await Promise.all(Array.from({ length: LISTENERS }, handler));
      await handler();
    },
  },
  chainOf("long", LONG),
  chainOf(
    "state",
    STEPS,
    Object.fromEntries(
      Array.from({ length: FIELDS }, (_, place) => [`field${place}`, { text: "x".repeat(1_024) }]),
    ),
  ),
];

/** Steps that each listen to the one before. @param initial The state, in which they count. */
function chainOf(name: Shape["name"], length: number, initial?: JsonObject): Shape {
  const work = initial === undefined ? nothing : count;
  const rest = Array.from({ length: length - 1 }, (_, place) => [
    `step${place + 1}`,
    listen<JsonObject, string, undefined | void>(`step${place}`, work),
  ]);
  return {
    name,
    activations: length,
    define: (bosun) =>
      define(
        name,
        bosun,
        { step0: start<JsonObject, undefined | void>(work), ...Object.fromEntries(rest) },
        initial,
      ),
    bare: () => callInRow(length),
  };
}

/** Names that the program makes are no types: the flow's own check of them is enough. */
function define(
  name: string,
  bosun: Bosun,
  steps: FlowSteps<JsonObject>,
  initial?: JsonObject,
): RunnableFlow {
  return flow<JsonObject, FlowSteps<JsonObject>>(name, { bosun, initial }, steps);
}

async function callInRow(times: number): Promise<void> {
  for (let time = 0; time < times; time++) await handler();
}
