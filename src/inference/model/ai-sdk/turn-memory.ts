// What providers want back with a tool's result and a Message has no word for: signatures of Gemini and Anthropic, ids of OpenAI.
//
// Kept in the process, by the ids of the calls. Where it is gone (a run that was resumed elsewhere, a very long one), the turn is
// sent without it, which most models take and a model that thinks between its calls may refuse.

import type {
  LanguageModelV4ReasoningPart,
  SharedV4ProviderMetadata,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";

/** What came with a turn that called tools. */
export type Turn = {
  readonly reasoning: readonly LanguageModelV4ReasoningPart[];
  /** Of the turn's text, when it was one block. */
  readonly text: SharedV4ProviderOptions | undefined;
  /** By the call's id. */
  readonly calls: ReadonlyMap<string, SharedV4ProviderMetadata>;
};

export interface TurnMemory {
  keep(callId: string, turn: Turn): void;
  /** The turn whose first call has this id. */
  find(callId: string | undefined): Turn | undefined;
}

/** Most turns that are kept; the oldest go first. */
const MAX_TURNS = 1_024;

export function createTurnMemory(): TurnMemory {
  const turns = new Map<string, Turn>();
  return {
    keep(callId, turn) {
      const isPlain =
        turn.text === undefined &&
        turn.calls.size === 0 &&
        turn.reasoning.every((part) => part.providerOptions === undefined);
      if (isPlain) return;
      turns.delete(callId);
      turns.set(callId, turn);
      const [oldest] = turns.keys();
      if (turns.size > MAX_TURNS && oldest !== undefined) turns.delete(oldest);
    },
    find: (callId) => (callId === undefined ? undefined : turns.get(callId)),
  };
}
