import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/json.ts";
import { signatureOf } from "../../../src/orchestration/tool/signature.ts";

describe("signatureOf", () => {
  it.each<[string, JsonObject]>([
    ["{}", { type: "object", properties: {} }],
    [
      "{ a: string, b?: number 0.. }",
      { properties: { a: { type: "string" }, b: { type: "number", minimum: 0 } }, required: ["a"] },
    ],
    ['{ unit?: "ms" | "s" }', { properties: { unit: { enum: ["ms", "s"] } } }],
    [
      "{ names?: string[], rows?: ({ id?: integer })[] }",
      {
        properties: {
          names: { type: "array", items: { type: "string" } },
          rows: { type: "array", items: { properties: { id: { type: "integer" } } } },
        },
      },
    ],
    [
      "{ at?: string | null, one?: 1 | 2 }",
      {
        properties: {
          at: { type: ["string", "null"] },
          one: { anyOf: [{ const: 1 }, { const: 2 }] },
        },
      },
    ],
    [
      "{ a?: { b?: { c?: object } } }",
      {
        properties: { a: { properties: { b: { properties: { c: { properties: { d: {} } } } } } } },
      },
    ],
    ["any", { $ref: "#/$defs/x" }],
  ])("is %s", (expected, schema) => {
    expect(signatureOf(schema)).toBe(expected);
  });

  it("stays short for a large schema", () => {
    const properties = Object.fromEntries(
      Array.from({ length: 500 }, (_, index) => [
        `a_rather_long_name_of_a_field_${index}`,
        { type: "string" },
      ]),
    );

    expect(signatureOf({ properties }).length).toBeLessThanOrEqual(601);
    expect(
      signatureOf({
        properties: Object.fromEntries(
          Object.entries(properties)
            .slice(0, 21)
            .map(([, value], index) => [`k${index}`, value]),
        ),
      }),
    ).toContain("… 1 more");
  });
});
