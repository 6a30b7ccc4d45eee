// The body of POST /v1/chat/completions as OpenAI's clients and vLLM's users write it: checked once, here, at the edge.
//
// Fields that have no word here go on to the model's server as they are: priority, top_k, chat_template_kwargs.

import { z } from "zod";
import { BosunError } from "../../error.ts";
import type { Json } from "../../json.ts";

/** Bounds of one body; its size is bounded before it is parsed. */
const MAX_MESSAGES = 10_000;
const MAX_TOOLS = 128;
const MAX_STOPS = 16;
const MAX_NAME = 256;

type Content = string | { readonly text: string }[];

/** A call as the wire has it. */
export type WireCall = {
  readonly id: string;
  readonly function: { readonly name: string; readonly arguments: string };
};

/** A message as the wire has it. */
export type WireMessage =
  | { readonly role: "system" | "developer" | "user"; readonly content: Content }
  | {
      readonly role: "assistant";
      readonly content?: Content | null | undefined;
      readonly tool_calls?: WireCall[] | null | undefined;
    }
  | {
      readonly role: "tool";
      readonly content: Content;
      readonly tool_call_id: string;
      readonly name?: string | undefined;
    };

/** A tool as the wire has it. */
export type WireTool = {
  readonly function: {
    readonly name: string;
    readonly description?: string | null | undefined;
    readonly parameters?: Readonly<Record<string, Json>> | null | undefined;
  };
};

type ResponseFormat =
  | { readonly type: "text" | "json_object" }
  | {
      readonly type: "json_schema";
      readonly json_schema: {
        readonly name: string;
        readonly schema: Readonly<Record<string, Json>>;
      };
    };

/** A checked body. It holds the fields that have no word here too. */
export type ChatBody = {
  readonly model: string;
  readonly messages: WireMessage[];
  readonly tools?: WireTool[] | null | undefined;
  readonly tool_choice?:
    | "none"
    | "auto"
    | "required"
    | { readonly function: { readonly name: string } }
    | null
    | undefined;
  readonly response_format?: ResponseFormat | null | undefined;
  readonly stream?: boolean | null | undefined;
  readonly stream_options?:
    | { readonly include_usage?: boolean | null | undefined }
    | null
    | undefined;
  readonly max_tokens?: number | null | undefined;
  readonly max_completion_tokens?: number | null | undefined;
  readonly temperature?: number | null | undefined;
  readonly top_p?: number | null | undefined;
  readonly seed?: number | null | undefined;
  readonly stop?: string | string[] | null | undefined;
};

const Name = z.string().min(1).max(MAX_NAME);
const TextPart = z.looseObject({ type: z.literal("text"), text: z.string() });
const TextContent = z.union([z.string(), z.array(TextPart)], {
  error: "expected a text, or an array of parts of type text",
});
const Schema = z.record(z.string(), z.json());

const CalledTool = z.looseObject({
  id: Name,
  type: z.literal("function").optional(),
  function: z.looseObject({ name: Name, arguments: z.string() }),
});

const Message = z.discriminatedUnion("role", [
  z.looseObject({ role: z.enum(["system", "developer", "user"]), content: TextContent }),
  z.looseObject({
    role: z.literal("assistant"),
    content: TextContent.nullish(),
    tool_calls: z.array(CalledTool).max(MAX_TOOLS).nullish(),
  }),
  z.looseObject({
    role: z.literal("tool"),
    content: TextContent,
    tool_call_id: Name,
    name: Name.optional(),
  }),
]);

const Tool = z.looseObject({
  type: z.literal("function"),
  function: z.looseObject({
    name: Name,
    description: z.string().nullish(),
    parameters: Schema.nullish(),
  }),
});

const ToolChoice = z.union(
  [
    z.enum(["none", "auto", "required"]),
    z.looseObject({ type: z.literal("function"), function: z.looseObject({ name: Name }) }),
  ],
  { error: 'expected "none", "auto", "required" or a function\'s name' },
);

const Format = z.discriminatedUnion("type", [
  z.looseObject({ type: z.enum(["text", "json_object"]) }),
  z.looseObject({
    type: z.literal("json_schema"),
    json_schema: z.looseObject({ name: Name, schema: Schema }),
  }),
]);

/** Fields that would change the shape of the answer: refused, because the answer would not have it. */
const REFUSED = {
  n: z.literal(1, { error: "only one choice is made for a request: leave n out" }).nullish(),
  logprobs: z.literal(false, { error: "log probabilities are not passed on" }).nullish(),
  top_logprobs: z.literal(0, { error: "log probabilities are not passed on" }).nullish(),
  modalities: z.array(z.literal("text", { error: "only text is answered" })).nullish(),
  audio: z.null({ error: "only text is answered" }).optional(),
  functions: z.undefined({ error: "functions are the old form of tools: send tools" }).optional(),
  function_call: z.undefined({ error: "send tool_choice instead" }).optional(),
};

const UNDERSTOOD = {
  model: Name,
  messages: z.array(Message).min(1).max(MAX_MESSAGES),
  tools: z.array(Tool).max(MAX_TOOLS).nullish(),
  tool_choice: ToolChoice.nullish(),
  response_format: Format.nullish(),
  stream: z.boolean().nullish(),
  stream_options: z.looseObject({ include_usage: z.boolean().nullish() }).nullish(),
  max_tokens: z.int().min(1).nullish(),
  max_completion_tokens: z.int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  seed: z.int().nullish(),
  stop: z.union([z.string(), z.array(z.string()).max(MAX_STOPS)]).nullish(),
};

/** The checks of each understood field, for a surface that understands more than these. */
export const CHAT_FIELDS: { readonly [Key in keyof ChatBody]-?: z.ZodType<ChatBody[Key]> } =
  UNDERSTOOD;

const Body: z.ZodType<ChatBody> = z.looseObject({ ...UNDERSTOOD, ...REFUSED });

/** Names of the fields that are understood here; all others go on to the model's server. */
export const KNOWN_FIELDS: ReadonlySet<string> = new Set([
  ...Object.keys(UNDERSTOOD),
  ...Object.keys(REFUSED),
]);

/** The checked body. @throws BosunError `server/bad-request` with the field's path as `details.param`. */
export function readChatBody(value: unknown): ChatBody {
  const parsed = Body.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const param = pathText(issue?.path ?? []);
  const message = issue?.message ?? "not a chat completion's body";
  throw new BosunError("server/bad-request", `${param || "body"}: ${message}`, {
    details: { param: param || undefined },
  });
}

/** messages[2].content */
export function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${String(key)}` : String(key),
    "",
  );
}
