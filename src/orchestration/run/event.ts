// RunEvent: the one type that flows up. The engine emits it; the store, the command line, the dashboard and every report fold it.
//
// Invariants (DESIGN §10)
//   R1  An event is yielded only after what it reports has happened.
//   R2  Ready tasks start in plan order.
//   R3  Nothing is yielded after run-end.
//   R4  The same journal order gives the same events, apart from times.

import type { ErrorData } from "../../error.ts";
import type { Json, JsonObject } from "../../json.ts";
import type { CallTimings, Finish, Path, Purpose } from "../../inference/model/model.ts";
import type { CallCost } from "../../inference/model/price.ts";
import type { Usage } from "../../inference/model/usage.ts";
import type { Asked } from "../tool/approval.ts";
import type { HookName } from "../crew/hook.ts";
import type { Range } from "./range.ts";

/** How a task ended. "partial": its text so far was taken as its output. "skipped": its condition said that it is not needed. */
export type TaskStatus = "done" | "partial" | "failed" | "cancelled" | "timed-out" | "skipped";

/** How a run ended. `done` and `partial` return; every other status throws. */
export type RunStatus = "done" | "partial" | "failed" | "cancelled" | "timed-out" | "over-budget";

/** One part of a prompt, with its estimated tokens. */
export type PromptPart = { readonly part: string; readonly tokens: number; readonly text: string };

/** What happened. Names are noun-verb. */
export type RunFact =
  | ({ readonly type: "run-start" } & RunStart)
  | ({ readonly type: "run-end" } & RunEnd)
  /** The run of a flow begins. It ends with run-end. */
  | {
      readonly type: "flow-start";
      readonly flow: string;
      readonly inputs: JsonObject;
      readonly steps: readonly StepFact[];
    }
  /** A step of a flow begins. `call` = how often it has been begun in this run, further tries not counted. */
  | { readonly type: "step-start"; readonly step: string; readonly call: number }
  | {
      readonly type: "step-retry";
      readonly step: string;
      readonly call: number;
      /** What follows: another try, or the step's onError. */
      readonly by: "retry" | "onError";
      readonly error: ErrorData;
    }
  | ({ readonly type: "step-end" } & StepEnd)
  /** A crew's run inside a step of a flow, which the path tells. */
  | ({ readonly type: "crew-start" } & RunStart)
  | ({ readonly type: "crew-end" } & RunEnd)
  | { readonly type: "task-start"; readonly task: string; readonly agent: string }
  | { readonly type: "task-retry"; readonly task: string; readonly error: ErrorData }
  | {
      readonly type: "context-trim";
      readonly part: string;
      /** Estimated. */
      readonly tokensBefore: number;
      readonly tokensAfter: number;
      /** Its middle left out, summarised by a model, or replaced by what is found in it. Absent in events of earlier versions: "cut". */
      readonly how?: "cut" | "summary" | "retrieval" | undefined;
      /** Why no model has summarised it, or not as far as it must be: then it was cut. */
      readonly failure?: ErrorData | undefined;
    }
  /** What one piece of a task's work has read of an input that was too long to be pasted; characters from, included, to, excluded. */
  | {
      readonly type: "input-read";
      readonly agent: string;
      readonly input: string;
      /** Of the whole input, estimated. */
      readonly tokens: number;
      readonly characters: number;
      readonly ranges: readonly Range[];
    }
  | { readonly type: "model-prompt"; readonly agent: string; readonly parts: readonly PromptPart[] }
  | { readonly type: "model-queued"; readonly agent: string; readonly reason: string }
  | {
      readonly type: "model-start";
      readonly agent: string;
      readonly endpoint: string;
      readonly model: string;
      readonly purpose: Purpose;
      readonly call: number;
    }
  | {
      readonly type: "model-retry";
      readonly agent: string;
      readonly call: number;
      readonly afterMs: number;
      readonly code: string;
      readonly message: string;
      readonly usage?: Usage | undefined;
      readonly cost?: CallCost | undefined;
    }
  | {
      readonly type: "model-fallback";
      readonly agent: string;
      readonly from: string;
      readonly to: string;
      readonly code: string;
      readonly usage?: Usage | undefined;
      readonly cost?: CallCost | undefined;
    }
  | {
      readonly type: "model-delta";
      readonly agent: string;
      readonly channel: "text" | "reasoning";
      readonly text: string;
    }
  | ({
      readonly type: "model-end";
      readonly agent: string;
      readonly purpose: Purpose;
      readonly usage: Usage;
      /** Absent where the model has no price. */
      readonly cost?: CallCost | undefined;
    } & ModelOutcome)
  | {
      readonly type: "tool-start";
      readonly agent: string;
      readonly tool: string;
      readonly arguments: string;
    }
  | {
      readonly type: "tool-end";
      readonly agent: string;
      readonly tool: string;
      readonly status: "done" | "failed";
      readonly tokens: number;
      readonly truncated: boolean;
      readonly cached: boolean;
      /** What the model reads, its first 2,000 characters. */
      readonly content: string;
      readonly error?: ErrorData | undefined;
    }
  /** An agent gives away a piece of its work. `id` is unique in its task's execution. */
  | {
      readonly type: "delegation-start";
      readonly agent: string;
      readonly to: string;
      readonly id: string;
      readonly kind: DelegationKind;
      readonly text: string;
    }
  | {
      readonly type: "delegation-end";
      readonly agent: string;
      readonly to: string;
      readonly id: string;
      readonly status: "done" | "failed" | "cancelled";
      /** The result, or the text that there was. */
      readonly raw: string;
      readonly error?: ErrorData | undefined;
    }
  /** `guardrail` = its place among the task's, from 1. */
  | {
      readonly type: "guardrail-end";
      readonly task: string;
      readonly agent: string;
      readonly guardrail: number;
      readonly status: "passed" | "changed" | "refused" | "failed";
      readonly reason?: string | undefined;
    }
  /** A person is asked; the answer is given under the question's name. */
  | ({ readonly type: "ask-start" } & Asked)
  | {
      readonly type: "ask-end";
      readonly name: string;
      readonly agent: string;
      /** "cancelled" = the run was aborted while it waited. */
      readonly answer: "approved" | "edited" | "rejected" | "cancelled";
      /** "timeout" = nobody answered in time, "nobody" = nobody could be asked: the question's own default holds. */
      readonly by: "person" | "timeout" | "nobody";
      readonly reason?: string | undefined;
      /** What the person wrote instead. */
      readonly edit?: Json | undefined;
    }
  /** Only for a hook that changed, blocked or failed. */
  | {
      readonly type: "hook-end";
      readonly hook: HookName;
      readonly status: "changed" | "blocked" | "failed";
      readonly reason?: string | undefined;
    }
  /** The plan that was made before the first task, by task; a run goes on without one that failed. */
  | {
      readonly type: "plan-end";
      readonly status: "done" | "failed";
      readonly plans: Readonly<Record<string, string>>;
      readonly error?: ErrorData | undefined;
    }
  | { readonly type: "file-write"; readonly task: string; readonly file: string }
  | {
      readonly type: "task-end";
      readonly task: string;
      readonly agent: string;
      readonly status: TaskStatus;
      readonly raw: string;
      /** Why the answer ended; "length" = it was cut at maxTokens. Absent without an answer. */
      readonly finish?: Finish["unified"] | undefined;
      /** The task that was done in its place. */
      readonly standIn?: string | undefined;
      readonly error?: ErrorData | undefined;
    };

/** A crew's run begins. */
export type RunStart = {
  readonly crew: string;
  readonly process: string;
  readonly inputs: JsonObject;
  readonly tasks: readonly {
    readonly name: string;
    readonly agent: string;
    readonly needs: readonly string[];
  }[];
  readonly width: number;
  /** The conversation that this run belongs to. */
  readonly session?: string | undefined;
};

/** The run of a crew or a flow has ended. */
export type RunEnd = {
  readonly status: RunStatus;
  readonly raw: string;
  readonly error?: ErrorData | undefined;
  /** Of a flow: what it came to, and its state. */
  readonly output?: Json | undefined;
  readonly state?: JsonObject | undefined;
};

/** A step of a flow. */
export type StepFact = {
  readonly name: string;
  readonly kind: "start" | "listen" | "router";
  /** What it listens to, as its user would write it; empty for a start. */
  readonly on: string;
};

/** How a call of a flow's step ended. */
export type StepEnd = {
  readonly step: string;
  readonly call: number;
  readonly status: "done" | "failed" | "cancelled";
  /** What it came to, as text: its first 2,000 characters. */
  readonly raw: string;
  /** Labels that a router has emitted. */
  readonly labels: readonly string[];
  /** Fields of the state that it has changed. */
  readonly changed: readonly string[];
  readonly error?: ErrorData | undefined;
};

/** Whether work is given away, a question asked, or a result sent back to whoever brought it. */
export type DelegationKind = "delegate" | "ask" | "send-back";

/** How one model call ended. */
export type ModelOutcome =
  | {
      readonly status: "done";
      readonly endpoint: string;
      readonly model: string;
      readonly finish: Finish;
      readonly timings: CallTimings;
      /** true: taken from the response cache, and nothing was paid. */
      readonly cached?: boolean | undefined;
    }
  | { readonly status: "failed" | "cancelled"; readonly error: ErrorData };

/**
 * A fact with its place. (runId, path, type, attempt, n) is its identity; `seq` counts the stored events of a run from 1; `at`
 * is the run's clock in ms; `replayed` events were stored by an earlier process, and every fold ignores them the second time.
 */
export type RunEvent = RunFact & {
  readonly runId: string;
  readonly path: Path;
  readonly attempt: number;
  readonly n: number;
  readonly seq: number;
  readonly at: number;
  readonly replayed: boolean;
};

/** A model-delta: never stored, merged with the one before when the reader is slow. */
export type RunDelta = Extract<RunEvent, { readonly type: "model-delta" }>;
