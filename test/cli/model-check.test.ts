import { describe, expect, it } from "vitest";
import { createVirtualClock } from "../../src/clock.ts";
import { runChecks } from "../../src/cli/check.ts";
import { modelChecks } from "../../src/cli/model-check.ts";
import { BosunError } from "../../src/error.ts";
import { endpoint, type ModelRef } from "../../src/inference/model/endpoint.ts";
import type { Model, ModelRequest } from "../../src/inference/model/model.ts";
import { scriptedModel, type ScriptedReply } from "../../src/test/index.ts";

const PLACE = '{"city":"Paris","country":"France"}';

/** A model that can do everything, but for what `change` says. */
function able(change: (request: ModelRequest) => ScriptedReply | undefined = () => undefined) {
  return scriptedModel((request) => {
    const changed = change(request);
    if (changed !== undefined) return changed;
    if (request.tools) return { calls: [{ tool: "get_weather", arguments: { city: "Paris" } }] };
    return request.output ? PLACE : "ready";
  });
}

async function check(model: Model, ref: ModelRef = "m") {
  const clock = createVirtualClock();
  const signal = new AbortController().signal;
  const checks = modelChecks({ model, ref, clock });
  const reports = await Array.fromAsync(runChecks(checks, { clock, signal }));
  return Object.fromEntries(reports.map(({ name, ...report }) => [name, report]));
}

describe("modelChecks", () => {
  it("are fine with a model that can do everything", async () => {
    const reports = await check(able());

    expect(Object.values(reports).map(({ status }) => status)).toEqual(["ok", "ok", "ok", "ok"]);
    expect(reports["tool calling"]?.detail).toBe("native");
  });

  it("name vLLM's flags when the model does not call a tool", async () => {
    const { "tool calling": report } = await check(able(({ tools }) => (tools ? "no" : undefined)));

    expect(report).toMatchObject({ status: "failed" });
    expect(report?.next).toContain("--enable-auto-tool-choice --tool-call-parser");
  });

  it("name the flag of the server that it is", async () => {
    const ref = endpoint({ url: "http://h:8080/v1", dialect: "llama.cpp" });

    const { "tool calling": report } = await check(
      able(({ tools }) => (tools ? "no" : undefined)),
      ref,
    );

    expect(report?.next).toBe("start llama-server with --jinja");
  });

  it("say what does not fit a schema", async () => {
    const { "structured output": report } = await check(
      able(({ output }) => (output ? '{"city":"Paris"}' : undefined)),
    );

    expect(report).toMatchObject({ status: "failed" });
    expect(report?.detail).toContain("country");
  });

  it("fail for a stream without tokens", async () => {
    const { streaming } = await check(
      able(({ stream, tools, output }) =>
        stream === undefined && !tools && !output ? "" : undefined,
      ),
    );

    expect(streaming).toMatchObject({
      status: "failed",
      next: expect.stringContaining("stream: false"),
    });
  });

  it("skip the rest when the tiny call fails", async () => {
    const reports = await check(able(() => new BosunError("model/unauthorized", "no key")));

    expect(reports["one tiny call"]).toMatchObject({
      status: "failed",
      detail: "[model/unauthorized] no key",
    });
    expect(reports["streaming"]).toMatchObject({
      status: "skipped",
      detail: "needs: one tiny call",
    });
  });
});
