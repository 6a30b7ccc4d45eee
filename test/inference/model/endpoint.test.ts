import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../../src/clock.ts";
import { createEndpointModel } from "../../../src/inference/model/client.ts";
import { type Endpoint, endpoint } from "../../../src/inference/model/endpoint.ts";

const URL_OF = { url: "http://gpu-1:8000/v1" };

/** As a caller without types writes it. */
const untyped = endpoint as (options: unknown) => Endpoint;

describe("endpoint()", () => {
  it("takes every option", () => {
    const options = {
      url: "http://gpu-1:8000/v1",
      model: "m",
      dialect: "vllm",
      apiKeyEnv: "KEY",
      headers: { "x-a": "b" },
      maxModelLen: 1,
      caFile: "ca.pem",
      maxConnections: 1,
      stream: false,
      timeouts: { queueMs: 1, connectMs: 0.5, firstTokenMs: 1, interTokenMs: 1, totalMs: 1 },
      temperature: 2,
      topP: 1,
      seed: -1,
      stop: ["x"],
      maxTokens: 1,
      thinking: { budgetTokens: 1 },
      extraBody: { a: [1] },
    };

    expect(untyped(options)).toEqual({ type: "endpoint", ...options });
  });

  it("takes options that are undefined", () => {
    expect(endpoint({ ...URL_OF, model: undefined, temperature: undefined }).url).toBe(URL_OF.url);
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ["url", { url: 3 }],
    ["url", { url: "gpu-1:8000" }],
    ["url", { url: "http://gpu-1:8000/v1?key=1" }],
    ["url", { url: "http://gpu-1:8000/v1?" }],
    ["url", { url: "http://gpu-1:8000/v1#a" }],
    ["model", { model: 3 }],
    ["model", { model: "" }],
    ["dialect", { dialect: "tgi" }],
    ["dialect", { dialect: "constructor" }],
    ["apiKeyEnv", { apiKeyEnv: ["KEY"] }],
    ["headers", { headers: { "x-a": 3 } }],
    ["headers", { headers: "x-a: b" }],
    ["maxModelLen", { maxModelLen: 0 }],
    ["maxModelLen", { maxModelLen: "8192" }],
    ["caFile", { caFile: true }],
    ["maxConnections", { maxConnections: 0 }],
    ["maxConnections", { maxConnections: 1.5 }],
    ["stream", { stream: "no" }],
    ["timeouts", { timeouts: 5_000 }],
    ["timeouts", { timeouts: { total: 5_000 } }],
    ["timeouts", { timeouts: { totalMs: 0 } }],
    ["timeouts", { timeouts: { totalMs: Infinity } }],
    ["temperature", { temperature: 2.1 }],
    ["temperature", { temperature: Number.NaN }],
    ["topP", { topP: -0.1 }],
    ["seed", { seed: 1.5 }],
    ["stop", { stop: "x" }],
    ["stop", { stop: Array.from({ length: 17 }, () => "x") }],
    ["maxTokens", { maxTokens: 0 }],
    ["thinking", { thinking: "high" }],
    ["thinking", { thinking: { budgetTokens: -1 } }],
    ["extraBody", { extraBody: [] }],
    ["extraBody", { extraBody: { a: () => 1 } }],
  ])("refuses a wrong %s: %o", (field, wrong) => {
    expect(() => untyped({ ...URL_OF, ...wrong })).toThrow(
      expect.objectContaining({
        code: "config/invalid",
        message: expect.stringContaining(field) as string,
      }) as Error,
    );
  });

  it("does not repeat what may be a secret in a URL", () => {
    expect(() => endpoint({ url: "http://gpu-1:8000/v1?key=sk-1" })).toThrow(/^(?!.*sk-1)/);
  });
});

describe("an endpoint that is made by hand", () => {
  it.each(["nowhere", "ftp://gpu-1/v1", "http://gpu-1:8000/v1?a=b", "http://u:p@gpu-1/v1"])(
    "must have a URL: %s",
    (url) => {
      const made = { type: "endpoint", url } as const;

      expect(() => createEndpointModel({ endpoint: made, clock: createVirtualClock() })).toThrow(
        expect.objectContaining({ code: "config/invalid" }) as Error,
      );
    },
  );
});
