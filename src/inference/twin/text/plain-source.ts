// Text sources that are made here: an echo, words without meaning, and what a Model says.

import type { ToolCall } from "../../model/message.ts";
import type { Model, ModelRequest } from "../../model/model.ts";
import { fillerIds } from "./filler.ts";
import { leastCall } from "./shaped.ts";
import type { TextSource, WriteAsk, Written } from "./source.ts";
import { decodeIds } from "./tokenizer.ts";

/** When a source without a mind calls tools: once for each thing that a user says, or only when it must. */
export type CallHabit = "once" | "required";

const FILLER_TOKENS = 256;

/** Says what the last message says. */
export function echoSource(habit: CallHabit = "once"): TextSource {
  return plainSource("echo", habit, ({ request }) => request.messages.at(-1)?.content ?? "");
}

/** Words without meaning, `tokens` of them (default 256): for load, where only lengths count. */
export function fillerSource(
  tokens: number = FILLER_TOKENS,
  habit: CallHabit = "once",
): TextSource {
  return plainSource("filler", habit, ({ choice }) => decodeIds(fillerIds(tokens, choice)));
}

/** What a model says, in no time: the embedded ones have no clock of a GPU. */
export function modelSource(name: string, model: Model): TextSource {
  return {
    name,
    async write({ request, constraint }, signal) {
      const schema = constraint?.type === "json" ? constraint.schema : undefined;
      const output = schema ? { name: request.output?.name ?? "json", schema } : undefined;
      // Not cut here: the twin counts its own tokens.
      const settings = { ...request.settings, maxTokens: MAX_WRITTEN_TOKENS, stop: [] };
      const asked = { ...request, output, settings, stream: false };
      for await (const event of model.call(asked, signal)) if (event.type === "end") return event;
      return NOTHING;
    },
  };
}

/** Most tokens that a model is asked for. */
const MAX_WRITTEN_TOKENS = 8_192;
const NOTHING: Written = { text: "", reasoning: "", calls: [] };

/** One tool call when the tools are to be used, else the text. */
function plainSource(
  name: string,
  habit: CallHabit,
  textOf: (ask: WriteAsk) => string,
): TextSource {
  return {
    name,
    async write(ask) {
      const call = ask.constraint ? undefined : await callOf(ask.request, habit, ask.choice);
      return call ? { ...NOTHING, calls: [call] } : { ...NOTHING, text: textOf(ask) };
    },
  };
}

/** A call where one is due. */
async function callOf(
  request: ModelRequest,
  habit: CallHabit,
  choice: number,
): Promise<ToolCall | undefined> {
  const { toolChoice = "auto", messages } = request;
  const isDue = habit === "once" && messages.at(-1)?.role === "user";
  if (toolChoice === "none" || !(toolChoice === "required" || isDue)) return undefined;
  return leastCall(request, choice);
}
