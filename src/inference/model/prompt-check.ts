// Looks after each reply of an Ollama whether it read the whole prompt (truncation.ts), and remembers that a context was not known.

import type { Dialect } from "./endpoint.ts";
import type { EndpointFacts, FactsCache } from "./facts.ts";
import type { ModelRequest, Reply } from "./model.ts";
import { contextAtServer } from "./server-context.ts";
import type { ServerSource } from "./server-read.ts";
import { findShortfall, isTruncated, truncated } from "./truncation.ts";

/** The check of one endpoint. */
export interface PromptCheck {
  /** Takes note of facts that somebody used. */
  note(facts: EndpointFacts): void;
  /** @throws BosunError `model/truncated` for an answer to a part of the prompt. */
  check(request: ModelRequest, reply: Reply, signal: AbortSignal): Promise<void>;
}

/** @param known the endpoint's dialect, where it is known without asking. */
export function createPromptCheck(
  source: ServerSource,
  known: Dialect | undefined,
  facts: FactsCache,
): PromptCheck {
  let isNotLoaded = false;
  return {
    note({ dialect, maxModelLen }) {
      isNotLoaded = dialect === "ollama" && maxModelLen === undefined;
    },
    async check(request, reply, signal) {
      if (known !== undefined && known !== "ollama") return;
      if (isNotLoaded) {
        isNotLoaded = false; // this call has loaded the model: what its context is can be asked now
        facts.forget();
      }
      const shortfall = findShortfall(request, reply);
      if (shortfall === undefined) return;
      const dialect = known ?? (await facts.getOrNone(signal)).dialect;
      if (dialect !== "ollama") return;
      // Asked now and not taken from the facts: Ollama allocates a context whenever it loads a model, for this call maybe.
      const model = source.endpoint.model ?? reply.model;
      const contextTokens = await contextAtServer(source, { dialect, model }, signal);
      if (!isTruncated(shortfall, contextTokens)) return;
      facts.forget(); // the next call is fitted into the context that there is
      throw truncated(source.where, shortfall, { contextTokens, reply });
    },
  };
}
