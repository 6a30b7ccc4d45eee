import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { wait } from "../../src/test/index.ts";
import { type Ended, newFolder, runBosun, startBosun } from "./bosun-process.ts";
import {
  killAtCall,
  placesOf,
  reportOf,
  serverOf,
  storedEvents,
  THREE_ANSWERS,
  THREE_TASKS,
} from "./kill-scene.ts";

const runs = (cwd: string, ...args: readonly string[]): Promise<Ended> =>
  runBosun(["runs", ...args], { cwd });

const runArgs = (url: string): readonly string[] => ["run", ".", "--run-id", "r1", "--model", url];

describe("bosun runs cancel", () => {
  it("ends a run that another process executes: its call is closed, and what it has done is told", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    server.hold.call = 2;
    await using run = startBosun(runArgs(server.url), { cwd });
    await server.received(2);

    const cancelled = await runs(cwd, "cancel", "r1", "--reason", "too slow", "--json");
    const { code, err } = await run.ended;

    expect(await server.closed(2)).toBe("client");
    expect(cancelled.code).toBe(0);
    expect(JSON.parse(cancelled.out)).toMatchObject({ runId: "r1", isCancelled: true });
    expect([code, err]).toEqual([1, expect.stringContaining("Error [run/cancelled] too slow")]);
    expect(await reportOf(cwd)).toMatchObject({
      status: "cancelled",
      tasks: { facts: { status: "done" }, text: { status: "cancelled" } },
    });
    const again = await runs(cwd, "cancel", "r1");
    expect(again).toMatchObject({ code: 1, out: expect.stringContaining("has ended already") });
  });

  it("ends a run that no process executes: it cannot be resumed any more, but another one can begin from it", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    await killAtCall(server, 2, { cwd });

    const cancelled = await runs(cwd, "cancel", "r1");
    const resumed = await runs(cwd, "resume", "r1");
    const rerun = await runs(cwd, "rerun", "r1");

    expect(cancelled).toMatchObject({ code: 0, out: "Run r1 is cancelled.\n" });
    expect(await reportOf(cwd)).toMatchObject({ status: "cancelled" });
    expect(storedEvents(cwd).at(-1)).toMatchObject({ type: "run-end", status: "cancelled" });
    expect([resumed.code, resumed.err]).toEqual([2, expect.stringContaining("[run/ended]")]);
    expect(rerun).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
    expect(placesOf(server).filter((call) => call === "FACTS 1")).toHaveLength(1);
  });
});

describe("bosun runs export", () => {
  it("writes everything that is kept of a run as one JSON document, and replaces no file", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    await killAtCall(server, 3, { cwd });

    const toStdout = await runs(cwd, "export", "r1");
    const toFile = await runs(cwd, "export", "latest", "--out", "r1.json");
    const again = await runs(cwd, "export", "r1", "--out", "r1.json");

    const kept = JSON.parse(toStdout.out) as { readonly steps: readonly { key: string }[] };
    expect(kept).toMatchObject({
      run: { runId: "r1", crew: "report" },
      record: { id: "r1", phase: "interrupted", executions: 1 },
      input: { crew: "report", inputs: { topic: "ships" } },
    });
    expect(kept.steps.map(({ key }) => key)).toContain("task:text/turn:1");
    expect(JSON.parse(readFileSync(join(cwd, "r1.json"), "utf8"))).toEqual(kept);
    expect([toFile.code, again.code]).toEqual([0, 2]);
    expect(again.err).toContain("Nothing that is there is replaced");
  });
});

describe("two processes and one run", () => {
  it("one of two that resume it at once gets it, and the other one is told", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    await killAtCall(server, 2, { cwd });
    server.hold.call = server.calls.length;
    const both = [1, 2].map(() => startBosun(["runs", "resume", "r1"], { cwd }));
    const first = await Promise.race(both.map((one) => one.ended));

    expect([first.code, first.err]).toEqual([1, expect.stringContaining("Error [run/owned]")]);
    await server.received(server.hold.call); // the other one may be slower to its call than this one to its end
    expect(server.calls.length).toBe(server.hold.call + 1);
    for (const one of both) await one[Symbol.asyncDispose]();
    server.hold.call = undefined;
    expect(await runs(cwd, "resume", "r1")).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
  });
});

describe("SIGTERM", () => {
  it("lets the call that is under way end, and keeps what it came to", async () => {
    const gate = Promise.withResolvers<void>();
    const [, good] = THREE_ANSWERS["TEXT"] ?? [];
    const TEXT = [[wait(gate.promise), ...(good ?? [])]];
    await using server = await serverOf({ ...THREE_ANSWERS, TEXT });
    const cwd = newFolder({ "crew.ts": THREE_TASKS });
    await using run = startBosun(runArgs(server.url), { cwd });
    await server.received(2);

    run.kill("SIGTERM");
    await run.said("Stopping");
    await runs(cwd, "list"); // takes longer than what a call has to hand over after an abort
    gate.resolve();
    const { code, err } = await run.ended;

    expect([code, err]).toEqual([130, expect.stringContaining("runs resume r1")]);
    const resumed = await runs(cwd, "resume", "r1");
    expect(resumed).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
    expect(placesOf(server)).toEqual(["FACTS 0", "FACTS 1", "TEXT 0", "SUM 0", "SUM 1"]);
  });
});

describe("a crew that is not what it was", () => {
  it("is refused with what differs, and taken when that is accepted", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({
      "crew.ts": THREE_TASKS,
      "new/crew.ts": THREE_TASKS.replace("say good", "say so").replace("Do SUM", "Now Do SUM"),
    });
    await killAtCall(server, 2, { cwd });

    const refused = await runs(cwd, "resume", "r1", "--crew", "new");
    const accepted = await runs(cwd, "resume", "r1", "--crew", "new", "--accept-changes");

    expect(refused.code).toBe(2);
    expect(refused.err).toMatch(/Error \[run\/changed\].*task "?sum"?.*--accept-changes/);
    expect(accepted).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
    expect(JSON.stringify(server.calls.at(-1)?.body)).toContain("Now Do SUM");
    expect(placesOf(server).filter((call) => call === "FACTS 1")).toHaveLength(1);
  });

  it("that a script made must be given, and the error says how", async () => {
    await using server = await serverOf(THREE_ANSWERS);
    const cwd = newFolder({
      "crew.ts": THREE_TASKS,
      "script.ts": `import report from "./crew.ts";\nawait report.kickoff({ inputs: { topic: "x" }, runId: "r1" });\nexport default report;\n`,
    });
    server.hold.call = 2;
    await using script = startBosun(["run", "script.ts"], {
      cwd,
      env: { OPENAI_BASE_URL: server.url },
    });
    await server.received(2);
    script.kill("SIGKILL");
    await script.ended;
    server.hold.call = undefined;

    const env = { OPENAI_BASE_URL: server.url };
    const refused = await runBosun(["runs", "resume", "r1"], { cwd, env });
    const resumed = await runBosun(["runs", "resume", "r1", "--crew", "crew.ts"], { cwd, env });

    expect([refused.code, refused.err]).toEqual([
      2,
      expect.stringMatching(/started by a program.*--crew FILE.*resume\(crew, id\).*origin/),
    ]);
    expect(resumed).toMatchObject({ code: 0, out: '{"title":"T"}\n' });
    expect(placesOf(server).filter((call) => call === "FACTS 1")).toHaveLength(1);
  });
});
