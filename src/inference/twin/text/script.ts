// A text source that says what a file says: one text for every call, or a list of replies.

import { z } from "zod";
import { BosunError } from "../../../error.ts";
import { parseJson } from "../../../json.ts";
import type { TextSource, WriteAsk, Written } from "./source.ts";

/** One reply of a script. */
export type ScriptReply = {
  /** It answers only prompts whose last message holds this text. */
  readonly match?: string | undefined;
  readonly text?: string | undefined;
  readonly reasoning?: string | undefined;
  readonly calls?: readonly { readonly tool: string; readonly arguments: unknown }[] | undefined;
};

const MAX_REPLIES = 10_000;

const Script = z
  .array(
    z.union([
      z.string(),
      z.strictObject({
        match: z.string().min(1).optional(),
        text: z.string().optional(),
        reasoning: z.string().optional(),
        calls: z
          .array(z.strictObject({ tool: z.string().min(1), arguments: z.unknown() }))
          .max(128)
          .optional(),
      }),
    ]),
  )
  .min(1)
  .max(MAX_REPLIES);

/**
 * Says what it is told to. A reply with `match` answers every prompt whose last message holds that text (the first such reply wins);
 * the others answer all other prompts, in their order, the last of them for ever.
 */
export function scriptSource(name: string, replies: readonly ScriptReply[]): TextSource {
  const matching = replies.filter(({ match }) => match !== undefined);
  const ordered = replies.filter(({ match }) => match === undefined);
  let next = 0;
  return {
    name,
    async write(ask) {
      const last = ask.request.messages.at(-1)?.content ?? "";
      const found = matching.find(({ match = "" }) => last.includes(match));
      const reply = found ?? ordered[Math.min(next++, ordered.length - 1)];
      if (!reply) {
        const message = `the script ${name} has no reply for this prompt`;
        throw new BosunError("model/bad-request", message, { details: { param: "messages" } });
      }
      return toWritten(reply, ask);
    },
  };
}

/**
 * The replies of a script's file: a JSON array of texts and replies; any other file is one text.
 * @throws BosunError `config/invalid` for a JSON array that is no script.
 */
export function readScript(name: string, content: string): readonly ScriptReply[] {
  const value = /^\s*\[/.test(content) ? parseJson(content) : undefined;
  if (value === undefined) return [{ text: content.trimEnd() }];
  const parsed = Script.safeParse(value);
  if (parsed.success)
    return parsed.data.map((reply) => (typeof reply === "string" ? { text: reply } : reply));
  const issue = parsed.error.issues[0];
  const message = `${name} is no script: ${issue?.path.join(".")}: ${issue?.message}. Write a list of texts and { match?, text?, reasoning?, calls? }`;
  throw new BosunError("config/invalid", message);
}

function toWritten({ text = "", reasoning = "", calls = [] }: ScriptReply, ask: WriteAsk): Written {
  return {
    text,
    reasoning,
    calls: calls.map(({ tool, arguments: given }, index) => ({
      id: `chatcmpl-tool-${ask.request.messages.length}${ask.choice}${index}`,
      tool,
      arguments: typeof given === "string" ? given : JSON.stringify(given),
    })),
  };
}
