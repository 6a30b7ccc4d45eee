// Who writes a twin's answers: the port. The whole text is decided before the first token.
//
// Invariants
//   Z1  The same ask gives the same answer; only a script counts its calls.
//   Z2  A constraint (schema, choice, pattern) is met by every source, or the ask is refused.

import type { JsonObject } from "../../../json.ts";
import type { ToolCall } from "../../model/message.ts";
import type { ModelRequest } from "../../model/model.ts";

/** What an answer must be, beyond a text. */
export type Constraint =
  | { readonly type: "json"; readonly schema: JsonObject }
  | { readonly type: "choice"; readonly choices: readonly [string, ...string[]] }
  | { readonly type: "regex"; readonly pattern: string };

/** What is asked of a source. */
export type WriteAsk = {
  readonly request: ModelRequest;
  readonly constraint: Constraint | undefined;
  /** Tokens that the answer may have; a source need not keep to it. */
  readonly maxTokens: number;
  /** Which of several answers to one prompt, counted from 0. */
  readonly choice: number;
};

/** A whole answer. */
export type Written = {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly ToolCall[];
};

/** Writes answers. */
export type TextSource = {
  /** For people: extractive, echo, filler, the script's file. */
  readonly name: string;
  /** @throws BosunError `model/bad-request` for what it cannot write, `model/cancelled` when the signal aborts. */
  write(ask: WriteAsk, signal: AbortSignal): Promise<Written>;
};
