import { describe, expect, it } from "vitest";
import { textReply } from "../../src/test/index.ts";
import { type Ended, newFolder, runBosun } from "./bosun-process.ts";
import {
  type HeldServer,
  killAtCall,
  placesOf,
  reportOf,
  serverOf,
  THREE_ANSWERS,
  THREE_TASKS,
} from "./kill-scene.ts";

const ALL = ["FACTS 0", "FACTS 1", "TEXT 0", "TEXT 1", "SUM 0", "SUM 1"];

type Scene = {
  readonly cwd: string;
  readonly runs: (...args: readonly string[]) => Promise<Ended>;
  /** The calls that were made since it was asked before. */
  readonly made: () => readonly string[];
};

function sceneOf(server: HeldServer): Scene {
  const cwd = newFolder({ "crew.ts": THREE_TASKS });
  let before = 0;
  return {
    cwd,
    runs: (...args) => runBosun(["runs", ...args], { cwd }),
    made() {
      const made = placesOf(server).slice(before);
      before = server.calls.length;
      return made;
    },
  };
}

async function doneRun(server: HeldServer): Promise<Scene> {
  const scene = sceneOf(server);
  const args = ["run", ".", "--run-id", "r1", "--model", server.url];
  expect(await runBosun(args, { cwd: scene.cwd })).toMatchObject({ code: 0 });
  scene.made();
  return scene;
}

describe("bosun runs rerun", () => {
  it("finishes a run that failed because its endpoint was down, and repeats nothing that was done", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const { cwd, runs, made } = sceneOf(server);
    await killAtCall(server, 3, { cwd });
    server.hold.isDown = true;
    const failed = await runs("resume", "r1");
    server.hold.isDown = false;
    expect([failed.code, failed.err]).toEqual([1, expect.stringContaining("model/")]);
    expect(failed.err).toMatch(/What is done is kept\..* runs rerun r1\nError \[model/);
    made();

    const { code, out } = await runs("rerun", "r1", "--run-id", "r2");

    expect([code, out]).toEqual([0, '{"title":"T"}\n']);
    expect(made()).toEqual(ALL.slice(3));
    expect(await reportOf(cwd, "r2")).toMatchObject({
      status: "done",
      usage: { input: { total: 66 } },
    });
  }, 60_000);

  it("does a task and what depends on it anew, and takes the rest over", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const { runs, made } = await doneRun(server);

    const text = await runs("rerun", "r1", "--from", "text");
    const fromText = made();
    const step = await runs("rerun", "r1", "--from", "task:sum/turn:2");

    expect([text.code, step.code]).toEqual([0, 0]);
    expect(fromText).toEqual(ALL.slice(2));
    expect(made()).toEqual(["SUM 1"]);
  });

  it("of a run that is done, without --from, does nothing anew", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const { runs, made } = await doneRun(server);

    expect(await runs("rerun", "r1")).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
    expect(made()).toEqual([]);
  });

  it("names what it has for a task, a step or a run that is not there", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const { runs } = await doneRun(server);

    const task = await runs("rerun", "r1", "--from", "txt");
    const step = await runs("rerun", "r1", "--from", "task:text/turn:9");
    const run = await runs("rerun", "r9");
    const taken = await runs("rerun", "r1", "--run-id", "r1");

    expect([task.code, step.code, run.code, taken.code]).toEqual([2, 2, 2, 2]);
    expect(task.err).toContain("did you mean text? Its tasks: facts, text, sum");
    expect(step.err).toContain('no task and no step "task:text/turn:9". Its tasks:');
    expect(run.err).toContain("[run/unknown]");
    expect(taken.err).toContain('there is a run "r1" already');
  });
});

describe("bosun runs fork", () => {
  it("goes on with another input from a task on", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const { cwd, runs, made } = await doneRun(server);

    const forked = await runs(
      "fork",
      "r1",
      "--at",
      "text",
      "--input",
      "topic=boats",
      "--run-id",
      "r2",
    );

    expect(forked.code).toBe(0);
    expect(made()).toEqual(ALL.slice(2));
    expect(JSON.stringify(server.calls[6]?.body)).toContain("Do TEXT about boats");
    expect(await reportOf(cwd, "r2")).toMatchObject({ status: "done" });
    expect(await reportOf(cwd, "r1")).toMatchObject({ status: "done" });
  });

  it("goes on with another model from a step on", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    await using other = await serverOf({ ...THREE_ANSWERS, SUM: [textReply('{"title":"other"}')] });
    const { runs, made } = await doneRun(server);

    const forked = await runs("fork", "r1", "--at", "task:text/turn:2", "--model", other.url);

    expect(forked).toMatchObject({ code: 0, out: '{"title":"other"}\n' });
    expect(made()).toEqual([]);
    expect(placesOf(other)).toEqual(["TEXT 1", "SUM 0"]);
  });

  it("is itself a run that can be killed and resumed", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const { cwd, runs, made } = await doneRun(server);
    const args = ["runs", "fork", "r1", "--at", "text", "-i", "topic=boats", "--run-id", "r2"];
    await killAtCall(server, 2, { cwd, args });
    expect(made()).toEqual(ALL.slice(2, 5));

    const resumed = await runs("resume", "r2");

    expect(resumed).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
    expect(made()).toEqual(ALL.slice(4));
  });
});
