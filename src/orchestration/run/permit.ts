// Whether a tool may be called as asked: asks a person where the tool wants it, and says what was decided.

import { until } from "../../clock.ts";
import { messageOf } from "../../error.ts";
import type { Json, JsonObject } from "../../json.ts";
import type { Durable } from "../durable/durable.ts";
import type { AskLimits } from "../tool/approval.ts";
import { readArguments } from "../tool/arguments.ts";
import type { ToolOutcome } from "../tool/run.ts";
import type { Tool } from "../tool/tool.ts";
import { askPerson, MAX_ROUNDS } from "./ask.ts";
import { type AskedCall, beforeCall } from "./call-hook.ts";
import type { World } from "./world.ts";

/** A call as it may be made, or what it came to instead. */
export type Permit =
  | {
      readonly type: "permitted";
      readonly arguments: string;
      /** True for arguments that a person wrote. */
      readonly isEdited: boolean;
    }
  | { readonly type: "refused"; readonly outcome: ToolOutcome };

/** Asks for a permit. Who writes arguments that do not fit is asked again. Rejects only when the run is aborted. */
export async function askPermit(
  d: Durable,
  world: World,
  asked: AskedCall,
  tool: Tool,
): Promise<Permit> {
  const { call, path, agent, task } = asked;
  if (tool.approval === undefined)
    return { type: "permitted", arguments: call.arguments, isEdited: false };
  const need = await d.step([...path, "approval"].join("/"), ({ signal }) =>
    until(needOf(tool, call.arguments), signal),
  );
  if (need.type === "none")
    return { type: "permitted", arguments: call.arguments, isEdited: false };
  const limits: AskLimits = typeof tool.approval === "object" ? tool.approval : {};
  let issues: readonly string[] | undefined;
  for (let round = 1; round <= MAX_ROUNDS; round++) {
    const about = { agent, task, issues } as const;
    const subject = { ...about, subject: "tool", tool: tool.name, arguments: need.given } as const;
    const at = { path: [...path, `permit:${round}`], limits };
    const { decision, by } = await askPerson(d, world.runOf(d.runId), subject, at);
    if (!decision.ok)
      return refused(
        tool,
        `${by === "person" ? "refused by a person" : "not approved"}: ${decision.reason}`,
      );
    if (decision.edit === undefined)
      return { type: "permitted", arguments: call.arguments, isEdited: false };
    const edited = await readEdit(d, tool, { key: at.path.join("/"), edit: decision.edit });
    if (edited.type === "fits") return hookEdited(d, world, asked, edited.text);
    ({ issues } = edited);
  }
  return refused(tool, "not approved: what a person wrote instead never fitted");
}

/** The crew's hook sees what a person wrote too: what it blocks it blocks for everybody. */
async function hookEdited(
  d: Durable,
  world: World,
  asked: AskedCall,
  text: string,
): Promise<Permit> {
  const { call, path } = asked;
  const again = { ...asked, call: { ...call, arguments: text }, path: [...path, "edited"] };
  const hooked = await beforeCall(d, world, again);
  if (hooked.type === "call")
    return { type: "permitted", arguments: hooked.call.arguments, isEdited: true };
  const message = `the call of ${call.tool} was blocked`;
  const outcome = {
    type: "failed",
    code: "tool/refused",
    message,
    content: hooked.content,
  } as const;
  return { type: "refused", outcome };
}

type Edit =
  | { readonly type: "fits"; readonly text: string }
  | { readonly type: "unfit"; readonly issues: readonly string[] };

async function readEdit(
  d: Durable,
  tool: Tool,
  { key, edit }: { readonly key: string; readonly edit: Json },
): Promise<Edit> {
  const text = typeof edit === "string" ? edit : JSON.stringify(edit);
  return d.step(`${key}/check`, async (): Promise<Edit> => {
    try {
      await readArguments(tool, text);
      return { type: "fits", text };
    } catch (error) {
      return { type: "unfit", issues: [messageOf(error)] };
    }
  });
}

function refused(tool: Tool, why: string): Permit {
  const message = `the call of ${tool.name} was ${why}`;
  const content = `Error: ${message.replace(/[.\s]+$/, "")}. Do something else, or go on without it.`;
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
