// Tokens that a call used, as one shape for every server.

import type { Json } from "../../json.ts";

/**
 * Tokens of one call or of a sum of calls. `cached` is a part of `input.total`, `reasoning` a part of `output.total`;
 * undefined = the server did not say, never 0. `source` is "estimated" when no server counted (a cut stream, a server
 * without usage); a sum is estimated when any part of it is. `raw` is what the server sent, on single calls only.
 */
export type Usage = {
  readonly input: { readonly total: number; readonly cached: number | undefined };
  readonly output: { readonly total: number; readonly reasoning: number | undefined };
  readonly source: "server" | "estimated";
  readonly raw?: Json | undefined;
};

/** The sum of nothing. */
export const NO_USAGE: Usage = {
  input: { total: 0, cached: undefined },
  output: { total: 0, reasoning: undefined },
  source: "server",
};

/** The sum of two usages, without their raw forms. */
export function addUsage(a: Usage, b: Usage): Usage {
  return {
    input: {
      total: a.input.total + b.input.total,
      cached: addKnown(a.input.cached, b.input.cached),
    },
    output: {
      total: a.output.total + b.output.total,
      reasoning: addKnown(a.output.reasoning, b.output.reasoning),
    },
    source: a.source === "estimated" || b.source === "estimated" ? "estimated" : "server",
  };
}

function addKnown(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined ? b : b === undefined ? a : a + b;
}
