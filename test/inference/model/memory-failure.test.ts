import { describe, expect, it } from "vitest";
import type { BosunError } from "../../../src/error.ts";
import { toFailure } from "../../../src/inference/model/failure.ts";
import type { ErrorCase } from "../../fixtures/error-case.ts";
import {
  FULL_MEMORY_ERRORS,
  KILLED_ERRORS,
  NOT_MEMORY_ERRORS,
  TOO_LARGE_ERRORS,
} from "../../fixtures/memory-errors.ts";

function failureOf({ status, body }: ErrorCase): BosunError {
  const isText = typeof body === "string";
  return toFailure({
    status,
    contentType: isText ? "text/plain" : "application/json",
    retryAfter: undefined,
    body: isText ? body : JSON.stringify(body),
    where: "small at box",
    secrets: [],
    now: 0,
  });
}

describe("a refusal for want of memory", () => {
  it.each([...FULL_MEMORY_ERRORS, ...TOO_LARGE_ERRORS, ...KILLED_ERRORS])(
    "$server, $what: $code, repeatable: $retryable",
    (refusal) => {
      const { code, retryable } = failureOf(refusal);

      expect({ code, retryable }).toEqual({ code: refusal.code, retryable: refusal.retryable });
    },
  );

  it.each([
    ["full", FULL_MEMORY_ERRORS, /maxNumSeqs/],
    ["too large", TOO_LARGE_ERRORS, /quantisation/],
    ["killed", KILLED_ERRORS, /--max-model-len/],
  ])("names a setting to change: %s", (_, refusals, setting) => {
    for (const refusal of refusals) expect(failureOf(refusal).message).toMatch(setting);
  });
});

describe("a refusal that only sounds like memory", () => {
  it.each(NOT_MEMORY_ERRORS)("$server, $what: $code", (refusal) => {
    expect(failureOf(refusal).code).toBe(refusal.code);
  });
});
