import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createBosun } from "../../../../src/bosun.ts";
import { createRestateEngine } from "../../../../src/orchestration/durable/restate/engine.ts";
import { scriptedModel } from "../../../../src/test/scripted-model.ts";
import { FLOWS, randomFlow } from "../../../resume/flows.ts";
import { QUICK, taskIn } from "../../run/scenario.ts";
import { type RestateServer, startRestate, whenFree } from "./server.ts";

/** A worker with a Bosun of its own. `calls` = the tasks of the model calls that it answered; the one with the number `held` gets no answer. */
async function open({ ingressUrl, adminUrl }: RestateServer, data: string, held?: number) {
  const engine = await createRestateEngine({ ingressUrl, adminUrl, pollMs: 50 });
  const calls: string[] = [];
  const reached = Promise.withResolvers<void>();
  const model = scriptedModel((request) => {
    if (calls.length === held) {
      reached.resolve();
      return new Promise<never>(() => undefined);
    }
    calls.push(taskIn(request));
    return `of ${taskIn(request)}`;
  });
  const bosun = createBosun({ data, engine, env: {}, model, retry: QUICK });
  return {
    bosun,
    engine,
    calls,
    reached: reached.promise,
    async [Symbol.asyncDispose]() {
      await bosun.close();
      await engine[Symbol.asyncDispose]();
    },
  };
}

describe("a flow on Restate", () => {
  it("with crews, a loop, a person and waits comes to its end", async () => {
    await using server = await startRestate();
    const data = mkdtempSync(join(tmpdir(), "bosun-restate-flow-"));
    await using one = await open(server, data);
    const { crew, onAsk } = FLOWS["report"] ?? {};

    const run = await one.bosun.start(crew?.() ?? randomFlow(1), { inputs: {}, onAsk });
    const state = await run.ended;

    expect(state).toMatchObject({ status: "done", flowState: { drafts: 3 } });
    expect(state.output).toMatchObject({ notes: ["images", "research"] });
    rmSync(data, { recursive: true, force: true });
  });

  it("that its process gives back is resumed by another one, which makes no call again that was answered", async () => {
    await using server = await startRestate();
    const data = mkdtempSync(join(tmpdir(), "bosun-restate-flow-"));
    const { crew, onAsk } = FLOWS["report"] ?? {};
    const report = () => crew?.() ?? randomFlow(1);
    let id: string;
    let before: readonly string[];
    {
      await using first = await open(server, data, 3);
      const run = await first.bosun.start(report(), { inputs: {}, onAsk });
      id = run.runId;
      await first.reached;
      before = [...first.calls];
      run.giveBack("the machine is needed");
      await expect(run.ended).rejects.toMatchObject({ code: "run/suspended" });
    }

    await using second = await open(server, data);
    const state = await (await whenFree(() => second.bosun.resume(report(), id, { onAsk }))).ended;

    expect(state).toMatchObject({ status: "done", flowState: { drafts: 3 } });
    expect(before).toEqual(["look", "name", "write"]);
    expect(second.calls).toEqual(["write", "write"]);
    rmSync(data, { recursive: true, force: true });
  });

  it("that is put into a queue is executed by who serves it", async () => {
    await using server = await startRestate();
    const data = mkdtempSync(join(tmpdir(), "bosun-restate-flow-"));
    await using one = await open(server, data);
    const stop = new AbortController();
    const serving = one.bosun.serve([randomFlow(3)], { concurrency: 2 }, stop.signal);

    const id = await one.bosun.enqueue(randomFlow(3), { inputs: {} });
    const outcome = await (await one.engine.get(id)).result();
    stop.abort();
    await serving;

    expect(outcome).toMatchObject({ status: "done" });
    rmSync(data, { recursive: true, force: true });
  });
});
