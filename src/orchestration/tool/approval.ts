// What a person is asked and may answer. Plain data; run/ask.ts waits for it, the composition root brings it to somebody.

import { isJson, isObject, type Json, type JsonObject } from "../../json.ts";

/** How long a question waits for a person, and what holds when nobody answers. */
export type AskLimits = {
  /** In milliseconds. Default 3,600,000. Time-outs of the task, the agent and the crew stand still meanwhile. */
  readonly timeoutMs?: number | undefined;
  /** Default "reject". */
  readonly onTimeout?: "approve" | "reject" | undefined;
};

/**
 * When a tool's calls wait for a person: all of them, or those whose arguments the function says true for. A function that throws
 * asks: in doubt a person decides.
 */
export type Approval<Args = never> =
  | true
  | ((args: Args) => boolean)
  | (AskLimits & { readonly when?: ((args: Args) => boolean) | undefined });

/** What a person says: approve, approve something else instead (a text, or a tool's arguments), or reject with a reason. */
export type Decision =
  | { readonly ok: true; readonly edit?: Json | undefined }
  | { readonly ok: false; readonly reason: string };

/** Nobody can be asked: the question's own default holds at once, and this is why. */
export type Nobody = { readonly nobody: string };

/**
 * What a person is asked: whether an agent's answer to a task is good, whether it may call a tool, or what a step of a flow wants to know,
 * which is both the `agent` and the `task` then. `name` is what an answer is given under; unique in its run.
 */
export type Asked = {
  readonly name: string;
  readonly agent: string;
  readonly task: string;
  readonly timeoutMs: number;
  readonly onTimeout: "approve" | "reject";
  /** What is wrong with what was written instead, when it is asked again. */
  readonly issues?: readonly string[] | undefined;
} & (
  | { readonly subject: "answer" | "question"; readonly text: string }
  | { readonly subject: "tool"; readonly tool: string; readonly arguments: JsonObject }
);

/** A question of a run. */
export type Question = Asked & { readonly runId: string };

/** Default of `timeoutMs`: one hour. */
export const DEFAULT_ASK_MS = 3_600_000;

/** An answer as it came from outside; undefined when it is none. */
export function readDecision(value: unknown): Decision | Nobody | undefined {
  if (!isObject(value)) return undefined;
  const { ok, edit, reason, nobody } = value;
  if (typeof nobody === "string") return { nobody: nobody.slice(0, MAX_REASON) };
  if (ok === true && edit === undefined) return { ok };
  if (ok === true && isJson(edit)) return { ok, edit };
  if (ok !== false) return undefined;
  const isGiven = typeof reason === "string" && reason.trim() !== "";
  return { ok, reason: isGiven ? reason.slice(0, MAX_REASON) : NO_REASON };
}

/** Most characters of a reason: a model reads it. */
const MAX_REASON = 4_000;

const NO_REASON = "no reason was given";

/** True for what may stand as a tool's `approval`. */
export function isApproval(value: unknown): boolean {
  if (typeof value === "boolean" || typeof value === "function") return true;
  if (!isObject(value)) return false;
  const { when, timeoutMs, onTimeout, ...others } = value;
  return (
    Object.keys(others).length === 0 &&
    (when === undefined || typeof when === "function") &&
    (timeoutMs === undefined || (Number.isInteger(timeoutMs) && Number(timeoutMs) > 0)) &&
    (onTimeout === undefined || onTimeout === "approve" || onTimeout === "reject")
  );
}
