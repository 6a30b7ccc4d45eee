// Bodies of vLLM's routes: checked once, here, at the edge. Fields that change nothing in a twin (sampling, penalties) pass unread.

import { z } from "zod";
import { CHAT_FIELDS, type ChatBody, pathText } from "../../facade/chat-body.ts";
import type { Json } from "../../../json.ts";
import { invalidBody } from "../refusal.ts";

/** What both generating routes take beyond OpenAI's fields. */
export type SharedBody = {
  readonly n?: number | null | undefined;
  readonly priority?: number | null | undefined;
  readonly cache_salt?: string | null | undefined;
  readonly request_id?: string | null | undefined;
  readonly ignore_eos?: boolean | null | undefined;
  readonly min_tokens?: number | null | undefined;
  readonly stop_token_ids?: readonly number[] | null | undefined;
  readonly include_stop_str_in_output?: boolean | null | undefined;
  readonly structured_outputs?: StructuredOutputs | null | undefined;
  readonly stream_options?:
    | {
        readonly include_usage?: boolean | null | undefined;
        readonly continuous_usage_stats?: boolean | null | undefined;
      }
    | null
    | undefined;
};

/** vLLM's own way to bind an answer; it replaces guided_json and its like. */
export type StructuredOutputs = {
  readonly json?: string | Readonly<Record<string, Json>> | null | undefined;
  readonly json_object?: boolean | null | undefined;
  readonly regex?: string | null | undefined;
  readonly choice?: readonly string[] | null | undefined;
  readonly grammar?: string | null | undefined;
  readonly structural_tag?: string | null | undefined;
};

/** POST /v1/chat/completions. */
export type TwinChatBody = ChatBody &
  SharedBody & {
    readonly logprobs?: boolean | null | undefined;
    readonly top_logprobs?: number | null | undefined;
  };

/** POST /v1/completions. */
export type CompletionBody = SharedBody & {
  readonly model: string;
  readonly prompt: string | readonly string[] | readonly number[] | readonly (readonly number[])[];
  readonly max_tokens?: number | null | undefined;
  readonly echo?: boolean | null | undefined;
  readonly suffix?: string | null | undefined;
  readonly logprobs?: number | null | undefined;
  readonly stream?: boolean | null | undefined;
  readonly stop?: string | readonly string[] | null | undefined;
};

/** POST /v1/embeddings. */
export type EmbeddingBody = {
  readonly model: string;
  readonly input: CompletionBody["prompt"];
  readonly encoding_format?: "float" | "base64" | null | undefined;
  readonly dimensions?: number | null | undefined;
};

/** POST /tokenize, of a text or of a conversation. */
export type TokenizeBody = {
  readonly model?: string | null | undefined;
  readonly prompt?: string | undefined;
  readonly messages?: ChatBody["messages"] | undefined;
  readonly tools?: ChatBody["tools"] | undefined;
  readonly return_token_strs?: boolean | null | undefined;
};

/** POST /detokenize. */
export type DetokenizeBody = {
  readonly model?: string | null | undefined;
  readonly tokens: readonly number[];
};

const MAX_CHOICES = 128;
const MAX_PROMPTS = 1_024;
const MAX_IDS = 1_048_576;
const MAX_STOPS = 16;
const MAX_DIMENSIONS = 8_192;

const Ids = z.array(z.int().min(0)).max(MAX_IDS);
const Flag = z.boolean().nullish();

const Structured: z.ZodType<StructuredOutputs> = z.looseObject({
  json: z.union([z.string(), z.record(z.string(), z.json())]).nullish(),
  json_object: Flag,
  regex: z.string().nullish(),
  choice: z.array(z.string()).min(1).nullish(),
  grammar: z.string().nullish(),
  structural_tag: z.string().nullish(),
});

const SHARED = {
  n: z.int().min(1).max(MAX_CHOICES).nullish(),
  priority: z.int().nullish(),
  cache_salt: z.string().min(1).nullish(),
  request_id: z.string().min(1).max(256).nullish(),
  ignore_eos: Flag,
  min_tokens: z.int().min(0).nullish(),
  stop_token_ids: z.array(z.int()).max(MAX_STOPS).nullish(),
  include_stop_str_in_output: Flag,
  structured_outputs: Structured.nullish(),
  stream_options: z.looseObject({ include_usage: Flag, continuous_usage_stats: Flag }).nullish(),
};

const Chat: z.ZodType<TwinChatBody> = z.looseObject({
  ...CHAT_FIELDS,
  ...SHARED,
  logprobs: Flag,
  top_logprobs: z.int().min(0).nullish(),
});

const Prompt = z.union(
  [
    z.string(),
    Ids.min(1),
    z.array(z.string()).min(1).max(MAX_PROMPTS),
    z.array(Ids.min(1)).min(1).max(MAX_PROMPTS),
  ],
  { error: "expected a text, token ids, or a list of either" },
);

const Completion: z.ZodType<CompletionBody> = z.looseObject({
  ...SHARED,
  model: z.string().min(1),
  prompt: Prompt,
  max_tokens: z.int().min(1).nullish(),
  echo: Flag,
  suffix: z.string().nullish(),
  logprobs: z.int().min(0).nullish(),
  stream: Flag,
  stop: z.union([z.string(), z.array(z.string()).max(MAX_STOPS)]).nullish(),
});

const Embedding: z.ZodType<EmbeddingBody> = z.looseObject({
  model: z.string().min(1),
  input: Prompt,
  encoding_format: z.enum(["float", "base64"]).nullish(),
  dimensions: z.int().min(1).max(MAX_DIMENSIONS).nullish(),
});

const Tokenize: z.ZodType<TokenizeBody> = z
  .looseObject({
    model: z.string().nullish(),
    prompt: z.string().optional(),
    messages: CHAT_FIELDS.messages.optional(),
    tools: CHAT_FIELDS.tools.optional(),
    return_token_strs: Flag,
  })
  .refine(({ prompt, messages }) => (prompt === undefined) !== (messages === undefined), {
    error: "expected either prompt or messages",
  });

const Detokenize: z.ZodType<DetokenizeBody> = z.looseObject({
  model: z.string().nullish(),
  tokens: Ids,
});

/** Reads a body. */
export type Reader<Body> = (value: unknown) => Body;

// Each throws BosunError `model/bad-request` in pydantic's form, with the field's path as param.
export const readChat: Reader<TwinChatBody> = readerOf("ChatCompletionRequest", Chat);
export const readCompletion: Reader<CompletionBody> = readerOf("CompletionRequest", Completion);
export const readEmbedding: Reader<EmbeddingBody> = readerOf(
  "EmbeddingCompletionRequest",
  Embedding,
);
export const readTokenize: Reader<TokenizeBody> = readerOf("TokenizeRequest", Tokenize);
export const readDetokenize: Reader<DetokenizeBody> = readerOf("DetokenizeRequest", Detokenize);

function readerOf<Body>(name: string, schema: z.ZodType<Body>): Reader<Body> {
  return (value) => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    const issue = parsed.error.issues[0];
    const param = pathText(issue?.path ?? []) || undefined;
    throw invalidBody(name, `${param ?? "body"}: ${issue?.message ?? "not an object"}`, param);
  };
}
