import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createBosun } from "../../../../src/bosun.ts";
import { type Crew, defineCrew } from "../../../../src/orchestration/crew/crew.ts";
import { tool } from "../../../../src/orchestration/tool/tool.ts";
import { createRestateEngine } from "../../../../src/orchestration/durable/restate/engine.ts";
import { type Script, scriptedModel } from "../../../../src/test/scripted-model.ts";
import { job, QUICK, taskIn, worker } from "../../run/scenario.ts";
import { startRestate, type RestateServer, whenFree } from "./server.ts";

/** Two tasks at once, of which one calls a tool, and one after them. */
function report(): Crew {
  const look = tool({
    name: "look",
    description: "Looks a word up",
    parameters: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
    run: async () => "found it",
  });
  const facts = job("facts", { agent: worker("Reader", { tools: [look] }) });
  const names = job("names");
  const text = job("text", { context: [facts, names] });
  return defineCrew({ name: "report", process: "parallel", tasks: [facts, names, text] });
}

const answers: Script = (request) => {
  const turn = request.messages.filter(({ role }) => role === "assistant").length;
  if (taskIn(request) === "facts" && turn === 0)
    return { calls: [{ tool: "look", arguments: '{"word":"sail"}' }] };
  return `of ${taskIn(request)}`;
};

/** A worker with a Bosun of its own. */
async function open({ ingressUrl, adminUrl }: RestateServer, data: string, script: Script) {
  const engine = await createRestateEngine({ ingressUrl, adminUrl, pollMs: 50 });
  const bosun = createBosun({ data, engine, env: {}, model: scriptedModel(script), retry: QUICK });
  const stop = new AbortController();
  return {
    bosun,
    engine,
    serve: () => void bosun.serve([report()], { concurrency: 4 }, stop.signal),
    async [Symbol.asyncDispose]() {
      stop.abort();
      await bosun.close();
      await engine[Symbol.asyncDispose]();
    },
  };
}

describe("a crew on Restate", () => {
  it("goes on at another worker when its own gives it back, and makes no call again that was answered", async () => {
    await using server = await startRestate();
    const data = mkdtempSync(join(tmpdir(), "bosun-restate-crew-"));
    const made: string[] = [];
    const reached = Promise.withResolvers<void>();
    let id: string;
    {
      await using first = await open(server, data, (request, ...rest) => {
        const place = request.hints.path.join("/");
        if (taskIn(request) === "text") {
          reached.resolve();
          return new Promise<never>(() => undefined);
        }
        made.push(place);
        return answers(request, ...rest);
      });
      first.serve();
      id = await first.bosun.enqueue(report(), { inputs: {}, queue: "reports" });
      await reached.promise;
      await first.bosun.suspend();
    }

    await using second = await open(server, data, (request, ...rest) => {
      made.push(request.hints.path.join("/"));
      return answers(request, ...rest);
    });
    second.serve();
    const outcome = await (await second.engine.get(id)).result();
    const events = (await second.bosun.store())?.events(id) ?? [];

    expect(outcome).toMatchObject({ status: "done", raw: "of text" });
    expect(made.toSorted()).toEqual([
      "task:facts/turn:1",
      "task:facts/turn:2",
      "task:names/turn:1",
      "task:text/turn:1",
    ]);
    expect(events.map(({ seq }) => seq)).toEqual(events.map((_, index) => index + 1));
    expect(events.filter(({ type }) => type === "model-end")).toHaveLength(4);
    rmSync(data, { recursive: true, force: true });
  });

  it("that its process gives back is resumed by another one, which makes no call again that was answered", async () => {
    await using server = await startRestate();
    const data = mkdtempSync(join(tmpdir(), "bosun-restate-crew-"));
    const made: string[] = [];
    const reached = Promise.withResolvers<void>();
    let id: string;
    {
      await using first = await open(server, data, (request, ...rest) => {
        if (taskIn(request) === "text") {
          reached.resolve();
          return new Promise<never>(() => undefined);
        }
        made.push(request.hints.path.join("/"));
        return answers(request, ...rest);
      });
      const run = await first.bosun.start(report(), { inputs: {} });
      id = run.runId;
      await reached.promise;
      run.giveBack("the machine is needed");
      await expect(run.ended).rejects.toMatchObject({ code: "run/suspended" });
    }

    await using second = await open(server, data, (request, ...rest) => {
      made.push(request.hints.path.join("/"));
      return answers(request, ...rest);
    });
    const state = await (await whenFree(() => second.bosun.resume(report(), id))).ended;
    const events = (await second.bosun.store())?.events(id) ?? [];

    expect(state).toMatchObject({ status: "done", raw: "of text" });
    expect(made.toSorted()).toEqual([
      "task:facts/turn:1",
      "task:facts/turn:2",
      "task:names/turn:1",
      "task:text/turn:1",
    ]);
    expect(events.filter(({ type }) => type === "run-end")).toHaveLength(1);
    rmSync(data, { recursive: true, force: true });
  });

  it("that was started in another process is left to whoever has its crew, when the server gives it to one that has not", async () => {
    await using server = await startRestate();
    const data = mkdtempSync(join(tmpdir(), "bosun-restate-crew-"));
    const reached = Promise.withResolvers<void>();
    await using other = await open(server, data, answers);
    await (
      await other.bosun.start(report(), { inputs: {} })
    ).ended; // its worker is there
    let id: string;
    {
      await using first = await open(server, data, (request, ...rest) => {
        if (taskIn(request) !== "text") return answers(request, ...rest);
        reached.resolve();
        return new Promise<never>(() => undefined);
      });
      id = (await first.bosun.start(report(), { inputs: {} })).runId;
      await reached.promise;
    }
    // Another run makes the worker that lives the last one, to which the server then gives what has lost its own.
    other.serve();
    await (
      await other.bosun.start(report(), { inputs: {} })
    ).ended;

    const state = await (await whenFree(() => other.bosun.resume(report(), id))).ended;

    expect(state).toMatchObject({ status: "done", raw: "of text" });
    rmSync(data, { recursive: true, force: true });
  });
});
