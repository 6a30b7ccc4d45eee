// A body of /v1/chat/completions → what is asked of the twin. Pure.

import type { JsonObject } from "../../../json.ts";
import { isObject, parseJson } from "../../../json.ts";
import { toModelRequest } from "../../facade/wire-request.ts";
import { PLAIN_ASK, type TwinAsk } from "../ask.ts";
import type { Fault } from "../fault.ts";
import type { ServingFlags } from "../flag.ts";
import { badRequest, notImplemented } from "../refusal.ts";
import { toPromptIds } from "../text/prompt.ts";
import type { Constraint } from "../text/source.ts";
import type { SharedBody, StructuredOutputs, TwinChatBody } from "./body.ts";

/** What stands beside a body. */
export type Beside = {
  readonly id: string;
  readonly flags: ServingFlags;
  readonly fault: Fault | undefined;
  /** X-Vllm-Priority. */
  readonly priority: string | undefined;
};

/** The asks of a body, one for each choice. @throws BosunError for what vLLM refuses in the body itself. */
export function toChatAsks(body: TwinChatBody, beside: Beside): TwinAsk[] {
  checkStream(body);
  checkLogprobs(body, beside.flags);
  const request = toModelRequest(body, beside.id);
  const constraint = toConstraint(body.structured_outputs, request.output?.schema);
  const ask: TwinAsk = {
    ...sharedAsk(body, beside),
    id: beside.id,
    request,
    promptIds: toPromptIds(request),
    constraint,
    maxTokens: body.max_completion_tokens ?? body.max_tokens ?? undefined,
    stop: listOf(body.stop),
    isNamedTool: typeof body.tool_choice === "object" && body.tool_choice !== null,
  };
  return Array.from({ length: body.n ?? 1 }, (_, choice) => ({ ...ask, choice }));
}

/** What both generating routes say in the same words. @throws BosunError for a priority that is no number. */
export function sharedAsk(
  body: SharedBody,
  { fault, priority }: Pick<Beside, "fault" | "priority">,
): typeof PLAIN_ASK {
  const byHeader = priority === undefined ? undefined : Number(priority);
  if (byHeader !== undefined && !Number.isSafeInteger(byHeader))
    throw badRequest(`X-Vllm-Priority must be a whole number, got ${priority}`, "priority");
  return {
    ...PLAIN_ASK,
    minTokens: body.min_tokens ?? 0,
    ignoresEnd: body.ignore_eos ?? false,
    stopTokenIds: body.stop_token_ids ?? [],
    showsStop: body.include_stop_str_in_output ?? false,
    priority: body.priority ?? byHeader ?? 0,
    cacheSalt: body.cache_salt ?? undefined,
    fault,
  };
}

/** One text or several as a list. */
export function listOf(stop: string | readonly string[] | null | undefined): readonly string[] {
  if (stop === null || stop === undefined) return [];
  return typeof stop === "string" ? [stop] : stop;
}

/** The bound of an answer: structured_outputs, else the schema of response_format. @throws BosunError for what no twin can meet. */
export function toConstraint(
  structured: StructuredOutputs | null | undefined,
  schema: JsonObject | undefined,
): Constraint | undefined {
  if (!structured) return schema ? { type: "json", schema } : undefined;
  const { json, json_object: isAnyJson, regex, choice, grammar, structural_tag: tag } = structured;
  if (grammar || tag)
    throw notImplemented(
      "the twin simulates json, json_object, regex and choice of structured_outputs",
    );
  const [first, ...others] = choice ?? [];
  if (first !== undefined) return { type: "choice", choices: [first, ...others] };
  if (regex) return { type: "regex", pattern: checkedPattern(regex) };
  if (json) return { type: "json", schema: schemaOf(json) };
  if (isAnyJson) return { type: "json", schema: { type: "object" } };
  throw badRequest(
    "You must use one kind of structured outputs constraint but none are specified",
    "structured_outputs",
  );
}

function schemaOf(json: string | JsonObject): JsonObject {
  if (typeof json !== "string") return json;
  const parsed = parseJson(json);
  if (isObject(parsed)) return parsed as JsonObject; // `as`: parsed JSON
  throw badRequest("Invalid JSON schema in structured_outputs", "structured_outputs");
}

function checkedPattern(pattern: string): string {
  try {
    return new RegExp(pattern, "u").source;
  } catch {
    throw badRequest(`Invalid regex in structured_outputs: ${pattern}`, "structured_outputs");
  }
}

function checkLogprobs({ logprobs, top_logprobs: top }: TwinChatBody, flags: ServingFlags): void {
  if (top === null || top === undefined) return;
  if (!logprobs)
    throw badRequest("when using `top_logprobs`, `logprobs` must be set to true.", "top_logprobs");
  checkLogprobCount(top, flags);
}

/** @throws BosunError for more alternatives than --max-logprobs. */
export function checkLogprobCount(count: number, { maxLogprobs }: ServingFlags): void {
  if (count <= maxLogprobs) return;
  throw badRequest(
    `Requested sample logprobs of ${count}, which is greater than max allowed: ${maxLogprobs}`,
    "logprobs",
    count,
  );
}

/** @throws BosunError for stream options without a stream; null is what some clients send. */
export function checkStream({
  stream,
  stream_options: options,
}: Pick<TwinChatBody, "stream" | "stream_options">): void {
  if (stream || !options) return;
  throw badRequest("Stream options can only be defined when `stream=True`.", "stream_options");
}
