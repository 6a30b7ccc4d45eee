// Hooks: functions of the user that see, change or block what a run does. run/hook.ts calls them.

import type { Message, ToolCall } from "../../inference/model/message.ts";
import type { Purpose } from "../../inference/model/model.ts";
import type { Usage } from "../../inference/model/usage.ts";
import { isObject, type Json } from "../../json.ts";
import type { Inputs } from "./input.ts";
import type { Check } from "./option.ts";

/** Stops the run with the error `hook/blocked` and this reason; around a tool call, that call alone. */
export type Block = { readonly block: string };

/** What a hook gets besides its subject. */
export type HookContext = { readonly runId: string; readonly signal: AbortSignal };

type HookFunction<Subject, Change> = (
  subject: Subject,
  context: HookContext,
) => Change | Block | undefined | void | Promise<Change | Block | undefined | void>;

/**
 * A hook: its function, or with `failClosed: true` one whose throwing blocks. Otherwise one that throws, or takes over a minute,
 * is told in an event (`hook-end`) and the run goes on as if it had returned nothing. Awaited. Called again when a run is resumed
 * before its result was kept.
 */
export type Hook<Subject, Change = never> =
  | HookFunction<Subject, Change>
  | { readonly run: HookFunction<Subject, Change>; readonly failClosed?: boolean | undefined };

/** Where a hook stands. */
export type At = { readonly task: string; readonly agent: string };

/** What a model call is about to send. */
export type BeforeModelCall = At & {
  readonly purpose: Purpose;
  readonly messages: readonly Message[];
};
/** What a model call brought. */
export type AfterModelCall = At & {
  readonly purpose: Purpose;
  readonly text: string;
  readonly calls: readonly ToolCall[];
  readonly usage: Usage;
};
/** What a tool is about to get: the model's own text. Also a delegation, under the name of its tool. */
export type BeforeToolCall = At & { readonly tool: string; readonly arguments: string };
/** What a tool brought, as the model will read it; `arguments` as it got them. */
export type AfterToolCall = BeforeToolCall & {
  readonly status: "done" | "failed";
  readonly content: string;
};
/** One turn of an agent: what it said and which tools it asked for. */
export type Step = At & {
  readonly turn: number;
  readonly text: string;
  readonly calls: readonly ToolCall[];
};
/** How a task ended. */
export type TaskEnded = At & { readonly status: string; readonly raw: string };

/** What each hook sees, and what it may return instead. */
export type HookTypes = {
  /** May change the inputs, before they are checked and before anything is paid for. */
  beforeKickoff: {
    readonly subject: { readonly inputs: Inputs };
    readonly change: { readonly inputs: Inputs };
  };
  /** May change the run's final text. Not called when the run was cancelled or ran out of time. */
  afterKickoff: {
    readonly subject: {
      readonly inputs: Inputs;
      readonly status: string;
      readonly raw: string;
      readonly tasks: Readonly<Record<string, { readonly status: string; readonly raw: string }>>;
    };
    readonly change: { readonly raw: string };
  };
  /** May change the messages; what they become must fit the context. */
  beforeModelCall: {
    readonly subject: BeforeModelCall;
    readonly change: { readonly messages: readonly Message[] };
  };
  /** May change the text. */
  afterModelCall: { readonly subject: AfterModelCall; readonly change: { readonly text: string } };
  /** May change the arguments. A block refuses the call: the model reads why and goes on. */
  beforeToolCall: {
    readonly subject: BeforeToolCall;
    readonly change: { readonly arguments: Json };
  };
  /** May change what the model reads. A block takes the result away: the model reads why and goes on. */
  afterToolCall: { readonly subject: AfterToolCall; readonly change: { readonly content: string } };
  /** After each turn of an agent. */
  onStep: { readonly subject: Step; readonly change: never };
  /** After each task, however it ended. Not called for tasks that a cancelled run or one without time left behind. */
  onTask: { readonly subject: TaskEnded; readonly change: never };
};

/** The hooks of a crew. */
export type Hooks = {
  readonly [Name in keyof HookTypes]?:
    | Hook<HookTypes[Name]["subject"], HookTypes[Name]["change"]>
    | undefined;
};

export type HookName = keyof Hooks;

const NAMES: readonly string[] = [
  "beforeKickoff",
  "afterKickoff",
  "beforeModelCall",
  "afterModelCall",
  "beforeToolCall",
  "afterToolCall",
  "onStep",
  "onTask",
] satisfies readonly HookName[];

export const isHooks: Check = (value) =>
  isObject(value) &&
  Object.entries(value).every(([name, hook]) => NAMES.includes(name) && isHook(hook))
    ? undefined
    : `functions, or { run, failClosed }, by name: ${NAMES.join(", ")}`;

function isHook(hook: unknown): boolean {
  if (hook === undefined || typeof hook === "function") return true;
  if (!isObject(hook)) return false;
  const { run, failClosed, ...others } = hook;
  const isKnown = Object.keys(others).length === 0;
  return (
    isKnown &&
    typeof run === "function" &&
    (failClosed === undefined || typeof failClosed === "boolean")
  );
}
