// The crew's hooks around one call of a tool or a coworker. A block is no error of the run: the model reads it and goes on.

import { isBosunError } from "../../error.ts";
import type { ToolCall } from "../../inference/model/message.ts";
import type { Path } from "../../inference/model/model.ts";
import type { Durable } from "../durable/durable.ts";
import { runHook } from "./hook.ts";
import type { World } from "./world.ts";

/** A call where it stands. */
export type AskedCall = {
  readonly call: ToolCall;
  readonly path: Path;
  readonly agent: string;
  readonly task: string;
};

/** A call after its hook: as it shall be made, or what the model reads instead. */
export type Hooked =
  | { readonly type: "call"; readonly call: ToolCall }
  | { readonly type: "blocked"; readonly content: string };

/** Lets the crew's hook see, change or block a call. */
export async function beforeCall(d: Durable, world: World, asked: AskedCall): Promise<Hooked> {
  const { call, path, agent, task } = asked;
  if (world.runOf(d.runId).crew.hooks.beforeToolCall === undefined) return { type: "call", call };
  const subject = { agent, task, tool: call.tool, arguments: call.arguments };
  try {
    const changed = await runHook(d, world, { hook: "beforeToolCall", path }, subject);
    if (changed === undefined) return { type: "call", call };
    const text = typeof changed === "string" ? changed : JSON.stringify(changed);
    return { type: "call", call: { ...call, arguments: text } };
  } catch (error) {
    return { type: "blocked", content: blockedText(error) };
  }
}

/** Lets the crew's hook see, change or withhold what a call came to. */
export async function afterCall<Outcome extends CallOutcome>(
  d: Durable,
  world: World,
  { call, path, agent, task }: AskedCall,
  outcome: Outcome,
): Promise<Outcome | CallOutcome> {
  if (world.runOf(d.runId).crew.hooks.afterToolCall === undefined) return outcome;
  const { type: status, content } = outcome;
  const subject = { agent, task, tool: call.tool, arguments: call.arguments, status, content };
  try {
    const changed = await runHook(d, world, { hook: "afterToolCall", path }, subject);
    return typeof changed === "string" ? { type: status, content: changed } : outcome;
  } catch (error) {
    return { type: "failed", content: blockedText(error) };
  }
}

/** What every call comes to: a tool's and a delegation's. */
export type CallOutcome = {
  readonly type: "done" | "failed";
  readonly content: string;
  readonly answer?: string | undefined;
};

/** A block is told to the model; anything else ends the run. */
function blockedText(error: unknown): string {
  if (!isBosunError(error) || error.code !== "hook/blocked") throw error;
  return `Error: ${error.message}. Do something else, or go on without it.`;
}
