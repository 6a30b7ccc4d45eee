import { describe, expect, it } from "vitest";
import { z } from "zod";
import { createVirtualClock } from "../../../src/clock.ts";
import { BosunError } from "../../../src/error.ts";
import { tool } from "../../../src/orchestration/tool/tool.ts";
import { contextOf, runnerOf, runOnce, toolOf } from "./probe.ts";

function long(): string {
  return "word ".repeat(10_000);
}

describe("ToolRunner.run", () => {
  it("gives the model the result of a tool, as text or as JSON", async () => {
    const text = await runOnce(toolOf(() => "plain text"));
    const json = await runOnce(toolOf(() => Promise.resolve({ rows: [1, undefined] })));

    expect(text).toEqual({
      type: "done",
      content: "plain text",
      value: "plain text",
      bytes: 10,
      tokens: 3,
      truncated: false,
      cached: false,
    });
    expect(json).toMatchObject({ content: '{"rows":[1,null]}', value: { rows: [1, null] } });
  });

  it("hands on a result that is the answer uncut, beside what the model reads of it", async () => {
    const text = "word ".repeat(20_000);

    const asText = await runOnce(toolOf(() => text, { resultAsAnswer: true }));
    const asJson = await runOnce(toolOf(() => ({ text }), { resultAsAnswer: true }));
    const short = await runOnce(toolOf(() => "short", { resultAsAnswer: true }));
    const other = await runOnce(toolOf(() => text));

    expect(asText).toMatchObject({ type: "done", truncated: true, answer: text });
    expect(asText.content.length).toBeLessThan(text.length);
    expect(asJson).toMatchObject({ truncated: true, answer: JSON.stringify({ text }) });
    expect(short).toMatchObject({ content: "short", truncated: false, answer: "short" });
    expect(other).not.toHaveProperty("answer");
  });

  it("refuses a result that is the answer and larger than 1 MiB", async () => {
    const most = 1_048_576;

    const fits = await runOnce(toolOf(() => "x".repeat(most), { resultAsAnswer: true }));
    const tooLarge = await runOnce(toolOf(() => "x".repeat(most + 1), { resultAsAnswer: true }));

    expect(fits).toMatchObject({ type: "done", answer: "x".repeat(most) });
    expect(tooLarge).toMatchObject({ type: "failed", code: "tool/failed" });
    expect(tooLarge.content).toContain("has 1048577 bytes, the limit is 1048576");
  });

  it("hands on the uncut answer also from the cache", async () => {
    const text = "word ".repeat(20_000);
    const runner = runnerOf({ cache: true });
    const probe = toolOf(() => text, { resultAsAnswer: true });
    await runner.run(probe, "{}", contextOf());

    const again = await runner.run(probe, "{}", contextOf());

    expect(again).toMatchObject({ cached: true, answer: text });
  });

  it("turns no result into null", async () => {
    expect(await runOnce(toolOf(() => undefined))).toMatchObject({
      type: "done",
      content: "null",
      value: null,
    });
  });

  it("passes on validated arguments, the run's id and the step's key", async () => {
    const seen: unknown[] = [];
    const probe = tool({
      name: "probe",
      description: "d",
      parameters: z.object({ query: z.string(), limit: z.number().default(3) }),
      run: (args, { runId, key }) => seen.push(args, runId, key),
    });

    await runOnce(probe, '{"query":"x","thought":"…"}');

    expect(seen).toEqual([{ query: "x", limit: 3 }, "run", "run/step"]);
  });

  it("tells the model what is wrong with its arguments and does not run the tool", async () => {
    const probe = toolOf(() => expect.unreachable("it ran"), {
      parameters: { type: "object", properties: { n: { type: "integer" } }, required: ["n"] },
    });

    const outcome = await runOnce(probe, '{"n":"one"}');

    expect(outcome).toMatchObject({ type: "failed", code: "tool/arguments" });
    expect(outcome.content).toMatch(
      /^Error: tool probe: the arguments do not fit: value\/n: .*Expected \{ n: integer \}\. Call the tool again/,
    );
  });

  it("keeps a result within the tool's limits", async () => {
    const outcome = await runOnce(
      toolOf(() => "word ".repeat(10_000), { output: { maxTokens: 50 } }),
    );

    expect(outcome).toMatchObject({ type: "done", truncated: true });
    expect(outcome.type === "done" && outcome.tokens).toBeLessThanOrEqual(50);
  });

  it("asks the tool's summary about what is too large, and cuts when that fails or is no JSON", async () => {
    const output = { maxTokens: 50 };

    expect(
      await runOnce(toolOf(long, { output, summary: () => "50,000 characters of words" })),
    ).toMatchObject({ content: "50,000 characters of words", truncated: true });
    expect(
      (await runOnce(toolOf(long, { output, summary: () => Promise.reject(new Error("no")) })))
        .content,
    ).toMatch(/^word word/);
    expect(
      (await runOnce(toolOf(long, { output, summary: () => JSON.parse("{") }))).content,
    ).toMatch(/^word word/);
  });

  it.each([
    [
      "an error",
      () => Promise.reject(new Error("the server said no")),
      "tool/failed",
      "tool probe failed: the server said no",
    ],
    [
      "a throw before the first await",
      () => JSON.parse("{"),
      "tool/failed",
      "tool probe failed: Expected property name",
    ],
    ["a text", () => Promise.reject("just text"), "tool/failed", "tool probe failed: just text"], // oxlint-disable-line prefer-promise-reject-errors -- what careless tools do
    ["nothing", () => Promise.reject(), "tool/failed", "tool probe failed: it threw no error"], // oxlint-disable-line prefer-promise-reject-errors -- what careless tools do
    [
      "what has no text",
      () => Promise.reject({ n: 1n }),
      "tool/failed",
      "it threw something that has no text",
    ], // oxlint-disable-line prefer-promise-reject-errors -- what careless tools do
    [
      "a BosunError",
      () => Promise.reject(new BosunError("tool/refused", "outside the folder")),
      "tool/refused",
      "outside the folder",
    ],
    ["a BigInt", () => ({ n: 1n }), "tool/failed", "result/n is a BigInt"],
  ])("makes an outcome of %s, without its stack", async (_, run, code, message) => {
    const outcome = await runOnce(toolOf(run));

    expect(outcome).toMatchObject({ type: "failed", code });
    expect(outcome.content).toContain(message);
    expect(outcome.content).not.toContain("    at ");
    expect(JSON.parse(JSON.stringify(outcome))).toEqual(outcome);
  });

  it("bounds the message of an error", async () => {
    const outcome = await runOnce(toolOf(() => Promise.reject(new Error("x".repeat(100_000)))));

    expect(outcome.content.length).toBeLessThan(2_200);
  });

  it("makes an outcome of a schema whose validation throws", async () => {
    const parameters = {
      "~standard": { version: 1, vendor: "mine", validate: () => JSON.parse("{") },
    } as const;
    const probe = tool({ name: "probe", description: "d", parameters, run: () => null });

    expect(await runOnce(probe)).toMatchObject({ type: "failed", code: "tool/failed" });
  });
});

describe("a tool's time-out", () => {
  it("ends the call and aborts the tool's signal", async () => {
    const reasons: unknown[] = [];
    const probe = toolOf(
      (_, { signal }) =>
        new Promise(() => signal.addEventListener("abort", () => reasons.push(signal.reason))),
      { timeoutMs: 500 },
    );
    const clock = createVirtualClock();

    const outcome = await runnerOf({ clock }).run(probe, "", contextOf());

    expect(clock.now()).toBe(500);
    expect(outcome).toMatchObject({
      type: "failed",
      code: "tool/timed-out",
      message: "tool probe gave no result within 500 ms",
    });
    expect(reasons).toMatchObject([{ code: "tool/timed-out" }]);
  });

  it.each(["resolves", "rejects"])(
    "abandons a tool that ignores its signal, also when it %s later",
    async (ending) => {
      const gate = Promise.withResolvers<void>();
      const late = gate.promise.then(() =>
        ending === "resolves" ? "late" : Promise.reject(new Error("late")),
      );
      const probe = toolOf(() => late, { timeoutMs: 500 });

      const outcome = await runnerOf().run(probe, "", contextOf());
      gate.resolve();
      await late.catch(() => undefined); // an unhandled rejection would fail this test

      expect(outcome).toMatchObject({ code: "tool/timed-out" });
    },
  );

  it("counts the time of its summary", async () => {
    const probe = toolOf(() => "word ".repeat(10_000), {
      output: { maxTokens: 50 },
      summary: () => new Promise(() => undefined),
      timeoutMs: 500,
    });

    const outcome = await runnerOf().run(probe, "", contextOf());

    expect(outcome).toMatchObject({ type: "failed", code: "tool/timed-out" });
  });
});

describe("an abort of the run", () => {
  const reason = new BosunError("run/cancelled", "the user left");

  it("rejects at once with its reason, whatever the tool does", async () => {
    const controller = new AbortController();
    const probe = toolOf(() => new Promise(() => undefined));

    const call = runnerOf({ clock: createVirtualClock({ auto: false }) }).run(
      probe,
      "",
      contextOf(controller.signal),
    );
    controller.abort(reason);

    await expect(call).rejects.toBe(reason);
  });

  it("wins over what the tool rejects with when it is aborted", async () => {
    const controller = new AbortController();
    const probe = toolOf(
      (_, { signal }) =>
        new Promise((__, reject) =>
          signal.addEventListener("abort", () => reject(new Error("aborted"))),
        ),
    );

    const call = runnerOf().run(probe, "", contextOf(controller.signal));
    controller.abort(reason);

    await expect(call).rejects.toBe(reason);
  });

  it("keeps a tool from starting", async () => {
    const probe = toolOf(() => expect.unreachable("it ran"));

    await expect(runnerOf().run(probe, "", contextOf(AbortSignal.abort(reason)))).rejects.toBe(
      reason,
    );
  });
});

describe("ToolRunner.note", () => {
  it("counts the uses of an earlier process, but for those that were none", async () => {
    const runner = runnerOf();
    const probe = toolOf(() => "x", { maxUses: 2 });
    const done = await runOnce(toolOf(() => "x"));
    const unused = { type: "failed", code: "tool/arguments", message: "m", content: "c" } as const;

    runner.note(probe, "{}", done);
    runner.note(probe, "{", unused);

    expect(await runner.run(probe, "{}", contextOf())).toMatchObject({ type: "done" });
    expect(await runner.run(probe, "{}", contextOf())).toMatchObject({ code: "tool/limit" });
  });

  it("answers an equal call with the result of an earlier process, and no other", async () => {
    let runs = 0;
    const probe = toolOf(() => `run ${++runs}`);
    const earlier = await runOnce(toolOf(() => "earlier"));
    const runner = runnerOf({ cache: true });

    runner.note(probe, '{"a": 1}', earlier);
    const equal = await runner.run(probe, '{"a":1}', contextOf());
    const other = await runner.run(probe, '{"a":2}', contextOf());

    expect(equal).toMatchObject({ content: "earlier", cached: true });
    expect(other).toMatchObject({ content: "run 1", cached: false });
  });
});
