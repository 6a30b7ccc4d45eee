import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { costing, errorOf, job, requestsOf, scene, settle, taskIn, worker } from "./scenario.ts";

describe("tools in a run", () => {
  it("may run a crew of their own on the same Bosun, which is a run of its own and ends with the outer one", async () => {
    const controller = new AbortController();
    const { bosun, model } = scene((request) => {
      if (taskIn(request) === "inner") return { text: "inner text", usage: costing(100) };
      if (taskIn(request) === "stuck") return new Promise<never>(() => undefined);
      const hasResult = request.messages.some(({ role }) => role === "tool");
      const next = hasResult ? "nestStuck" : "nest";
      return { calls: [{ tool: next, arguments: {} }], usage: costing(1) };
    });
    const nested = (name: string, inner: "inner" | "stuck") =>
      tool({
        name,
        description: "Runs a crew",
        parameters: { type: "object" },
        run: async (_args, { signal }) =>
          (await crew({ name, tasks: [job(inner)], bosun }).kickoff({ signal })).raw,
      });
    const agent = worker("W", { tools: [nested("nest", "inner"), nested("nestStuck", "stuck")] });

    const running = errorOf(
      crew({ name: "outer", tasks: [job("a", { agent })], bosun }).kickoff({
        signal: controller.signal,
      }),
    );
    await settle();
    controller.abort();
    const error = await running;

    expect(error.code).toBe("run/cancelled");
    expect(requestsOf(model, "a")[1]?.messages.at(-1)?.content).toBe("inner text");
    expect(new Set(model.requests.map(({ hints }) => hints.runId)).size).toBe(3);
    expect(partialResult(error)?.usage.input.total).toBe(2);
  });
});
