import { describe, expect, it } from "vitest";
import { BosunError, detailOf } from "../../../src/error.ts";
import {
  fromAttemptsField,
  toAttemptsField,
  withAttempt,
  withAttempts,
} from "../../../src/inference/model/gateway-attempt.ts";
import type { FailedAttempt, ModelEvent } from "../../../src/inference/model/model.ts";
import type { Usage } from "../../../src/inference/model/usage.ts";

const used = (input: number, output = 0, source: Usage["source"] = "server"): Usage => ({
  input: { total: input, cached: undefined },
  output: { total: output, reasoning: undefined },
  source,
});
const retry = (usage: Usage | undefined): ModelEvent => ({
  type: "retry",
  attempt: 1,
  afterMs: 0,
  code: "model/cut",
  message: "cut",
  usage,
});
const attempt: FailedAttempt = { code: "model/cut", usage: used(10, 2, "estimated") };

describe("attempts that came to nothing", () => {
  it("are those that used something", () => {
    expect(withAttempt([], retry(undefined))).toEqual([]);
    expect(withAttempt([], { type: "queued", reason: "full" })).toEqual([]);
    expect(withAttempt([attempt], retry(used(3)))).toEqual([
      attempt,
      { code: "model/cut", usage: used(3) },
    ]);
  });

  it("are bounded in number, and none of their tokens is lost", () => {
    const all = Array.from({ length: 40 }).reduce<readonly FailedAttempt[]>(
      (known) => withAttempt(known, retry(used(5, 1))),
      [],
    );

    const sum = all.reduce((total, { usage }) => total + usage.input.total, 0);
    expect(all).toHaveLength(16);
    expect(sum).toBe(200);
  });

  it("go over the wire and come back", () => {
    const wire: unknown = JSON.parse(JSON.stringify(toAttemptsField([attempt])));

    expect(fromAttemptsField(wire)).toEqual([attempt]);
  });

  it.each([
    undefined,
    "x",
    [{}],
    [{ code: "c", prompt_tokens: -1, completion_tokens: 0 }],
    [{ code: 1, prompt_tokens: 1, completion_tokens: 0 }],
    [{ code: "c", prompt_tokens: 1.5, completion_tokens: 0 }],
  ])("are none in %j", (value) => {
    expect(fromAttemptsField(value)).toEqual([]);
  });

  it("add up in an error, with what its own attempt used", () => {
    const error = new BosunError("model/cut", "cut", { details: { usage: used(7), status: 500 } });

    const told = withAttempts(error, [attempt, attempt]);

    expect(detailOf(told, "usage")).toEqual(used(27, 4, "estimated"));
    expect(detailOf(told, "status")).toBe(500);
    expect(withAttempts(error, [])).toBe(error);
  });
});
