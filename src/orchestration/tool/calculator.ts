// calculator: arithmetic that language models get wrong.

import { evaluate } from "./expression.ts";
import { checkOptions } from "./option.ts";
import { type Tool, tool } from "./tool.ts";

/**
 * A tool that computes an arithmetic expression. Its result is `{"result":0.3}`; what has no value is a `tool/arguments` error.
 * @param options It has none. @throws BosunError `tool/invalid` for any.
 */
export function calculator(options: Readonly<Record<string, never>> = {}): Tool {
  checkOptions("tool calculator", options, []);
  return tool({
    name: "calculator",
    description:
      "Computes an arithmetic expression with + - * / % (remainder) ^ (power) and brackets, pi, e, sqrt, abs, round(x, digits), floor, " +
      "ceil, min, max, sum, avg, exp, ln, log10, log2, log(x, base), sin, cos, tan (radians). No units, no variables, no thousands separators.",
    parameters: {
      type: "object",
      properties: {
        expression: {
          type: "string",
          minLength: 1,
          maxLength: 1_000,
          description: 'Such as "(3.84 * 24 - 10) / 2^3"',
        },
      },
      required: ["expression"],
      additionalProperties: false,
    },
    run: (args) => {
      const { expression } = args as { expression: string }; // `as`: validated by the schema above
      return { result: evaluate(expression) };
    },
  });
}
