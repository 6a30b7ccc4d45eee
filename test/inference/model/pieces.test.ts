import { describe, expect, it } from "vitest";
import { Pieces } from "../../../src/inference/model/pieces.ts";

describe("a text in pieces", () => {
  it("is the pieces in their order, however many there are and whenever it is read", () => {
    const pieces = new Pieces();
    let whole = "";
    const early: (readonly [read: string, wanted: string])[] = [[pieces.read(), ""]];

    for (let index = 0; index < 100; index++) {
      pieces.add(`${index} `);
      whole += `${index} `;
      if (index % 7 === 0) early.push([pieces.read(), whole]);
    }

    for (const [read, wanted] of early) expect(read).toBe(wanted);
    expect(pieces.read()).toBe(whole);
    expect(pieces.read()).toBe(whole);
  });
});
