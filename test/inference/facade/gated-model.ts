// A model whose answer goes on when a test says so.

import { BosunError } from "../../../src/error.ts";
import type { Model } from "../../../src/inference/model/model.ts";
import { scriptedModel } from "../../../src/test/scripted-model.ts";
import { HELLO } from "./ask.ts";

/** A model that says a word whenever the test opens its gate, and tells when its call is aborted. */
export function gatedModel(): Model & {
  open(): void;
  /** Its answer ends with its next word. */
  end(): void;
  readonly started: Promise<void>;
  readonly aborted: Promise<unknown>;
} {
  const started = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<unknown>();
  let gate = Promise.withResolvers<void>();
  const state = { isOver: false };
  return {
    contextTokens: async () => undefined,
    started: started.promise,
    aborted: aborted.promise,
    open() {
      gate.resolve();
      gate = Promise.withResolvers();
    },
    end() {
      state.isOver = true;
      this.open();
    },
    async *call(request, signal) {
      started.resolve();
      const stop = Promise.withResolvers<never>();
      stop.promise.catch(() => undefined);
      signal.addEventListener("abort", () => {
        aborted.resolve(signal.reason);
        stop.reject(new BosunError("model/cancelled", "aborted"));
      });
      for (let count = 1; !state.isOver; count++) {
        yield { type: "text-delta", text: `word${count} ` };
        await Promise.race([gate.promise, stop.promise]);
      }
      yield* scriptedModel([HELLO]).call(request, signal);
    },
  };
}
