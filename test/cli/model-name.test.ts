import { describe, expect, it } from "vitest";
import { checkModelName } from "../../src/cli/model-name.ts";

const SERVER = { OPENAI_BASE_URL: "http://gpu-1:8000/v1" };

describe("checkModelName", () => {
  it.each([
    ["extractive", {}],
    ["http://localhost:8000/v1", {}],
    ["ollama/llama3:8b", {}],
    ["qwen3:32", SERVER],
    ["Qwen/Qwen3-8B", SERVER],
  ])("takes %j", (name, env) => {
    expect(() => checkModelName(name, env)).not.toThrow();
  });

  it.each([
    ["", "usage", "it is empty"],
    ["  ", "usage", "it is empty"],
    ["gpt5", "model/unknown", 'no model is called "gpt5"'],
    ["localhost:8000", "usage", "did you mean http://localhost:8000/v1?"],
    ["gpu-1:8000/v1", "usage", "did you mean http://gpu-1:8000/v1?"],
    ["127.0.0.1:8000/", "usage", "did you mean http://127.0.0.1:8000/v1?"],
    ["extractve", "usage", "did you mean extractive?"],
    ["Extractive", "usage", "did you mean extractive?"],
    ["http://", "usage", "--model http://"],
  ])("refuses %j", (name, code, message) => {
    expect(() => checkModelName(name, {})).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(message) }),
    );
  });

  it("refuses a slip of the hand although a server might serve it", () => {
    for (const name of ["localhost:8000", "extractve"])
      expect(() => checkModelName(name, SERVER)).toThrow(
        expect.objectContaining({ code: "usage" }),
      );
  });
});
