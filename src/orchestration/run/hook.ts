// Calls hooks: as steps inside a run, so that a hook whose result was kept is not called again when the run is resumed.

import type { Clock } from "../../clock.ts";
import { BosunError, messageOf } from "../../error.ts";
import { isJson, isObject, type Json } from "../../json.ts";
import type { Path } from "../../inference/model/model.ts";
import type { Block, HookContext, HookName, Hooks, HookTypes } from "../crew/hook.ts";
import type { Durable } from "../durable/durable.ts";
import type { RunFact } from "./event.ts";
import { callUser } from "./user-code.ts";
import type { World } from "./world.ts";

/** Longest that a hook is waited for, in milliseconds. */
const HOOK_MS = 60_000;

/** What a hook came to. Plain JSON. */
export type HookOutcome =
  | { readonly type: "none" }
  | { readonly type: "change"; readonly value: Json }
  | { readonly type: "block"; readonly reason: string }
  | { readonly type: "failed"; readonly reason: string };

/**
 * Calls a hook of the crew, if it has it, and says in the log what it did.
 * @returns the field that it changes; undefined when it changes nothing.
 * @throws BosunError `hook/blocked` with its reason.
 */
export async function runHook<Name extends HookName>(
  d: Durable,
  world: World,
  at: { readonly hook: Name; readonly path: Path },
  subject: HookTypes[Name]["subject"],
): Promise<Json | undefined> {
  const { hook: name, path } = at;
  const { crew, log } = world.runOf(d.runId);
  const hook = crew.hooks[name];
  if (hook === undefined) return undefined;
  const outcome = await d.step([...path, name].join("/"), (step) =>
    callHook(name, hook, { subject, clock: world.clock, runId: d.rootId, signal: step.signal }),
  );
  const fact = factOf(name, outcome);
  if (fact) log.emit(path, fact);
  return changeOf(name, outcome);
}

/** What an outcome changes. @throws BosunError `hook/blocked`. */
export function changeOf(name: HookName, outcome: HookOutcome): Json | undefined {
  if (outcome.type === "change") return outcome.value;
  if (outcome.type !== "block") return undefined;
  throw new BosunError("hook/blocked", `the hook ${name} blocked: ${outcome.reason}`);
}

/** The event of an outcome; undefined when there is nothing to tell. */
export function factOf(hook: HookName, outcome: HookOutcome): RunFact | undefined {
  switch (outcome.type) {
    case "none":
      return undefined;
    case "change":
      return { type: "hook-end", hook, status: "changed" };
    case "block":
      return { type: "hook-end", hook, status: "blocked", reason: outcome.reason };
    case "failed":
      return { type: "hook-end", hook, status: "failed", reason: outcome.reason };
    default:
      return outcome satisfies never;
  }
}

type Called = HookContext & { readonly subject: unknown; readonly clock: Clock };

/** Calls one hook. @throws only the reason of the signal. */
export async function callHook<Name extends HookName>(
  name: Name,
  hook: NonNullable<Hooks[Name]>,
  { subject, clock, runId, signal }: Called,
): Promise<HookOutcome> {
  const isFunction = typeof hook === "function";
  const fn = (isFunction ? hook : hook.run) as (...args: readonly unknown[]) => unknown; // `as`: the caller's word for its subject
  const isClosed = !isFunction && hook.failClosed === true;
  const expired = (): BosunError =>
    new BosunError("run/timed-out", `the hook ${name} gave nothing within ${HOOK_MS} ms`);
  using deadline = clock.deadline(HOOK_MS, signal, expired);
  try {
    // A copy: what a hook changes it returns, or a resumed run could not do the same again.
    const args = [structuredClone(subject), { runId, signal: deadline.signal }];
    const returned = await callUser(fn, args, { clock, signal: deadline.signal });
    const outcome = readOutcome(name, returned);
    return outcome.type === "failed" && isClosed ? { ...outcome, type: "block" } : outcome;
  } catch (error) {
    signal.throwIfAborted();
    const reason = deadline.expired ? messageOf(error) : `it threw: ${messageOf(error)}`;
    return { type: isClosed ? "block" : "failed", reason };
  }
}

/** The one field that each hook may change. */
const FIELDS: Readonly<Partial<Record<HookName, string>>> = {
  beforeKickoff: "inputs",
  afterKickoff: "raw",
  beforeModelCall: "messages",
  afterModelCall: "text",
  beforeToolCall: "arguments",
  afterToolCall: "content",
};
const TEXTS: ReadonlySet<string> = new Set(["raw", "text", "content"]);

/** What was returned; "failed" when it is neither a change nor a block. */
function readOutcome(name: HookName, returned: unknown): HookOutcome {
  if (returned === undefined || returned === null) return { type: "none" };
  const field = FIELDS[name];
  if (isBlock(returned)) return { type: "block", reason: returned.block };
  const value = isObject(returned) && field !== undefined ? returned[field] : undefined;
  if (isJson(value) && isRight(field ?? "", value)) return { type: "change", value };
  const change = field === undefined ? "" : `{ ${field} }, `;
  return { type: "failed", reason: `it must return ${change}{ block: reason } or nothing` };
}

function isRight(field: string, value: Json): boolean {
  if (TEXTS.has(field)) return typeof value === "string";
  if (field === "messages") return Array.isArray(value) && value.every(isMessage);
  return field === "arguments" || isObject(value);
}

function isMessage(value: unknown): boolean {
  return (
    isObject(value) && typeof value["role"] === "string" && typeof value["content"] === "string"
  );
}

function isBlock(returned: unknown): returned is Block {
  return isObject(returned) && typeof returned["block"] === "string";
}
