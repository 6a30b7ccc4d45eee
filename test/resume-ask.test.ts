import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { type Bosun, createBosun } from "../src/bosun.ts";
import { type Crew, defineCrew } from "../src/orchestration/crew/crew.ts";
import type { Question } from "../src/orchestration/tool/approval.ts";
import { scriptedModel } from "../src/test/scripted-model.ts";
import { errorOf, job, QUICK } from "./orchestration/run/scenario.ts";

const folders: string[] = [];
afterEach(() => {
  for (const path of folders.splice(0)) rmSync(path, { recursive: true, force: true });
});

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "bosun-ask-"));
  folders.push(path);
  return path;
}

const looked = (): Crew =>
  defineCrew({
    name: "looked",
    tasks: [job("one", { humanInput: true }), job("two", { humanInput: true })],
  });

const open = (data: string): Bosun =>
  createBosun({ data, env: {}, model: scriptedModel(() => "a text"), retry: QUICK });

describe("a question to a person", () => {
  it("is brought again to whoever resumes its run, unless it was answered", async () => {
    const data = folder();
    const first = open(data);
    const asked: string[] = [];
    const reached = Promise.withResolvers<void>();
    const run = await first.start(looked(), {
      inputs: {},
      runId: "r",
      onAsk: async ({ task }: Question) => {
        asked.push(task);
        if (task === "one") return { ok: true };
        reached.resolve();
        return undefined;
      },
    });
    await reached.promise;
    await first.suspend();
    expect((await errorOf(run.ended)).code).toBe("run/suspended");
    await first.close();

    const second = open(data);
    const again: string[] = [];
    const resumed = await second.resume(looked(), "r", {
      onAsk: async ({ task }) => {
        again.push(task);
        return { ok: true };
      },
    });
    const state = await resumed.ended;
    await second.close();

    expect(asked).toEqual(["one", "two"]);
    expect(again).toEqual(["two"]);
    expect(state.status).toBe("done");
  });
});
