import { describe, expect, it } from "vitest";
import { isObject } from "../../src/json.ts";
import {
  chunk,
  completionReply,
  DONE,
  errorReply,
  finishChunk,
  type ReceivedRequest,
  startFaultServer,
  streamReply,
  textReply,
  type WireReply,
} from "../../src/test/index.ts";
import { newFolder, runBosun } from "./bosun-process.ts";

const NO_TOOLS =
  '"auto" tool choice requires --enable-auto-tool-choice and --tool-call-parser to be set';

/** A server that can do everything, but for what `change` answers. */
function able(change: (body: Readonly<Record<string, unknown>>) => WireReply | undefined) {
  return ({ body }: ReceivedRequest): WireReply => {
    const asked = isObject(body) ? body : {};
    const changed = change(asked);
    if (changed) return changed;
    if (asked["stream"] === false) return completionReply({ content: "ready" });
    if (asked["response_format"] ?? asked["structured_outputs"])
      return textReply('{"city":"Paris","country":"France"}');
    if (!asked["tools"]) return textReply("one ", "two");
    const call = {
      index: 0,
      id: "c1",
      type: "function",
      function: { name: "get_weather", arguments: '{"city":"Paris"}' },
    };
    return streamReply(chunk({ tool_calls: [call] }), finishChunk("tool_calls"), DONE);
  };
}

type Report = {
  readonly ok: boolean;
  readonly checks: readonly {
    readonly name: string;
    readonly status: string;
    readonly detail: string;
    readonly next?: string;
    readonly ms: number;
  }[];
};

async function doctor(...args: readonly string[]) {
  const { code, out } = await runBosun(["doctor", "--json", ...args]);
  const report = JSON.parse(out) as Report;
  return { code, report, of: (name: string) => report.checks.find((one) => one.name === name) };
}

describe("bosun doctor", () => {
  it("is fine with the embedded model", async () => {
    const { code, out } = await runBosun(["doctor"]);

    expect(out).toContain("Checking extractive (no neural network)");
    expect(out).toMatch(/^– fleet +no fleet file: bosun\.fleet\.yaml would name your endpoints$/m);
    expect(out).toMatch(/^✓ a crew of one agent +[\d.]+ m?s {2}done/m);
    expect(out).toContain("Everything that was checked works.");
    expect(code).toBe(0);
  });

  it("checks everything in order, each with its time, and is fine with a server that can do it", async () => {
    await using server = await startFaultServer({ replies: able(() => undefined) });

    const { code, report } = await doctor("--model", server.url);

    expect(report.checks.map(({ name, status }) => `${name}: ${status}`)).toEqual([
      "Node: ok",
      "data folder: ok",
      "endpoint reachable: ok",
      "model served: ok",
      "context length: ok",
      "one tiny call: ok",
      "streaming: ok",
      "tool calling: ok",
      "structured output: ok",
      "a crew of one agent: ok",
    ]);
    expect(report.checks.every(({ ms }) => ms >= 0)).toBe(true);
    expect([code, report.ok]).toEqual([0, true]);
  });

  it("says that tools go by text, and which flags vLLM lacks", async () => {
    await using server = await startFaultServer({
      replies: able(({ tools, messages }) => {
        if (tools) return errorReply(400, NO_TOOLS);
        if (!JSON.stringify(messages).includes("<tool_call>")) return undefined;
        return textReply(
          '<tool_call>{"name": "get_weather", "arguments": {"city": "Paris"}}</tool_call>',
        );
      }),
    });

    const { code, of } = await doctor("--model", server.url);

    expect(of("tool calling")).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("by text"),
      next: expect.stringContaining("--enable-auto-tool-choice --tool-call-parser"),
    });
    expect(code).toBe(0);
  });

  it("fails when the model calls no tool", async () => {
    await using server = await startFaultServer({
      replies: able(({ tools }) => (tools ? textReply("Sunny.") : undefined)),
    });

    const { code, of } = await doctor("--model", server.url);

    expect(of("tool calling")?.status).toBe("failed");
    expect(code).toBe(1);
  });

  it("fails at an endpoint that is down and skips what needs it", async () => {
    const { code, report, of } = await doctor("--endpoint", "http://127.0.0.1:9/v1");

    expect(of("endpoint reachable")).toMatchObject({ status: "failed" });
    expect(report.checks.slice(3).every(({ status }) => status === "skipped")).toBe(true);
    expect(code).toBe(1);
  });

  it("fails at a URL without /v1 and says so", async () => {
    await using server = await startFaultServer();

    const { code, of } = await doctor("--endpoint", server.url.replace("/v1", ""));

    expect(of("endpoint reachable")?.detail).toContain("/v1");
    expect(code).toBe(1);
  });

  it("names the models when the one that it is told is not served, or when there are several", async () => {
    await using server = await startFaultServer({ models: [{ id: "a" }, { id: "b" }] });

    const wrong = await doctor("--endpoint", server.url, "--model", "c");
    const several = await doctor("--endpoint", server.url);

    expect(wrong.of("model served")).toMatchObject({
      status: "failed",
      detail: '"c" is not served; it serves: a, b',
      next: expect.stringContaining("OPENAI_MODEL_NAME=a"),
    });
    expect(several.of("model served")?.detail).toBe("it serves several: a, b");
  });

  it("says that the context length is not known, which is no failure", async () => {
    await using server = await startFaultServer({
      models: [{ id: "a" }],
      replies: able(() => undefined),
    });

    const { code, of } = await doctor("--model", server.url);

    expect(of("context length")).toMatchObject({
      status: "skipped",
      next: expect.stringContaining("maxModelLen"),
    });
    expect(code).toBe(0);
  });

  it("fails for a data folder that cannot be written", async () => {
    const folder = newFolder({ file: "" });

    const { code, of } = await doctor("--data", `${folder}/file/data`);

    expect(of("data folder")).toMatchObject({ status: "failed" });
    expect(code).toBe(1);
  });

  it("refuses a model that nobody defined", async () => {
    const { code, err } = await runBosun(["doctor", "--model", "huge"]);

    expect([code, err]).toEqual([2, expect.stringContaining("Error [model/unknown]")]);
  });
});

describe("bosun models", () => {
  it("lists what an endpoint serves, with each context", async () => {
    await using server = await startFaultServer({
      models: [
        { id: "a", owned_by: "vllm", max_model_len: 8_192 },
        { id: "b", owned_by: "vllm" },
      ],
    });

    const { code, out } = await runBosun(["models", "--endpoint", server.url]);
    const json = await runBosun(["models", "--endpoint", server.url, "--json"]);

    expect(out).toContain(`endpoint:      ${server.url} (vllm)`);
    expect(out).toMatch(/^a +8,192 tokens$/m);
    expect(out).toMatch(/^b +unknown$/m);
    expect(JSON.parse(json.out)).toMatchObject({ dialect: "vllm", models: [{ name: "a" }, {}] });
    expect(code).toBe(0);
  });

  it("names the default model: the environment's, else the embedded one", async () => {
    await using server = await startFaultServer();

    const own = await runBosun(["models"], {
      env: { OPENAI_BASE_URL: server.url, OPENAI_MODEL_NAME: "test-model" },
    });
    const none = await runBosun(["models"]);

    expect(own.out).toMatch(/default model: test-model at 127\.0\.0\.1:\d+/);
    expect(none.out).toContain("default model: extractive (no neural network)");
  });

  it("fails when the endpoint is down", async () => {
    const { code, err } = await runBosun(["models", "--endpoint", "http://127.0.0.1:9/v1"], {
      cwd: newFolder(),
    });

    expect([code, err]).toEqual([1, expect.stringContaining("Error [model/unreachable]")]);
  });
});
