import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { BosunError, type ErrorCode } from "../../../src/error.ts";
import { toHopError } from "../../../src/inference/facade/hop.ts";
import { toFailure } from "../../../src/inference/model/failure.ts";

const source = readFileSync(new URL("../../../src/error.ts", import.meta.url), "utf8");
/** All that there are: one that is added must pass too. */
const CODES = [...source.matchAll(/\| "((?:model|worker)\/[a-z-]+)"/g)].map(
  ([, code]) => code as ErrorCode, // `as`: read from their definition
);

/** The error as a Bosun behind the gateway has it. */
function overTheWire(error: unknown, isGateway = true): BosunError {
  const { status, body, headers } = toHopError(error, "id");
  return toFailure({
    status,
    contentType: "application/json",
    retryAfter: headers["retry-after"],
    body: JSON.stringify(body),
    where: "large at gateway",
    secrets: [],
    now: 0,
    isGateway,
  });
}

describe("an error of the pool behind a gateway", () => {
  it.each(CODES)("is %s at the worker too, and final", (code) => {
    const error = new BosunError(code, "what happened", { retryable: true });

    const arrived = overTheWire(error);

    expect(arrived).toMatchObject({ code, message: "large at gateway: what happened" });
    expect(arrived.retryable).toBe(false);
    expect(toHopError(error, "id").headers["x-bosun-final"]).toBe("true");
  });

  it("knows all codes of models", () => {
    expect(CODES).toHaveLength(16);
  });

  it("keeps what programs read, and neither texts nor what no program should trust", () => {
    const details = {
      reason: "queue-full",
      retryAfterMs: 2_400,
      text: "half an answer",
      apiKey: "sk-secret",
    };
    const error = new BosunError("model/overloaded", "no room", { retryable: true, details });

    const { status, headers, body } = toHopError(error, "id");

    expect([status, headers["retry-after"], headers["x-should-retry"]]).toEqual([
      503,
      "3",
      undefined,
    ]);
    expect(overTheWire(error).details).toEqual({
      reason: "queue-full",
      retryAfterMs: 2_400,
      isFinal: true,
    });
    expect(JSON.stringify(body)).not.toMatch(/half an answer|sk-secret/);
  });

  it("tells OpenAI's clients that a repetition is no use, unless it is only full", () => {
    const dead = toHopError(new BosunError("model/unreachable", "nobody is there"), "id");

    expect([dead.status, dead.headers["x-should-retry"]]).toEqual([502, "false"]);
  });

  it("is read by its status at an endpoint that is not known to be a gateway", () => {
    const error = overTheWire(new BosunError("model/timed-out", "too slow"), false);

    expect([error.code, error.retryable]).toEqual(["model/server", true]);
  });

  it("is any other failure when it is not the pool's", () => {
    const refused = new BosunError("server/bad-request", "the header x-bosun-priority must be …");

    expect(overTheWire(refused).code).toBe("model/bad-request");
    expect(overTheWire(new Error("a defect"))).toMatchObject({
      code: "model/server",
      retryable: true,
    });
  });

  it("takes no code that is not a model's from a body", () => {
    const body = JSON.stringify({ error: { message: "m", bosun: { code: "run/cancelled" } } });
    const refusal = { status: 500, contentType: "", retryAfter: undefined, body, where: "w" };

    const error = toFailure({ ...refusal, secrets: [], now: 0, isGateway: true });

    expect(error.code).toBe("model/server");
  });
});
