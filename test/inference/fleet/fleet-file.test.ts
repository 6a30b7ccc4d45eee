import { describe, expect, it } from "vitest";
import { BosunError } from "../../../src/error.ts";
import { parseFleet, toFleet } from "../../../src/inference/fleet/fleet-file.ts";

const FILE = "bosun.fleet.yaml";

/** The error of a text that is no fleet. */
function errorOf(text: string): BosunError {
  try {
    parseFleet(FILE, text);
  } catch (error) {
    if (error instanceof BosunError) return error;
    throw error;
  }
  throw new Error("the fleet was read");
}

const lines = (...text: readonly string[]): string => `${text.join("\n")}\n`;

describe("a fleet file", () => {
  it("is read as the design writes it", () => {
    const fleet = parseFleet(
      FILE,
      lines(
        "models:",
        "  large: { model: Qwen/Qwen3-32B-FP8, maxModelLen: 8192, thinking: false, endpoints: [ { url: http://gpu-1:8000/v1, dialect: vllm, gpu: H100-SXM, usdPerHour: 3.84, maxNumSeqs: 64 } ] }",
        "  small: { model: meta-llama/Llama-3.1-8B-Instruct, endpoints: [ { url: https://api.runpod.ai/v2/ID/openai/v1, dialect: runpod, apiKeyEnv: RUNPOD_API_KEY, gpu: RTX-4090, maxWorkers: 3, usdPerHour: 1.12 } ] }",
        "  gpt-4o-mini: { provider: openai, usdPerMillionTokens: { input: 0.15, output: 0.60 } }",
        "limits: { usdPerRun: 0.50, tokensPerRun: 200000 }",
      ),
    );

    expect(Object.keys(fleet.models)).toEqual(["large", "small", "gpt-4o-mini"]);
    expect(fleet.models["large"]).toMatchObject({ thinking: false, maxModelLen: 8192 });
    expect(fleet.models["small"]?.endpoints?.[0]).toMatchObject({ maxWorkers: 3 });
    expect(fleet.limits).toEqual({ usdPerRun: 0.5, tokensPerRun: 200_000 });
  });

  it("takes every key of a model and of an endpoint", () => {
    const fleet = parseFleet(
      FILE,
      lines(
        "default: large",
        "gateway: http://gateway:8400/v1",
        "tenants: { acme: 3, other: 0.5 }",
        "models:",
        "  large:",
        "    temperature: 0.2",
        "    topP: 0.9",
        "    seed: 7",
        '    stop: ["END"]',
        "    maxTokens: 512",
        "    thinking: { budgetTokens: 100 }",
        "    extraBody: { top_k: 20 }",
        "    timeouts: { queueMs: 1000, totalMs: 5000 }",
        "    route: prefix-affinity",
        "    order: fcfs",
        "    maxQueued: 10",
        "    fallback: [small]",
        "    endpoints:",
        "      - url: http://gpu-1:8000/v1",
        "        name: first",
        "        headers: { x-team: crew }",
        "        kvTokens: 100000",
        "        prefillTokens: 8192",
        "        requestsPerMinute: 60",
        "        tokensPerMinute: 100000",
        "        share: 0.5",
        "        maxWorkers: 2",
        "        scaler: { type: REQUEST_COUNT, requests: 4 }",
        "        accepts: { priority: true, sessionId: true, cacheSalt: true }",
        '        replicas: { dns: "gpu:8000" }',
        "  small: { provider: ollama, model: qwen3:8b }",
      ),
    );

    expect(fleet.models["large"]?.endpoints?.[0]?.scaler).toEqual({
      type: "REQUEST_COUNT",
      requests: 4,
    });
  });

  it("lets anchors say once what several endpoints share", () => {
    const fleet = parseFleet(
      FILE,
      lines(
        "models:",
        "  a:",
        "    endpoints:",
        "      - &one { url: http://a/v1, maxNumSeqs: 8 }",
        "      - { <<: *one, url: http://b/v1 }",
      ),
    );

    expect(fleet.models["a"]?.endpoints?.[1]).toEqual({ url: "http://b/v1", maxNumSeqs: 8 });
  });

  it.each<[string, string, [number, number], RegExp]>([
    [
      "a key that is unknown",
      lines("models:", "  a:", "    endponts: []"),
      [3, 5],
      /unknown key "endponts"\. Did you mean "endpoints"\?/,
    ],
    [
      "a key of an endpoint that is unknown",
      lines("models:", "  a:", "    endpoints:", "      - { url: http://h/v1, apiKey: x }"),
      [4, 29],
      /unknown key "apiKey"/,
    ],
    ["no models", lines("default: a"), [1, 1], /"models" is missing/],
    [
      "models that are none",
      lines("models: {}"),
      [1, 9],
      /models must be an object of 1 to 200 names/,
    ],
    [
      "a URL that is none",
      lines("models:", "  a: { endpoints: [ { url: gpu-1:8000 } ] }"),
      [2, 28],
      /url must be an http\(s\) URL.*got "gpu-1:8000"/,
    ],
    [
      "a password in a URL",
      lines("models:", "  a: { endpoints: [ { url: http://u:p@h/v1 } ] }"),
      [2, 28],
      /without a password/,
    ],
    [
      "an endpoint without a URL",
      lines("models:", "  a:", "    endpoints:", "      - name: x"),
      [4, 9],
      /"url" is missing/,
    ],
    [
      "a GPU that nobody knows",
      lines("models:", "  a: { endpoints: [ { url: http://h/v1, gpu: H9000 } ] }"),
      [2, 46],
      /gpu must be a GPU of the catalogue.*got "H9000"/,
    ],
    [
      "a number that is a text",
      lines("models:", "  a: { provider: openai, maxModelLen: 8k }"),
      [2, 39],
      /maxModelLen must be a whole number of at least 1, got "8k"/,
    ],
    [
      "a route that there is not",
      lines("models:", "  a: { provider: openai, route: random }"),
      [2, 33],
      /route must be one of round-robin/,
    ],
    [
      "a share over 1",
      lines("models:", "  a: { endpoints: [ { url: http://h/v1, share: 2 } ] }"),
      [2, 48],
      /share must be a number above 0, at most 1, got 2/,
    ],
    [
      "a scaler that there is not",
      lines("models:", "  a: { endpoints: [ { url: http://h/v1, maxWorkers: 2, scaler: fast } ] }"),
      [2, 64],
      /scaler must be \{ type: QUEUE_DELAY/,
    ],
    [
      "a key where the name of its variable belongs",
      lines("models:", "  a: { endpoints: [ { url: http://h/v1, apiKeyEnv: sk-12345 } ] }"),
      [2, 52],
      /the name of a variable, not a key/,
    ],
    [
      "an alias that cannot be typed",
      lines("models:", '  "a b": { provider: openai }'),
      [2, 3],
      /the name must be 1 to 128 letters/,
    ],
    ["a fleet that is a list", lines("- a"), [1, 1], /the fleet must be an object of models/],
    ["an empty file", "", [1, 1], /the file is empty/],
    ["no YAML", lines("models: [", "  a"), [3, 1], /not valid YAML/],
    [
      "a key that stands twice",
      lines("models:", "  a: { provider: openai }", "  a: { provider: ollama }"),
      [3, 3],
      /not valid YAML: Map keys must be unique/,
    ],
  ])("says the place of %s", (_what, text, [line, column], message) => {
    const error = errorOf(text);

    expect(error.code).toBe("config/invalid");
    expect(error.message).toMatch(message);
    expect(error.message).toContain(`${FILE}:${line}:${column}: `);
    expect(error.details).toMatchObject({ file: FILE, line, column });
  });

  it("is refused when its aliases stand for too much", () => {
    const bomb = lines(
      "a: &a [1,1,1,1,1,1,1,1,1,1]",
      "b: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]",
      "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]",
      "models: [*c,*c,*c,*c,*c,*c,*c,*c,*c,*c]",
    );

    expect(errorOf(bomb).code).toBe("config/invalid");
  });

  it.each([
    ["a key in the place of its variable", "url: http://h/v1, apiKeyEnv: sk-sekret"],
    ["a password in a URL", "url: http://user:sekret@h/v1"],
  ])("does not show %s in its error", (_what, keys) => {
    expect(errorOf(lines("models:", `  a: { endpoints: [ { ${keys} } ] }`)).message).not.toContain(
      "sekret",
    );
  });

  it("shows no value of a header in an error", () => {
    const text = lines(
      "models:",
      "  a: { endpoints: [ { url: http://h/v1, headers: { k: [sekret] } } ] }",
    );

    expect(errorOf(text).message).not.toContain("sekret");
  });
});

describe("a fleet that a program gives", () => {
  it("is what it was given", () => {
    const given = { models: { a: { provider: "openai" } } } as const;

    expect(toFleet(given)).toEqual(given);
  });

  it("is told its mistake with the path", () => {
    expect(() => toFleet({ models: { a: { provider: "openai", seed: 0.5 } } })).toThrow(
      expect.objectContaining({
        code: "config/invalid",
        message: "fleet: models.a.seed: seed must be a whole number, got 0.5",
      }),
    );
  });
});
