import { describe, expect, it } from "vitest";
import { EXIT, exitCodeOf, failureText } from "../../src/cli/failure.ts";
import { BosunError, type ErrorCode } from "../../src/error.ts";

describe("failureText", () => {
  it("is one paragraph with the code, without control characters and stack", () => {
    const error = new BosunError("model/server", "it said\n  \u001b[31moops");

    expect(failureText(error, false)).toBe("Error [model/server] it said oops");
  });

  it.each(["x is not a function", "x is not a function.", "x is not a function\n"])(
    "says after a full stop how to see more of an error that Bosun did not foresee: %j",
    (message) => {
      expect(failureText(new TypeError(message), false)).toBe(
        "Error [unexpected] x is not a function. Set BOSUN_DEBUG=1 to see where it comes from.",
      );
    },
  );

  it("has the stack when debugging", () => {
    expect(failureText(new TypeError("x"), true)).toMatch(
      /^Error \[unexpected\] x\nTypeError: x\n/,
    );
  });
});

describe("exitCodeOf", () => {
  it.each<[ErrorCode, number]>([
    ["usage", EXIT.usage],
    ["config/invalid", EXIT.usage],
    ["crew/input-missing", EXIT.usage],
    ["crew/not-built", EXIT.usage],
    ["flow/invalid", EXIT.usage],
    ["flow/input", EXIT.failed],
    ["schema/no-converter", EXIT.usage],
    ["model/unknown", EXIT.usage],
    ["run/unknown", EXIT.usage],
    ["run/ended", EXIT.usage],
    ["run/changed", EXIT.usage],
    ["run/version", EXIT.usage],
    ["run/owned", EXIT.failed],
    ["model/unreachable", EXIT.failed],
    ["run/failed", EXIT.failed],
    ["store/failed", EXIT.failed],
  ])("of %s is %i", (code, exitCode) => {
    expect(exitCodeOf(new BosunError(code, "x"))).toBe(exitCode);
  });

  it("of anything else is 1", () => {
    expect(exitCodeOf(new Error("x"))).toBe(1);
  });
});
