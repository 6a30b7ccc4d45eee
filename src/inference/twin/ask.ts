// What is asked of a twin, whoever asks: the conversation with everything of vLLM's request that changes the answer or its place in
// the queue. Checked against the flags here, so that HTTP and in-process callers meet the same refusals.

import type { BosunError } from "../../error.ts";
import type { ModelRequest } from "../model/model.ts";
import type { Fault } from "./fault.ts";
import type { ServingFlags } from "./flag.ts";
import { badRequest, tooLong, unknownModel } from "./refusal.ts";
import type { Constraint } from "./text/source.ts";

/** One answer that is wanted. */
export type TwinAsk = {
  readonly id: string;
  /** What the text source reads. Its first model is what is asked for. */
  readonly request: ModelRequest;
  readonly promptIds: Int32Array;
  readonly constraint: Constraint | undefined;
  /** undefined = as many as the context has room for. */
  readonly maxTokens: number | undefined;
  readonly minTokens: number;
  readonly ignoresEnd: boolean;
  readonly stop: readonly string[];
  readonly stopTokenIds: readonly number[];
  readonly showsStop: boolean;
  readonly priority: number;
  readonly cacheSalt: string | undefined;
  /** Whether a call must be of one tool, by name: then the answer ends with "stop", not "tool_calls". */
  readonly isNamedTool: boolean;
  /** Which of several answers to one prompt, counted from 0. */
  readonly choice: number;
  readonly fault: Fault | undefined;
};

/** What most asks do not say. */
export const PLAIN_ASK: Omit<TwinAsk, "id" | "request" | "promptIds"> = {
  constraint: undefined,
  maxTokens: undefined,
  minTokens: 0,
  ignoresEnd: false,
  stop: [],
  stopTokenIds: [],
  showsStop: false,
  priority: 0,
  cacheSalt: undefined,
  isNamedTool: false,
  choice: 0,
  fault: undefined,
};

/** The reason why vLLM would refuse this, or undefined. In vLLM's order. */
export function refusalOf(ask: TwinAsk, flags: ServingFlags): BosunError | undefined {
  return (
    modelRefusal(ask, flags) ??
    toolRefusal(ask, flags) ??
    lengthRefusal(ask, flags) ??
    priorityRefusal(ask, flags)
  );
}

/** Tokens that the answer may have: what is asked for, or the rest of the context. At least 1 where nothing is refused. */
export function maxTokensOf(
  { maxTokens, promptIds }: TwinAsk,
  { maxModelLen }: ServingFlags,
): number {
  return maxTokens ?? maxModelLen - promptIds.length;
}

/** Checks a model's name alone. */
export function modelRefusal(
  { request }: Pick<TwinAsk, "request">,
  { servedModelName, loraModules }: ServingFlags,
): BosunError | undefined {
  const [name] = request.models;
  const isServed =
    typeof name === "string" && (servedModelName.includes(name) || loraModules.includes(name));
  return isServed ? undefined : unknownModel(typeof name === "string" ? name : (name.model ?? ""));
}

function toolRefusal({ request }: TwinAsk, flags: ServingFlags): BosunError | undefined {
  const { tools = [], toolChoice = "auto" } = request;
  if (tools.length === 0 || toolChoice !== "auto" || flags.enableAutoToolChoice) return undefined;
  return badRequest(
    '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set',
  );
}

function lengthRefusal(ask: TwinAsk, flags: ServingFlags): BosunError | undefined {
  const { maxModelLen } = flags;
  const { promptIds, maxTokens, minTokens } = ask;
  const room = maxModelLen - promptIds.length;
  if (room < Math.max(1, maxTokens ?? 1))
    return tooLong(maxModelLen, promptIds.length, maxTokens ?? 0);
  const most = maxTokensOf(ask, flags);
  if (minTokens <= most) return undefined;
  return badRequest(
    `min_tokens must be less than or equal to max_tokens=${most}, got ${minTokens}.`,
  );
}

function priorityRefusal({ priority }: TwinAsk, flags: ServingFlags): BosunError | undefined {
  if (priority === 0 || flags.schedulingPolicy === "priority") return undefined;
  return badRequest(`Got priority ${priority} but Priority scheduling is not enabled.`);
}
