import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Bosun, createBosun } from "../src/bosun.ts";
import { defineCrew } from "../src/orchestration/crew/crew.ts";
import type { Crew } from "../src/orchestration/crew/crew.ts";
import type { RunEvent } from "../src/orchestration/run/event.ts";
import type { RunState } from "../src/orchestration/run/state.ts";
import { type Script, type ScriptedModel, scriptedModel } from "../src/test/scripted-model.ts";
import { tool } from "../src/orchestration/tool/tool.ts";
import { costing, errorOf, job, QUICK, taskIn, worker } from "./orchestration/run/scenario.ts";

const folders: string[] = [];
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "bosun-resume-"));
  folders.push(path);
  return path;
}

function open(
  data: string,
  script: Script,
): { readonly bosun: Bosun; readonly model: ScriptedModel } {
  const model = scriptedModel(script);
  return { model, bosun: createBosun({ data, env: {}, model, retry: QUICK }) };
}

/** A tool that is called once, an answer that a guardrail refuses once, and three tasks of which two run at once. */
function report(): Crew {
  const look = tool({
    name: "look",
    description: "Looks a word up",
    parameters: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
    run: async () => "found it",
  });
  return defineCrew({
    name: "report",
    process: "parallel",
    tasks: [
      job("facts", { agent: worker("Reader", { tools: [look] }) }),
      job("names"),
      job("text", {
        context: [],
        guardrail: ({ raw }) =>
          raw.includes("good") ? { ok: true } : { ok: false, reason: "say good" },
      }),
    ],
  });
}

const answers: Script = (request) => {
  const turn = request.messages.filter(({ role }) => role === "assistant").length;
  const usage = costing(10 + turn, 5);
  if (taskIn(request) === "facts" && turn === 0)
    return { calls: [{ tool: "look", arguments: '{"word":"sail"}' }], usage };
  if (taskIn(request) === "text" && turn === 0) return { text: "bad", usage };
  return { text: `good ${taskIn(request)}`, usage };
};

const KEYS = (request: { readonly hints: { readonly path: readonly string[] } }): string =>
  request.hints.path.join("/");

async function stateOf(run: { readonly ended: Promise<RunState> }): Promise<RunState> {
  return run.ended;
}

/** What must be the same: everything but times and the numbers that count executions. */
function withoutTimes(state: RunState): unknown {
  return JSON.parse(
    JSON.stringify(state, (key, value: unknown) =>
      ["startedAt", "endedAt", "busyMs", "seq"].includes(key) ? undefined : value,
    ),
  );
}

describe("a run that is interrupted", () => {
  it("goes on after any of its model calls, and comes to what it would have come to", async () => {
    const whole = open(folder(), answers);
    const expected = await stateOf(await whole.bosun.start(report(), { inputs: {}, runId: "r" }));
    await whole.bosun.close();
    const calls = whole.model.requests.length;

    for (let at = 1; at <= calls; at++) {
      const data = folder();
      const seen: string[] = [];
      let first: Bosun | undefined;
      let count = 0;
      const cut = open(data, (request, ...rest) => {
        if (++count !== at) {
          seen.push(KEYS(request));
          return answers(request, ...rest);
        }
        void first?.suspend();
        return new Promise<never>(() => undefined);
      });
      first = cut.bosun;
      const interrupted = await first.start(report(), { inputs: {}, runId: "r" });
      expect((await errorOf(interrupted.ended)).code).toBe("run/suspended");
      await first.close();

      const again = open(data, answers);
      const resumed = await again.bosun.resume(report(), "r");
      const state = await stateOf(resumed);
      const events: RunEvent[] = [];
      for await (const event of resumed.log.read(0, new AbortController().signal))
        events.push(event);
      await again.bosun.close();

      expect(withoutTimes(state), `cut at call ${at}`).toEqual(withoutTimes(expected));
      const repeated = again.model.requests.map(KEYS).filter((key) => seen.includes(key));
      expect(repeated, `cut at call ${at}`).toEqual([]);
      expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
      expect(events[0]?.replayed).toBe(true);
    }
  });
});

describe("a run that whoever started it gives back", () => {
  it("has no end, and is finished later", async () => {
    const data = folder();
    const first = open(data, () => new Promise<never>(() => undefined));
    const run = await first.bosun.start(report(), { inputs: {}, runId: "r" });

    run.giveBack("its reader is gone");

    expect(await errorOf(run.ended)).toMatchObject({
      code: "run/suspended",
      message: "its reader is gone",
    });
    await first.bosun.close();
    const again = open(data, answers);
    expect(await stateOf(await again.bosun.resume(report(), "r"))).toMatchObject({
      status: "done",
    });
    await again.bosun.close();
  });

  it("ends as cancelled where nothing is kept", async () => {
    const model = scriptedModel(() => new Promise<never>(() => undefined));
    const bosun = createBosun({ data: false, env: {}, model, retry: QUICK });
    const run = await bosun.start(report(), { inputs: {} });

    run.giveBack("its reader is gone");

    expect(await stateOf(run)).toMatchObject({ status: "cancelled" });
    await bosun.close();
  });
});
