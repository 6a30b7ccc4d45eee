import { describe, expect, it } from "vitest";
import { isBosunError } from "../../../src/error.ts";
import { fromHintHeaders, toHintHeaders } from "../../../src/inference/model/hint-header.ts";
import type { ModelHints } from "../../../src/inference/model/model.ts";

const HINTS: ModelHints = {
  runId: "run-1",
  path: ["task:write / draft", "turn:2"],
  agent: "Écrivain 🖋",
  task: "write: a, b",
  purpose: "final",
  tenant: "acme, inc.",
  priority: -1.5,
  deadlineAt: 61_000,
  remainingCalls: 3,
  remainingTokens: 12_345,
  expectedTokens: 0,
};

const read = (headers: Readonly<Record<string, string>>, now = 0): Partial<ModelHints> =>
  fromHintHeaders((name) => headers[name], now);

/** The code of the refusal, and the header that it names. */
function refusal(headers: Readonly<Record<string, string>>): unknown {
  try {
    return read(headers);
  } catch (error) {
    return isBosunError(error) ? [error.code, error.details?.["param"]] : error;
  }
}

describe("hints as headers", () => {
  it("come back as they were, on a machine whose clock shows another time", () => {
    const headers = toHintHeaders(HINTS, 1_000);

    expect(read(headers, 500_000)).toEqual({ ...HINTS, deadlineAt: 560_000 });
    expect(Object.values(headers).join("")).toMatch(/^[\x21-\x7e]+$/);
  });

  it("say nothing of what nobody knows", () => {
    const hints: ModelHints = { runId: "r", path: [], purpose: "work", remainingCalls: undefined };

    const headers = toHintHeaders(hints, 0);

    expect(headers).toEqual({ "x-bosun-run-id": "r", "x-bosun-purpose": "work" });
    expect(read(headers)).toEqual({ runId: "r", purpose: "work" });
  });

  it("are cut where they would not be read, never within a character", () => {
    const long = "🖋".repeat(500);
    const path = Array.from({ length: 100 }, (_, index) => `${index} ${"é".repeat(200)}`);

    const headers = toHintHeaders({ ...HINTS, agent: long, task: `a${long}\uD83D`, path }, 0);
    const hints = read(headers);

    expect(hints.agent).toBe("🖋".repeat(64));
    expect(hints.task).toBe(`a${"🖋".repeat(63)}`);
    expect(hints.path?.at(-1)?.slice(0, 2)).toBe("99");
    expect(JSON.stringify(headers).length).toBeLessThan(10_000);
  });

  it("never say a deadline that has passed, nor a number that is none", () => {
    const odd = { ...HINTS, deadlineAt: 5, remainingCalls: 1e300, expectedTokens: Number.NaN };

    const hints = read(toHintHeaders(odd, 1_000), 2_000);

    expect([hints.deadlineAt, hints.remainingCalls, hints.expectedTokens]).toEqual([
      2_000,
      1_000_000_000,
      undefined,
    ]);
  });

  it("are read from headers that others have for the same, ours first", () => {
    const theirs = {
      "x-llm-d-inference-fairness-id": "team-a",
      "x-session-id": "s-1",
      "x-vllm-priority": "4",
    };

    expect(read(theirs)).toEqual({ tenant: "team-a", runId: "s-1", priority: 4 });
    expect(read({ ...theirs, "x-bosun-priority": "1" }).priority).toBe(1);
  });

  it.each([
    ["x-bosun-run-id", "%zz"],
    ["x-bosun-agent", "a".repeat(129)],
    ["x-bosun-task", "%00".repeat(2_000)],
    ["x-bosun-path", "a//b"],
    ["x-bosun-path", Array(17).fill("a").join("/")],
    ["x-bosun-purpose", "fun"],
    ["x-bosun-priority", "high"],
    ["x-bosun-priority", "1e9"],
    ["x-vllm-priority", "9999999"],
    ["x-bosun-deadline-ms", "-1"],
    ["x-bosun-remaining-calls", "1.5"],
    ["x-bosun-remaining-tokens", "99999999999"],
    ["x-bosun-expected-tokens", "Infinity"],
  ])("refuse %s: %s and name it", (name, value) => {
    expect(refusal({ [name]: value })).toEqual(["server/bad-request", name]);
  });
});
