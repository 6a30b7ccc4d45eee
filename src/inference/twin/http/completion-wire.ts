// TwinEvents → what vLLM sends for a text completion: whole, or chunk by chunk. Pure.

import type { Json, JsonObject } from "../../../json.ts";
import type { ServingFlags } from "../flag.ts";
import type { TwinUsage } from "../twin.ts";
import type { Said } from "./answering.ts";
import { completionLogprobs } from "./logprob.ts";
import { addChoice, createTally, type Envelope, toMetrics, toUsage } from "./reply.ts";

/** How completions are written. */
export type CompletionForm = {
  readonly envelope: Envelope;
  readonly flags: ServingFlags;
  /** The prompts' texts and tokens; each has `n` choices. */
  readonly prompts: readonly { readonly text: string; readonly ids: Int32Array }[];
  readonly n: number;
  /** Whether an answer begins with its prompt. */
  readonly echo: boolean;
  readonly logprobs: number | undefined;
  readonly includeUsage: boolean;
};

/** Writes both forms of an answer: chunks as they come, or `completion` at the end. */
export type CompletionWriter = {
  chunk(place: number, event: Said): readonly JsonObject[];
  end(): readonly JsonObject[];
  completion(): JsonObject;
};

/** A writer of one answer. */
export function createCompletionWriter(form: CompletionForm): CompletionWriter {
  const { envelope, flags, prompts, n } = form;
  const promptTokens = prompts.reduce((sum, { ids }) => sum + ids.length, 0);
  const tally = createTally(promptTokens);
  const heard = Array.from({ length: prompts.length * n }, createHeard);
  const object = (choices: Json, more: JsonObject): JsonObject => ({
    id: envelope.id,
    object: "text_completion",
    created: envelope.created,
    model: envelope.model,
    choices,
    ...more,
  });
  return {
    chunk(place, event) {
      const choice = heard[place];
      if (!choice) return [];
      const isFirst = choice.ids.length === 0;
      const text = hear(choice, event);
      if (event.type === "end") addChoice(tally, event.usage, event.timings);
      const echoed = isFirst && form.echo ? promptOf(form, place) : "";
      const logprobs = logprobsOf(form, event.type === "tokens" ? event.ids : NONE);
      return [
        object(
          [
            {
              index: place,
              text: echoed + text,
              logprobs,
              finish_reason: choice.finish,
              stop_reason: choice.stopReason,
              token_ids: null,
            },
          ],
          {},
        ),
      ];
    },
    end() {
      if (!form.includeUsage) return [];
      return [object([], { usage: toUsage(tally, flags, "stream"), ...toMetrics(tally, flags) })];
    },
    completion: () =>
      object(
        heard.map((choice, index) => toChoice(form, choice, index)),
        {
          service_tier: null,
          system_fingerprint: null,
          usage: toUsage(tally, flags, "whole"),
          kv_transfer_params: null,
          ...toMetrics(tally, flags),
        },
      ),
  };
}

type Heard = {
  readonly text: string[];
  readonly ids: number[];
  finish: string | null;
  stopReason: string | number | null;
  usage: TwinUsage | undefined;
};

const NONE = new Int32Array(0);

function createHeard(): Heard {
  return { text: [], ids: [], finish: null, stopReason: null, usage: undefined };
}

/** Takes an event in. @returns its text; completions know no reasoning and no tools. */
function hear(heard: Heard, event: Said): string {
  if (event.type === "end") {
    heard.finish = event.finish;
    heard.stopReason = event.stopReason ?? null;
    return "";
  }
  const text = event.deltas.map((delta) => (delta.type === "text" ? delta.text : "")).join("");
  heard.text.push(text);
  heard.ids.push(...event.ids);
  return text;
}

function toChoice(form: CompletionForm, heard: Heard, index: number): JsonObject {
  const echoed = form.echo ? promptOf(form, index) : "";
  return {
    index,
    text: echoed + heard.text.join(""),
    logprobs: logprobsOf(form, Int32Array.from(heard.ids)),
    finish_reason: heard.finish,
    stop_reason: heard.stopReason,
    token_ids: null,
    prompt_logprobs: null,
    prompt_token_ids: null,
  };
}

function promptOf({ prompts, n }: CompletionForm, place: number): string {
  return prompts[Math.floor(place / n)]?.text ?? "";
}

function logprobsOf({ logprobs }: CompletionForm, ids: Int32Array): JsonObject | null {
  return logprobs === undefined || ids.length === 0 ? null : completionLogprobs(ids, logprobs, 0);
}
