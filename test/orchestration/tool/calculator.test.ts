import { describe, expect, it } from "vitest";
import { calculator } from "../../../src/orchestration/tool/calculator.ts";
import { evaluate } from "../../../src/orchestration/tool/expression.ts";
import { failureOf } from "./failure.ts";
import { runOnce } from "./probe.ts";

describe("evaluate", () => {
  it.each([
    ["1 + 2 * 3", 7],
    ["(1 + 2) * 3", 9],
    ["0.1 + 0.2", 0.3],
    ["1.1 * 3", 3.3],
    ["-2^2", -4],
    ["2^-1", 0.5],
    ["2^3^2", 512],
    ["2**10", 1_024],
    ["--5", 5],
    ["2 * -3", -6],
    ["7 % 4", 3],
    ["-7 % 4", -3],
    ["10 - 2 - 3", 5],
    ["100 / 10 / 2", 5],
    ["1e3 + 1.5E-1", 1_000.15],
    ["1_000_000 * 2", 2_000_000],
    [".5 + 5.", 5.5],
    ["3 × 4 ÷ 2 − 1", 5],
    ["9007199254740991 + 0", 9_007_199_254_740_991],
    ["2^64", 18446744073709600000],
    ["1/3", 0.333333333333333],
    ["round(2.5)", 3],
    ["round(-2.5)", -3],
    ["round(1.005, 2)", 1.01],
    ["round(1234.5, -2)", 1_200],
    ["round(1e300, 5)", 1e300],
    ["sqrt(16) + cbrt(27)", 7],
    ["log(8, 2)", 3],
    ["ln(e) + log10(1000) + log2(8)", 7],
    ["min(3, 1, 2) + max(3, 1, 2)", 4],
    ["sum(1, 2, 3) / avg(2, 4)", 2],
    ["pow(2, 8)", 256],
    ["Math.abs(-1) + ABS(-1)", 2],
    ["cos(0) + sin(pi / 2)", 2],
    ["tau / pi", 2],
  ])("computes %s = %d", (expression, expected) => {
    expect(evaluate(expression)).toBe(expected);
  });

  it.each([
    ["", "expected a number, a function or '(' at position 0, got the end"],
    ["1 +", "at position 3, got the end"],
    ["(1 + 2", "expected ')' at position 6, got the end"],
    ["1 2", 'expected an operator or the end at position 2, got "2"'],
    ["2pi", 'got "p"'],
    ["1,000", 'got ","'],
    ["5 apples", 'got "a"'],
    ["$5", 'got "$"'],
    ["1 / 0", "division by zero at position 2"],
    ["1 % 0", "division by zero"],
    ["sqrt(-1)", "not a real number"],
    ["10^400", "too large"],
    ["x + 1", 'no constant "x" at position 0; there are pi, e, tau'],
    ["foo(1)", 'no function "foo" at position 0'],
    ["round(1, 2, 3)", "round takes 1 to 2 values, got 3"],
    ["pow(2)", "pow takes 2 values, got 1"],
    ["min()", "expected a number"],
    ["constructor(1)", "no function"],
    ["__proto__", 'got "_"'],
    ["process.exit(1)", 'no function "process.exit"'],
    ["globalThis", "no constant"],
    ["[].filter", 'got "["'],
    ["'a'", "expected a number"],
    ["1".repeat(1_001), "1001 characters"],
    ["(".repeat(60), "more than 50 levels"],
    ["-".repeat(60), "more than 50 levels"],
    [`2${"^2".repeat(60)}`, "more than 50 levels"],
    [`max(${"1,".repeat(120)}1)`, "more than 100 values"],
  ])("refuses %j", async (expression, message) => {
    const failure = await failureOf(() => evaluate(expression));

    expect(failure.code).toBe("tool/arguments");
    expect(failure.message).toContain(message);
  });
});

describe("calculator", () => {
  it("gives the model the result", async () => {
    expect(await runOnce(calculator(), '{"expression":"3.84 * 24"}')).toMatchObject({
      type: "done",
      content: '{"result":92.16}',
    });
  });

  it("gives the model what is wrong with its expression", async () => {
    expect(await runOnce(calculator(), '{"expression":"15% of 80"}')).toMatchObject({
      type: "failed",
      code: "tool/arguments",
    });
  });
});
