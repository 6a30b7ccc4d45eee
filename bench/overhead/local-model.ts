// A model in process, without sockets.

import type { Model } from "../../src/inference/model/model.ts";
import { REPLY } from "./canned.ts";

/** Answers at once and remembers nothing. */
export function localModel(): Model {
  const pieces = REPLY.match(/.{1,120}/gs) ?? [];
  const usage = {
    input: { total: 100, cached: undefined },
    output: { total: 200, reasoning: undefined },
    source: "server",
  } as const;
  return {
    async *call() {
      yield { type: "start", endpoint: "local", model: "local", attempt: 1 };
      for (const text of pieces) yield { type: "text-delta", text };
      yield {
        type: "end",
        text: REPLY,
        reasoning: "",
        calls: [],
        finish: { unified: "stop", raw: "stop" },
        usage,
        timings: { queueMs: 0, firstTokenMs: 0, totalMs: 0 },
        endpoint: "local",
        model: "local",
      };
    },
    contextTokens: async () => 32_768,
  };
}
