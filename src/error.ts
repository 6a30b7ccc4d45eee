// The one error class, and every code that it can carry.
//
// Tell errors apart by `code`, never by message or class: a code survives JSON, a journal and a second copy of the package.

import { type Json, type JsonObject, isObject } from "./json.ts";

/** Every failure that Bosun can raise. Add a code here before you throw it. */
export type ErrorCode =
  // What the user wrote
  | "crew/cycle" // tasks wait for each other
  | "crew/duplicate-name" // two tasks or agents with one name
  | "crew/unknown-agent" // a task names an agent that the crew does not have
  | "crew/unknown-task" // a context names a task that the crew does not have
  | "crew/no-agent" // a task without an agent
  | "crew/input-missing" // a {placeholder} without an input
  | "crew/invalid" // any other definition that cannot run; the message names the field
  | "crew/not-built" // an option that this version does not have yet
  | "schema/no-converter" // a schema that cannot be turned into JSON Schema
  | "schema/invalid" // a JSON Schema that cannot be used
  // A run
  | "run/cancelled"
  | "run/timed-out"
  | "run/failed"
  | "run/over-budget" // a call was not made, because it could have passed a limit of the run
  | "run/unknown" // no run with this id in the store
  | "run/suspended" // its process gave it back: it can be resumed
  | "run/lease-lost" // another process has taken it
  | "run/owned" // another process executes it
  | "run/ended" // it has ended, and there is nothing to resume
  | "run/version" // this process has no flow of the run's name and version
  | "run/changed" // the crew is another one than that with which the run began
  | "run/queue-full"
  | "run/step-timed-out"
  | "flow/invalid" // a flow that cannot work; the message names the step
  | "flow/input" // what a step got is not what its schema asks for
  | "flow/state" // the state is not what its schema asks for, or no JSON
  | "flow/label" // a router returned a label that is none of its own
  | "flow/loop" // a step was called more often than it may
  | "flow/conflict" // two steps that ran at once have changed one field of the state
  | "run/nondeterministic" // a body that asks for other things when it is replayed
  | "durable/value" // a value that is no JSON
  | "task/timed-out"
  | "task/cancelled"
  | "task/guardrail" // a guardrail refuses the answer, also after its retries
  | "task/guardrail-failed" // a guardrail that throws, or a judge that gives no verdict
  | "task/condition-failed" // `when` threw
  | "task/rejected" // a person rejects the answer, also after its retries
  | "task/unanswered" // nobody answered a question in time, and its default is to reject
  | "task/output-file" // the answer cannot be written to its file
  | "task/output-invalid" // the answer does not fit the task's schema, also after repair
  | "agent/iterations" // no answer within maxIterations
  | "agent/delegation" // work that cannot be given away: nobody of that name, no delegation left; the model reads it
  | "hook/blocked" // a hook stopped it; the message has its reason
  | "agent/empty-answer" // the model ended without text and without a tool call
  // Tools: most go back to the model as a result that it can mend; a run fails by them only when a tool says so
  | "tool/invalid" // the definition
  | "tool/unknown"
  | "tool/arguments"
  | "tool/failed"
  | "tool/timed-out"
  | "tool/limit" // maxUses reached
  | "tool/refused" // a path outside the jail, a private address
  // Models
  | "model/unknown" // an alias that nobody defined
  | "model/not-found" // the endpoint does not serve this model
  | "model/unreachable" // no connection
  | "model/protocol" // an answer that is not the OpenAI protocol
  | "model/unauthorized"
  | "model/bad-request"
  | "model/context-length"
  | "model/truncated" // the server cut the prompt in silence and answered to the rest
  | "model/rate-limited"
  | "model/overloaded"
  | "model/out-of-memory" // the GPU, or the KV cache, of an endpoint is full
  | "model/server"
  | "model/timed-out"
  | "model/cut" // a stream that ended without a finish
  | "model/cancelled"
  // GPUs and what runs on them
  | "worker/out-of-memory" // the system killed an engine, or the worker that it runs on
  | "fleet/unknown-gpu" // no GPU of this name in the catalogue
  | "fleet/unknown-model" // no model of this name in the catalogue
  | "fleet/invalid" // a size or a config.json that cannot be computed with; the message names the field
  // The surroundings
  | "config/invalid"
  | "store/failed"
  | "server/failed"
  | "server/bad-request" // a request that our own HTTP surface cannot read
  | "server/unauthorized" // without the token
  | "server/forbidden" // a Host or Origin that may not ask
  | "server/not-found" // no such route
  | "server/too-large" // a body over the limit
  | "server/closing" // it lets its open requests end and takes no others
  | "usage"; // a command line that cannot be understood

/** What travels with an error besides its message. */
export type ErrorOptions = {
  /** True when the same call may succeed later without any change. */
  readonly retryable?: boolean;
  /** Facts for programs: numbers, names, partial text. Plain JSON. */
  readonly details?: JsonObject;
  readonly cause?: unknown;
};

/** The JSON form of an error, as journals, events and HTTP bodies carry it. */
export type ErrorData = {
  readonly code: ErrorCode;
  readonly message: string;
  readonly retryable: boolean;
  readonly details?: JsonObject | undefined;
};

/** The one error class of Bosun. The message says what happened, where, and what to do. */
export class BosunError extends Error {
  override readonly name = "BosunError";
  readonly code: ErrorCode;
  readonly retryable: boolean;
  readonly details: JsonObject | undefined;
  /** The result of a run that did not end well, with what was finished; read it with `partialResult`. */
  partial: unknown;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retryable = options.retryable ?? false;
    this.details = options.details;
  }

  toJSON(): ErrorData {
    const { code, message, retryable, details } = this;
    return { code, message, retryable, ...(details ? { details } : {}) };
  }
}

/** True for a BosunError, also for one of another copy of this package. */
export function isBosunError(error: unknown): error is BosunError {
  return (
    error instanceof BosunError ||
    (error instanceof Error && error.name === "BosunError" && "code" in error)
  );
}

/** `error` itself when it is a BosunError, else one with `code` that keeps it as the cause. */
export function toBosunError(error: unknown, code: ErrorCode, where: string): BosunError {
  if (isBosunError(error)) return error;
  return new BosunError(code, `${where}: ${messageOf(error)}`, { cause: error });
}

/** The error that `data` was made from, without its cause and stack. */
export function fromErrorData(data: ErrorData): BosunError {
  const { code, message, retryable, details } = data;
  return new BosunError(code, message, { retryable, ...(details ? { details } : {}) });
}

/** The message of anything that was thrown; never throws itself. */
export function messageOf(error: unknown): string {
  try {
    if (error === undefined || error === null) return "it threw no error";
    if (error instanceof Error) return error.message || error.name;
    return typeof error === "string" ? error : (JSON.stringify(error) ?? `a ${typeof error}`);
  } catch {
    return "it threw something that has no text"; // a BigInt, a cycle, a message that throws
  }
}

/** One field of an error's details, when it has it. */
export function detailOf(error: unknown, key: string): Json | undefined {
  const details = isBosunError(error) ? error.details : undefined;
  return isObject(details) ? details[key] : undefined;
}
