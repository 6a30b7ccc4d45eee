// A flow: steps that events connect, and the state that they share. Plain data; src/flow.ts adds kickoff and stream.

import { BosunError } from "../../error.ts";
import type { Json, JsonObject } from "../../json.ts";
import type { Schema, StandardSchema } from "../../schema.ts";
import { fingerprintOf, hashOf } from "../crew/fingerprint.ts";
import { isRunLimits, type RunLimits } from "../crew/run-limit.ts";
import {
  type Check,
  checkOptions,
  isName,
  isWhole,
  type KnownOptions,
  optional,
} from "../crew/option.ts";
import { checkGraph, warningsOf } from "./graph.ts";
import type { FlowStep } from "./step.ts";

/** Two steps that ran at once have changed one field of the state. */
export type Conflict = {
  /** The step that ended later, whose value is not in the state. */
  readonly step: string;
  readonly field: string;
  /** As it was when that step began. */
  readonly base: Json | undefined;
  /** As another step has made it meanwhile. */
  readonly current: Json | undefined;
  readonly draft: Json | undefined;
};

/** What a user writes besides the steps. */
export type FlowOptions<State> = {
  /** What the state must be, at the start and after each step. Its output must be what it takes as input. Default: any JSON object. */
  readonly state?: StandardSchema<State> | Schema | undefined;
  /** The state that each run begins with; a kickoff's inputs are laid over it, and the schema's defaults under it. */
  readonly initial?: Partial<State> | undefined;
  /** By field: makes one value of two that steps which ran at once have made of it. Must come to the same for the same values. */
  readonly reducers?: {
    readonly [Field in keyof NoInfer<State>]?: (
      current: NoInfer<State>[Field],
      draft: NoInfer<State>[Field],
      base: NoInfer<State>[Field],
    ) => NoInfer<State>[Field];
  };
  /** Settles what two steps that ran at once have made of a field without a reducer: returns its value. Without it the flow fails, with both kept. */
  readonly onConflict?:
    | ((conflict: Conflict) => Json | undefined | Promise<Json | undefined>)
    | undefined;
  /** What the flow comes to. Default: what the last step came to. */
  readonly output?:
    | ((ended: { readonly state: NoInfer<State>; readonly last: Json }) => Json)
    | undefined;
  /** Most time of one run, in milliseconds, waits for people not counted. Default 3,600,000. */
  readonly timeoutMs?: number | undefined;
  /** What one run may use at most, all its crews together. */
  readonly limits?: RunLimits | undefined;
  /** For pictures. */
  readonly description?: string | undefined;
};

/**
 * What a kickoff may give: any field of the state, the schema's defaults and `initial` fill the rest. Any JSON object where the state
 * has no type.
 */
export type FlowInputs<State> = [keyof State] extends [never]
  ? JsonObject
  : string extends keyof State
    ? JsonObject
    : { readonly [Field in keyof State]?: State[Field] };

/** A flow as data. */
export type Flow<Steps extends FlowSteps = FlowSteps> = {
  readonly type: "flow";
  readonly name: string;
  readonly steps: Steps;
  readonly options: FlowRules;
  readonly timeoutMs: number;
  readonly limits: RunLimits;
  /** What is likely to be a mistake, and no error. */
  readonly warnings: readonly string[];
};

/** What holds for the state of a flow, without its type. */
export type FlowRules = Pick<FlowOptions<Json>, "onConflict" | "description"> & {
  readonly state?: Schema | undefined;
  readonly initial?: JsonObject | undefined;
  readonly reducers?: Readonly<Record<string, Reduce>> | undefined;
  readonly output?:
    | ((ended: { readonly state: JsonObject; readonly last: Json }) => Json)
    | undefined;
};

/** Makes one value of two. */
type Reduce = (
  current: Json | undefined,
  draft: Json | undefined,
  base: Json | undefined,
) => Json | undefined;

/** Steps by name, in the order of their definition. */
export type FlowSteps<State = never> = { readonly [name: string]: FlowStep<State> };

/** Everything that can be listened to: steps, and labels of routers. A router itself is no event: its labels are. */
export type EventsOf<Steps> = {
  [Name in keyof Steps]: Steps[Name] extends FlowStep<never, string, infer Label>
    ? [Label] extends [never]
      ? Name
      : Label
    : never;
}[keyof Steps];

/** Refuses steps that listen to what no step of the flow is called or emits. */
export type Connected<Steps> = {
  readonly [Name in keyof Steps]: Steps[Name] extends FlowStep<never, infer On>
    ? [On] extends [EventsOf<Steps>]
      ? unknown
      : { readonly "listens to what no step is called or emits": Exclude<On, EventsOf<Steps>> }
    : unknown;
};

/** Most calls of a step that does not say otherwise. */
export const DEFAULT_CALLS = 100;

const DEFAULT_TIMEOUT_MS = 3_600_000;

/** @throws BosunError `flow/invalid`, with the step's name; `crew/not-built` for an option that this version does not have yet. */
export function defineFlow<State, const Steps extends FlowSteps>(
  name: string,
  options: FlowOptions<State>,
  steps: Steps,
): Flow<Steps> {
  const where = `flow "${name}"`;
  const wrong = isName(name);
  if (wrong !== undefined)
    throw new BosunError("flow/invalid", `${where}: its name must be ${wrong}`);
  checkOptions(where, options, KNOWN);
  checkGraph(where, steps, Object.keys(options.reducers ?? {}));
  checkCrews(where, steps);
  const { timeoutMs = DEFAULT_TIMEOUT_MS, limits = {} } = options;
  return {
    type: "flow",
    name,
    steps,
    options: options as unknown as FlowRules, // `as`: the state is what its schema lets through, which the compiler has seen
    timeoutMs,
    limits,
    warnings: warningsOf(steps),
  };
}

/** Plans, pictures and what a resume compares know a crew by its name. */
function checkCrews(where: string, steps: FlowSteps): void {
  const parts = new Map<string, string>();
  for (const [step, { options }] of Object.entries(steps)) {
    for (const crew of options.crews ?? []) {
      const own = hashOf(fingerprintOf(crew));
      if ((parts.get(crew.name) ?? own) !== own)
        throw new BosunError(
          "flow/invalid",
          `${where}, step "${step}": its crew "${crew.name}" is not the one of that name that the flow has already. Give one of them another name`,
        );
      parts.set(crew.name, own);
    }
  }
}

const isFunction: Check = (value) => (typeof value === "function" ? undefined : "a function");

const isFunctions: Check = (value) =>
  typeof value === "object" &&
  value !== null &&
  Object.values(value).every((one) => typeof one === "function")
    ? undefined
    : "an object of functions by field";

const isObjectValue: Check = (value) =>
  (typeof value === "object" || typeof value === "function") && value !== null
    ? undefined
    : "a schema";

const isText: Check = (value) => (typeof value === "string" ? undefined : "a text");

const KNOWN: KnownOptions = {
  checks: {
    state: optional(isObjectValue),
    initial: optional((value) =>
      typeof value === "object" && value !== null ? undefined : "an object",
    ),
    reducers: optional(isFunctions),
    onConflict: optional(isFunction),
    output: optional(isFunction),
    timeoutMs: optional(isWhole(1)),
    limits: optional(isRunLimits),
    description: optional(isText),
  },
  notBuilt: ["memory", "persist"],
  code: "flow/invalid",
};
