import { describe, expect, it } from "vitest";
import { crew } from "../../../src/crew.ts";
import { BosunError } from "../../../src/error.ts";
import type { ModelRequest } from "../../../src/inference/model/model.ts";
import { estimateTokens } from "../../../src/inference/model/tokens.ts";
import type { Script, ScriptedReply } from "../../../src/test/scripted-model.ts";
import { analyse, CONTEXT, RECORD, run } from "./input-scene.ts";
import { eventsOf, job, only, promptOf, scene } from "./scenario.ts";

const BROKEN = new BosunError("model/server", "the model is broken");
/** A call that ends only when it is aborted. */
const never = (): Promise<ScriptedReply> => new Promise(() => undefined);
const pieceOf = ({ hints }: ModelRequest): string => hints.path.at(-1) ?? "";
const isSummary = ({ hints }: ModelRequest): boolean => hints.purpose === "summary";

/** The second piece of a text fails while the others are read. */
const script: Script = (request) => {
  if (!isSummary(request)) return "done";
  return pieceOf(request) === "summary:2" ? BROKEN : never();
};
const answers: Script = (request) => (isSummary(request) ? "short" : "done");

describe("an input's summary that fails", () => {
  it("becomes the input's beginning and end, and its event says why", async () => {
    const { model, events, error } = await run(script, { fit: "summary" });

    const prompt = promptOf(model.requests.at(-1));
    expect(error).toBeUndefined();
    expect(prompt).toContain("Its beginning and its end, as no summary could be made");
    expect(prompt).toContain(RECORD.slice(0, 200));
    expect(prompt).toContain(RECORD.trimEnd().split("\n").at(-1));
    expect(estimateTokens(prompt)).toBeLessThan(2_400);
    expect(only(events, "context-trim")).toMatchObject([
      { part: "input:record", how: "cut", failure: { code: "model/server" } },
    ]);
    const [read] = only(events, "input-read");
    expect(read?.ranges).toHaveLength(2);
    expect(read?.ranges.at(-1)?.[1]).toBe(RECORD.length);
  });

  it("aborts its other calls, and makes none of those that were still to come", async () => {
    const { model, events } = await run(script, { fit: "summary" });

    const ends = only(events, "model-end").filter(({ purpose }) => purpose === "summary");
    expect(model.requests.filter(isSummary)).toHaveLength(4);
    expect(ends.map(({ status }) => status).toSorted()).toEqual([
      "cancelled",
      "cancelled",
      "cancelled",
      "failed",
    ]);
  });

  it("keeps the summaries of a first round when those of the second fail", async () => {
    const long = "Something of note happened. ".repeat(70);
    const { model, events } = await run(
      (request) => {
        if (!isSummary(request)) return "done";
        const { content = "" } = request.messages.at(-1) ?? {};
        return content.includes("Something of note") ? BROKEN : long;
      },
      { fit: "summary" },
    );

    expect(promptOf(model.requests.at(-1))).toContain("Something of note happened.");
    expect(only(events, "context-trim")).toMatchObject([
      { how: "summary", failure: { code: "model/server" } },
    ]);
  });
});

describe("a section's summary that fails", () => {
  const LONG = Array.from({ length: 1_000 }, (_, n) => `Finding ${n}: nothing of note.`).join("\n");

  it("becomes the section's head and tail, once for all turns", async () => {
    const { bosun, model } = scene(
      (request) => {
        if (isSummary(request)) return BROKEN;
        return request.hints.path[0] === "task:long" ? LONG : "ok";
      },
      { contextTokens: CONTEXT },
    );
    const made = crew({ name: "c", tasks: [job("long"), job("short")], fit: "summary", bosun });

    const { events, error } = await eventsOf(made.stream());

    const prompt = promptOf(model.requests.at(-1));
    expect(error).toBeUndefined();
    expect(prompt).toContain("Finding 0: nothing of note.");
    expect(prompt).toContain("characters left out to fit");
    expect(prompt).toContain("Finding 999: nothing of note.");
    expect(only(events, "context-trim")).toMatchObject([
      { part: "context:long", how: "cut", failure: { code: "model/server" } },
    ]);
  });
});

describe("what ends a run also ends its summaries", () => {
  it("a budget that is used up", async () => {
    const { bosun } = scene(answers, { contextTokens: CONTEXT });
    const made = crew({
      name: "claims",
      tasks: [analyse],
      bosun,
      inputs: { record: { fit: "summary" } },
      limits: { tokensPerRun: 6_000 },
    });

    const ran = made.kickoff({ inputs: { record: RECORD } });

    await expect(ran).rejects.toMatchObject({ code: "run/over-budget" });
  });

  it("a hook that blocks", async () => {
    const { bosun } = scene(answers, { contextTokens: CONTEXT });
    const made = crew({
      name: "claims",
      tasks: [analyse],
      bosun,
      inputs: { record: { fit: "summary" } },
      hooks: {
        beforeModelCall: () => ({ block: "not today" }),
      },
    });

    const ran = made.kickoff({ inputs: { record: RECORD } });

    await expect(ran).rejects.toMatchObject({ code: "hook/blocked" });
  });

  it("an abort", async () => {
    const { bosun, model } = scene((request) => (isSummary(request) ? never() : "done"), {
      contextTokens: CONTEXT,
    });
    const controller = new AbortController();
    const made = crew({
      name: "claims",
      tasks: [analyse],
      bosun,
      inputs: { record: { fit: "summary" } },
    });

    const ran = made.kickoff({ inputs: { record: RECORD }, signal: controller.signal });
    while (model.requests.length < 4) await new Promise((resolve) => setImmediate(resolve));
    controller.abort(new BosunError("run/cancelled", "enough"));

    await expect(ran).rejects.toMatchObject({ code: "run/cancelled" });
    expect(model.requests).toHaveLength(4);
  });
});
