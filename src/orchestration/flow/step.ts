// The steps of a flow, as a user writes them: start, listen, router. Plain data with the user's functions in it.

import type { BosunError } from "../../error.ts";
import type { Json, JsonObject } from "../../json.ts";
import type { OutputOf, Schema } from "../../schema.ts";
import type { Crew } from "../crew/crew.ts";
import type { NamesOf } from "../crew/crew-input.ts";
import type { InputsOf } from "../crew/input.ts";
import type { StepOptions as DurableStepOptions } from "../durable/durable.ts";
import type { AskLimits, Decision } from "../tool/approval.ts";
import type { Trigger } from "./trigger.ts";

/** Options of a crew's run inside a flow. */
export type CrewCall = {
  /** Names the call among those of its step. Default: the crew's name, and a number from the second one on. */
  readonly key?: string | undefined;
};

/** What `run` gets after the crew: its inputs, typed by its placeholders. A crew whose texts the compiler does not know takes any. */
export type CrewArguments<C extends Crew> =
  string extends NamesOf<C>
    ? [inputs?: JsonObject, options?: CrewCall]
    : [NamesOf<C>] extends [never]
      ? [inputs?: InputsOf<never>, options?: CrewCall]
      : [inputs: InputsOf<NamesOf<C>>, options?: CrewCall];

/** What a crew's run inside a flow came to. */
export type CrewResult<C extends Crew = Crew> = {
  readonly status: "done" | "partial";
  readonly raw: string;
  /** What its tasks came to, by name: their text, or what their schema let through. */
  readonly tasks: { readonly [Name in C["tasks"][number]["name"]]: Json };
};

/**
 * What a handler gets. A handler is executed again when its run goes on after a crash, up to where it was: what it awaits must be one
 * of these functions, each of which gives what it gave before.
 */
export type FlowContext<State = Json, Input = Json> = {
  /** A draft of the flow's state as it was when the step began: what is changed here is the flow's when the step ends. */
  readonly state: State;
  /** What the event that let the step run came to, as a copy of its own; the kickoff's inputs for a start. */
  readonly input: Input;
  /** What each event came to that let it run, by name: all branches of an `and`. */
  readonly inputs: Readonly<Record<string, Json>>;
  readonly runId: string;
  /** Which call of this step in this run it is, from 1: a loop calls it again. */
  readonly call: number;
  /** Which try of this call it is, from 1: a failed one is followed by another, or by the step's onError. */
  readonly attempt: number;
  /** Aborts when the run is cancelled, out of time, or another step has failed. */
  readonly signal: AbortSignal;
  /** Runs a crew as a part of this run. @throws BosunError as its kickoff would. */
  readonly run: <C extends Crew>(crew: C, ...call: CrewArguments<C>) => Promise<CrewResult<C>>;
  /** Asks a person. The process may stop meanwhile: whoever goes on with the run has the answer. */
  readonly ask: (question: string, limits?: AskLimits) => Promise<Decision>;
  /**
   * What somebody gives the run under this name (`bosun runs signal ID NAME '{…}'`), also before it was waited for; `otherwise`, null
   * where that is not given, when nothing came in time. A name that is waited for again is `NAME~2`, and so on.
   */
  readonly waitFor: <T extends Json = null>(
    event: string,
    options: { readonly timeoutMs: number; readonly otherwise?: T },
  ) => Promise<Json | T>;
  /** Waits, also when the process is away meanwhile. */
  readonly sleep: (key: string, ms: number) => Promise<void>;
  /** Does `work` once, and keeps what it came to: for everything that is outside of the run. The key is unique in this step. */
  readonly step: <T extends Json | undefined | void>(
    key: string,
    work: (context: { readonly signal: AbortSignal; readonly attempt: number }) => Promise<T> | T,
    options?: DurableStepOptions,
  ) => Promise<T>;
};

/** Options of a step. */
export type StepOptions<State, Input, Output, Shape extends Schema | undefined> = {
  /** What its input must be; its handler's `input` has this type. A wrong one fails the step. */
  readonly input?: Shape;
  /** The fields of the state that it changes, and no others: two steps that begin together may not have one in common. Default: any. */
  readonly writes?: readonly (keyof State & string)[] | undefined;
  /** Most calls in one run. Default 100. */
  readonly maxCalls?: number | undefined;
  /** Tries after the first one failed. Default 0. */
  readonly retries?: number | undefined;
  /** Milliseconds of one try, waits for people not counted. Default: the flow's. */
  readonly timeoutMs?: number | undefined;
  /** Takes the place of what the step would have come to, when its last try has failed. Without it the flow fails. */
  readonly onError?:
    | ((error: BosunError, context: FlowContext<State, Input>) => Output | Promise<Output>)
    | undefined;
  /** For pictures. */
  readonly description?: string | undefined;
  /** Crews that it runs, for plans and pictures: a handler's code cannot be looked into. */
  readonly crews?: readonly Crew[] | undefined;
};

/** A label, or one with what its listeners get. */
export type Emission<Label extends string = string> =
  | Label
  | { readonly label: Label; readonly value: Json }
  | readonly (Label | { readonly label: Label; readonly value: Json })[];

/** A step. `Name` = what it listens to, `Label` = what it emits when it is a router; they are for the compiler. */
export type FlowStep<
  State = never,
  Name extends string = string,
  Label extends string = string,
  Output = unknown,
> = {
  readonly type: "step";
  readonly kind: "start" | "listen" | "router";
  readonly on: Trigger<Name> | undefined;
  readonly labels: readonly Label[];
  readonly run: (context: FlowContext<State, never>) => Output | Promise<Output>;
  readonly options: StepOptions<State, never, Output, Schema | undefined>;
};

/** A handler's input: as its schema says. */
type InputOf<Shape> = Shape extends Schema ? OutputOf<Shape> : Json;

/** What a handler may return. */
type Result = Json | undefined | void;

/** A step that runs when the flow is kicked off. All starts run at once. */
export function start<
  State,
  const Output extends Result,
  Shape extends Schema | undefined = undefined,
>(
  run: (context: FlowContext<State, InputOf<Shape>>) => Output | Promise<Output>,
  options: StepOptions<State, InputOf<Shape>, Output, Shape> = {},
): FlowStep<State, never, never, Output> {
  return { type: "step", kind: "start", on: undefined, labels: [], run, options };
}

/** A step that runs when what it listens to has happened. */
export function listen<
  State,
  const Name extends string,
  const Output extends Result,
  Shape extends Schema | undefined = undefined,
>(
  on: Trigger<Name>,
  run: (context: FlowContext<State, InputOf<Shape>>) => Output | Promise<Output>,
  options: StepOptions<State, InputOf<Shape>, Output, Shape> = {},
): FlowStep<State, Name, never, Output> {
  return { type: "step", kind: "listen", on, labels: [], run, options };
}

/**
 * A step that decides what happens next: it returns one of its labels, several, or nothing, which ends its branch. What listens to a
 * label gets the router's own input, unless it returns `{ label, value }`.
 */
export function router<
  State,
  const Name extends string,
  const Label extends string,
  Shape extends Schema | undefined = undefined,
>(
  on: Trigger<Name>,
  labels: readonly Label[],
  run: (
    context: FlowContext<State, InputOf<Shape>>,
  ) =>
    | Emission<NoInfer<Label>>
    | undefined
    | void
    | Promise<Emission<NoInfer<Label>> | undefined | void>,
  options: StepOptions<
    State,
    InputOf<Shape>,
    Emission<NoInfer<Label>> | undefined | void,
    Shape
  > = {},
): FlowStep<State, Name, Label, Emission<NoInfer<Label>> | undefined | void> {
  return { type: "step", kind: "router", on, labels, run, options };
}
