import { describe, expect, it } from "vitest";
import type { Json } from "../../../../src/json.ts";
import { MODEL } from "../twin-bench.ts";
import { CHAT, COMPLETIONS, createApp, post, USER } from "./ask.ts";

const PATHS = [CHAT, COMPLETIONS, "/v1/embeddings", "/tokenize", "/detokenize"];
const FIELDS =
  "model messages tools tool_choice n stream max_tokens min_tokens stop stop_token_ids logprobs top_logprobs response_format structured_outputs priority cache_salt stream_options prompt input tokens ignore_eos echo dimensions encoding_format suffix".split(
    " ",
  );
const VALUES: readonly Json[] = [
  null,
  0,
  -1,
  1,
  1e9,
  1.5,
  "",
  "x",
  "\ud800",
  [],
  {},
  [null],
  [[1]],
  true,
  [-1],
  [2 ** 31],
  { type: "function" },
  "auto",
  "required",
  USER,
  { json: "{" },
  { regex: "(" },
  { choice: [] },
  { type: "json_schema", json_schema: { name: "a", schema: { $ref: "#/nowhere" } } },
  [{ type: "function", function: { name: "f", parameters: { type: "nothing" } } }],
];

/** Bodies that are right but for one to three fields. The same in every run. */
function* bodies(count: number): Generator<readonly [path: string, body: Record<string, Json>]> {
  let state = 5;
  const pick = <T>(of: readonly T[]): T => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return of[state % of.length] as T; // `as`: no list here is empty
  };
  for (let made = 0; made < count; made++) {
    const path = pick(PATHS);
    const body: Record<string, Json> = {
      model: MODEL,
      messages: USER,
      prompt: "hi",
      input: "hi",
      tokens: [1],
      max_tokens: 5,
    };
    if (path === "/tokenize") delete body["messages"];
    for (let changes = pick([1, 2, 3]); changes > 0; changes--) body[pick(FIELDS)] = pick(VALUES);
    yield [path, body];
  }
}

describe("any body", () => {
  it("gets an answer or a refusal, never a failure of the server, and leaves nothing behind", async () => {
    const { request, replica } = createApp({
      script: [{ text: "Twelve." }],
      replica: { chunk: 8 },
    });
    const statuses = new Map<number, number>();
    const failed: string[] = [];

    for (const [path, body] of bodies(1_000)) {
      const response = await request(path, post(body));
      const text = await response.text();
      statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
      const isRefusal =
        /^\{"error":\{"message":".+","type":"[^"]+","param":.*,"code":4\d\d\}\}$/.test(text);
      if (response.status !== 200 && !isRefusal)
        failed.push(`${path} ${JSON.stringify(body)}: ${text}`);
    }

    expect(failed).toEqual([]);
    expect(statuses.get(200)).toBeGreaterThan(300);
    expect(statuses.get(400)).toBeGreaterThan(200);
    expect(replica.open).toBe(0);
  });
});
