// Requests for tests: token ids from a name, so that equal beginnings are equal and others are not.

import type { GenerateRequest } from "../../../src/inference/twin/generate.ts";

/** What a test says of a request; the rest does not matter to it. */
export type RequestSpec = Partial<Omit<GenerateRequest, "promptIds" | "outputIds">> & {
  /** How many prompt tokens, or which. */
  readonly prompt?: number | readonly number[];
  readonly output?: number | readonly number[];
};

/** A request whose tokens, where only counted, are its own. */
export function request(
  id: string,
  { prompt = 8, output = 4, ...rest }: RequestSpec = {},
): GenerateRequest {
  return {
    id,
    promptIds: Int32Array.from(typeof prompt === "number" ? tokens(id, prompt) : prompt),
    outputIds: Int32Array.from(typeof output === "number" ? tokens(`${id}>`, output) : output),
    finish: "stop",
    priority: 0,
    cacheSalt: undefined,
    lora: undefined,
    ...rest,
  };
}

/** `count` tokens that belong to `name` alone. */
export function tokens(name: string, count: number): number[] {
  let base = 7;
  for (const letter of name) base = (base * 31 + letter.charCodeAt(0)) % 100_003;
  return Array.from({ length: count }, (_, at) => base * 1_000 + at);
}
