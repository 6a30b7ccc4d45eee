// What providers want back with a tool's result and a Message has no word for: signatures of Gemini and Anthropic, ids of OpenAI.
//
// Kept in the process, by the ids of the calls. Where it is gone (a run that was resumed elsewhere, a very long one), the turn is
// sent without it, which most models take and a model that thinks between its calls may refuse.

import type {
  LanguageModelV4ReasoningPart,
  SharedV4ProviderMetadata,
  SharedV4ProviderOptions,
} from "@ai-sdk/provider";
import type { ToolCall } from "../message.ts";

/** What came with a turn that called tools. */
export type Turn = {
  readonly reasoning: readonly LanguageModelV4ReasoningPart[];
  /** Of the turn's text, when it was one block. */
  readonly text: SharedV4ProviderOptions | undefined;
  /** By the call's id. */
  readonly calls: ReadonlyMap<string, SharedV4ProviderMetadata>;
};

export interface TurnMemory {
  /** `first` is the turn's first call. */
  keep(first: ToolCall, turn: Turn): void;
  /** The turn that began with this call, word for word: servers that count their ids give one to several calls. */
  find(first: ToolCall | undefined): Turn | undefined;
}

/** Most turns, and most characters of all of them, that are kept; the oldest go first. */
const MAX_TURNS = 1_024;
const MAX_CHARACTERS = 16 * 1024 * 1024;

type Kept = { readonly first: ToolCall; readonly turn: Turn; readonly size: number };

export function createTurnMemory(): TurnMemory {
  const kept = new Map<string, Kept>();
  let size = 0;
  const drop = (id: string): void => {
    size -= kept.get(id)?.size ?? 0;
    kept.delete(id);
  };
  return {
    keep(first, turn) {
      drop(first.id);
      if (isPlain(turn)) return;
      const own = JSON.stringify([first, turn.reasoning, turn.text, [...turn.calls]]).length;
      kept.set(first.id, { first, turn, size: own });
      size += own;
      for (const id of kept.keys()) {
        if (kept.size <= MAX_TURNS && size <= MAX_CHARACTERS) return;
        drop(id);
      }
    },
    find(first) {
      const found = first && kept.get(first.id);
      const isSame =
        found?.first.tool === first?.tool && found?.first.arguments === first?.arguments;
      return isSame ? found?.turn : undefined;
    },
  };
}

function isPlain({ reasoning, text, calls }: Turn): boolean {
  return (
    text === undefined &&
    calls.size === 0 &&
    reasoning.every((part) => part.providerOptions === undefined)
  );
}
