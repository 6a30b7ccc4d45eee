import { describe, expect, it } from "vitest";
import { BosunError } from "../../../src/error.ts";
import { parseFleet } from "../../../src/inference/fleet/fleet-file.ts";

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

describe("a fleet file whose keys are all right", () => {
  it.each<[string, string, [number, number], RegExp]>([
    [
      "a default that is no model",
      lines("default: larg", "models: { large: { provider: openai } }"),
      [1, 10],
      /default names "larg".*Did you mean "large"\?/,
    ],
    [
      "a fallback that is no model",
      lines("models:", "  a: { provider: openai, fallback: [b] }"),
      [2, 37],
      /fallback names "b"/,
    ],
    [
      "a fallback to itself",
      lines("models:", "  a: { provider: openai, fallback: [a] }"),
      [2, 37],
      /"a" cannot be its own fallback/,
    ],
    [
      "endpoints and a provider",
      lines("models:", "  a: { provider: openai, endpoints: [ { url: http://h/v1 } ] }"),
      [2, 18],
      /both provider openai and 1 endpoints/,
    ],
    [
      "neither endpoints nor a provider",
      lines("models:", "  a: { model: m }"),
      [2, 6],
      /model "a" has no endpoints/,
    ],
    [
      "one URL twice",
      lines(
        "models:",
        "  a:",
        "    endpoints:",
        "      - url: http://h/v1",
        "      - url: http://h/v1/",
      ),
      [5, 9],
      /url http:\/\/h\/v1 stands at endpoint 1 and 2/,
    ],
    [
      "an answer as long as the context",
      lines("models:", "  a: { provider: openai, maxModelLen: 4096, maxTokens: 4096 }"),
      [2, 56],
      /maxTokens 4096 leaves no room.*maxModelLen 4096/,
    ],
    [
      "a cache that is shorter than the context",
      lines(
        "models:",
        "  a: { maxModelLen: 8192, endpoints: [ { url: http://h/v1, kvTokens: 4096 } ] }",
      ),
      [2, 70],
      /kvTokens 4096 is less than maxModelLen 8192/,
    ],
    [
      "a field that the dialect has not",
      lines(
        "models:",
        "  a: { endpoints: [ { url: http://h/v1, dialect: ollama, accepts: { priority: true } } ] }",
      ),
      [2, 79],
      /accepts.priority is true.*dialect is ollama/,
    ],
    [
      "a worker to be kept awake that nobody can wake",
      lines(
        "models:",
        "  a: { endpoints: [ { url: http://h/v1, dialect: ollama, keepAwakeSeconds: 60 } ] }",
      ),
      [2, 76],
      /keepAwakeSeconds is given.*dialect is ollama/,
    ],
    [
      "a scaler without workers",
      lines(
        "models:",
        "  a: { endpoints: [ { url: http://h/v1, scaler: { type: QUEUE_DELAY, seconds: 4 } } ] }",
      ),
      [2, 49],
      /scaler QUEUE_DELAY is given without maxWorkers/,
    ],
    [
      "addresses under a certificate",
      lines("models:", '  a: { endpoints: [ { url: https://h/v1, replicas: { dns: "h:443" } } ] }'),
      [2, 59],
      /the certificate of https:\/\/h\/v1 names a host/,
    ],
  ])("refuses the contradiction of %s", (_what, text, [line, column], message) => {
    const error = errorOf(text);

    expect(error.code).toBe("config/invalid");
    expect(error.message).toMatch(message);
    expect(error.details).toMatchObject({ line, column });
  });
});
