import { describe, expect, it } from "vitest";
import {
  BosunError,
  detailOf,
  fromErrorData,
  isBosunError,
  messageOf,
  toBosunError,
} from "../src/error.ts";

describe("BosunError", () => {
  it("is told apart by its code, and is not retryable unless it says so", () => {
    const cause = new Error("socket");
    const error = new BosunError("model/server", "m", {
      retryable: true,
      details: { a: 1 },
      cause,
    });

    expect(error).toMatchObject({
      name: "BosunError",
      code: "model/server",
      retryable: true,
      details: { a: 1 },
    });
    expect(error.cause).toBe(cause);
    expect(new BosunError("usage", "m").retryable).toBe(false);
  });

  it("survives JSON without its cause and its stack", () => {
    const error = new BosunError("run/failed", "m", {
      details: { text: "x" },
      cause: new Error("inner"),
    });

    const data = JSON.parse(JSON.stringify(error));
    const again = fromErrorData(data);

    expect(data).toEqual({
      code: "run/failed",
      message: "m",
      retryable: false,
      details: { text: "x" },
    });
    expect(again).toMatchObject({ code: "run/failed", message: "m", details: { text: "x" } });
  });
});

describe("isBosunError", () => {
  it("knows one of another copy of the package, and no other error", () => {
    const foreign = Object.assign(new Error("m"), { name: "BosunError", code: "usage" });

    expect(isBosunError(foreign)).toBe(true);
    expect(
      [new Error("m"), { name: "BosunError", code: "usage" }, null, "x"].map(isBosunError),
    ).toEqual(Array(4).fill(false));
  });
});

describe("toBosunError", () => {
  it("keeps one as it is and wraps anything else with its cause", () => {
    const own = new BosunError("usage", "m");
    const other = new TypeError("x is undefined");

    expect(toBosunError(own, "run/failed", "here")).toBe(own);
    expect(toBosunError(other, "run/failed", "here")).toMatchObject({
      code: "run/failed",
      message: "here: x is undefined",
      cause: other,
    });
  });

  it("wraps whatever can be thrown into an error with a text", () => {
    const circular: Record<string, unknown> = {};
    circular["self"] = circular;
    const thrown = [
      undefined,
      null,
      "text",
      42,
      10n,
      Symbol("s"),
      () => 1,
      {},
      circular,
      Object.create(null),
      new Error(""),
    ];

    for (const value of thrown) {
      const error = toBosunError(value, "run/failed", "here");
      expect(error.message).toMatch(/^here: ./);
    }
  });
});

describe("messageOf", () => {
  it("is a text for anything", () => {
    const circular: unknown[] = [];
    circular.push(circular);

    for (const value of [undefined, null, 10n, Symbol("s"), circular, () => 1])
      expect(typeof messageOf(value)).toBe("string");
  });

  it("is the error's name when it has no message", () => {
    expect(messageOf(new TypeError())).toBe("TypeError");
  });
});

describe("detailOf", () => {
  it("finds a field, and nothing in other errors", () => {
    expect(detailOf(new BosunError("usage", "m", { details: { a: 1 } }), "a")).toBe(1);
    expect(detailOf(new BosunError("usage", "m"), "a")).toBeUndefined();
    expect(detailOf(new Error("m"), "a")).toBeUndefined();
  });
});
