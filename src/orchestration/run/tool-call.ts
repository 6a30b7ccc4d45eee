// One tool call inside a run: the person who is asked first, the step around the tool runner, and the facts about it.

import { until } from "../../clock.ts";
import { isBosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import type { ToolCall } from "../../inference/model/message.ts";
import type { Path } from "../../inference/model/model.ts";
import type { Durable } from "../durable/durable.ts";
import type { AskLimits } from "../tool/approval.ts";
import { readArguments } from "../tool/arguments.ts";
import type { ToolOutcome } from "../tool/run.ts";
import type { Tool } from "../tool/tool.ts";
import { askPerson } from "./ask.ts";
import { runHook } from "./hook.ts";
import type { World } from "./world.ts";

/** Most characters of a call's arguments that an event shows. */
const SHOWN_ARGUMENTS = 2_000;

/** A call where it stands. */
export type AskedCall = {
  readonly call: ToolCall;
  readonly path: Path;
  readonly agent: string;
  readonly task: string;
};

/** What the call came to. Rejects only when the run is aborted. */
export async function callTool(
  d: Durable,
  world: World,
  asked: AskedCall & { readonly tools: readonly Tool[] },
): Promise<ToolOutcome> {
  const { call, path, agent, tools } = asked;
  const { log } = world.runOf(d.rootId);
  const shown =
    call.arguments.length > SHOWN_ARGUMENTS
      ? `${call.arguments.slice(0, SHOWN_ARGUMENTS)}…`
      : call.arguments;
  log.emit(path, { type: "tool-start", agent, tool: call.tool, arguments: shown });
  const tool = tools.find(({ name }) => name === call.tool);
  const outcome = tool ? await runTool(d, world, asked, tool) : unknownTool(call.tool, tools);
  const end = { type: "tool-end", agent, tool: call.tool } as const;
  if (outcome.type === "done") {
    const { tokens, truncated, cached } = outcome;
    log.emit(path, { ...end, status: "done", tokens, truncated, cached });
  } else {
    const error = { code: outcome.code, message: outcome.message, retryable: false };
    const nothing = { tokens: 0, truncated: false, cached: false };
    log.emit(path, { ...end, status: "failed", ...nothing, error });
  }
  return outcome;
}

async function runTool(
  d: Durable,
  world: World,
  asked: AskedCall,
  tool: Tool,
): Promise<ToolOutcome> {
  const { path, call } = asked;
  const permit =
    tool.approval === undefined
      ? ({ type: "permitted", arguments: call.arguments } as const)
      : await askPermit(d, world, asked, tool);
  if (permit.type === "refused") return permit.outcome;
  const { tools: runner } = world.runOf(d.rootId);
  return d.step(path.join("/"), (step) =>
    world.clock.external(
      runner.run(tool, permit.arguments, {
        runId: d.rootId,
        key: `${d.rootId}/${step.key}`,
        signal: step.signal,
      }),
    ),
  );
}

type Permit =
  | { readonly type: "permitted"; readonly arguments: string }
  | { readonly type: "refused"; readonly outcome: ToolOutcome };

async function askPermit(
  d: Durable,
  world: World,
  { call, path, agent, task }: AskedCall,
  tool: Tool,
): Promise<Permit> {
  const need = await d.step([...path, "approval"].join("/"), ({ signal }) =>
    until(needOf(tool, call.arguments), signal),
  );
  if (need.type === "none") return { type: "permitted", arguments: call.arguments };
  const subject = { agent, task, subject: "tool", tool: tool.name, arguments: need.given } as const;
  const limits: AskLimits = typeof tool.approval === "object" ? tool.approval : {};
  const { decision } = await askPerson(d, world, subject, { path, limits });
  if (decision.ok) {
    const { edit } = decision;
    if (edit === undefined) return { type: "permitted", arguments: call.arguments };
    return { type: "permitted", arguments: typeof edit === "string" ? edit : JSON.stringify(edit) };
  }
  const message = `the call of ${tool.name} was refused by a person: ${decision.reason}`;
  const content = `Error: ${message}. Do something else, or go on without it.`;
  return { type: "refused", outcome: { type: "failed", code: "tool/refused", message, content } };
}

type Need = { readonly type: "none" } | { readonly type: "ask"; readonly given: JsonObject };

/** Arguments that do not fit are not worth a person's time: the runner tells the model what is wrong with them. */
async function needOf(tool: Tool, text: string): Promise<Need> {
  const { approval } = tool;
  const read = await readArguments(tool, text).catch(() => undefined); // see above
  if (!read) return { type: "none" };
  const when: unknown = typeof approval === "object" ? approval.when : approval;
  if (typeof when !== "function") return { type: "ask", given: read.given };
  let isNeeded = true;
  try {
    isNeeded = Reflect.apply(when, undefined, [read.validated]) !== false;
  } catch {
    // a condition that throws asks: in doubt a person decides (tool/approval.ts)
  }
  return isNeeded ? { type: "ask", given: read.given } : { type: "none" };
}

function unknownTool(name: string, tools: readonly Tool[]): ToolOutcome {
  const names = tools.map((tool) => tool.name).join(", ") || "none";
  const message = `there is no tool "${name}". The tools are: ${names}`;
  return { type: "failed", code: "tool/unknown", message, content: `Error: ${message}` };
}

/** A call after its hook: as it shall be made, or what the model reads instead. */
export type Hooked =
  | { readonly type: "call"; readonly call: ToolCall }
  | { readonly type: "blocked"; readonly content: string };

/** Lets the crew's hook see, change or block a call. */
export async function beforeCall(d: Durable, world: World, asked: AskedCall): Promise<Hooked> {
  const { call, path, agent, task } = asked;
  if (world.runOf(d.rootId).crew.hooks.beforeToolCall === undefined) return { type: "call", call };
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
  if (world.runOf(d.rootId).crew.hooks.afterToolCall === undefined) return outcome;
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
