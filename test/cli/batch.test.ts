import { appendFileSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Batch, runBatch } from "../../src/cli/batch.ts";
import { BosunError } from "../../src/error.ts";
import { flow, start } from "../../src/flow.ts";
import { agent, type Bosun, createBosun, crew, task } from "../../src/index.ts";
import { scriptedModel, type ScriptedReply } from "../../src/test/index.ts";
import { createFakeTerminal, type FakeTerminal } from "./fake-terminal.ts";

const writer = agent({ role: "Writer", goal: "write" });
const CREW = crew({
  name: "report",
  tasks: [
    task({ name: "write", description: "Write {topic}", expectedOutput: "text", agent: writer }),
  ],
});

type Answer = (topic: string) => ScriptedReply | Promise<ScriptedReply>;

function setUp(lines: readonly string[], answer: Answer = (topic) => `text about ${topic}`) {
  const folder = mkdtempSync(join(tmpdir(), "bosun-batch-"));
  const [jobs, out] = [join(folder, "jobs.jsonl"), join(folder, "results.jsonl")];
  writeFileSync(jobs, lines.join("\n"));
  const asked: string[] = [];
  const model = scriptedModel((request) => {
    const topic = /Write (\S+)/.exec(request.messages.at(-1)?.content ?? "")?.[1] ?? "";
    asked.push(topic);
    return answer(topic);
  });
  const bosun = createBosun({ data: false, model, env: {}, retry: { maxAttempts: 1 } });
  const batch: Batch = {
    program: CREW,
    given: {},
    jobs,
    out,
    model: undefined,
    concurrency: 2,
    json: false,
  };
  return { jobs, out, asked, bosun, batch };
}

function recordsOf(path: string): readonly Record<string, unknown>[] {
  return readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Record<string, unknown>)
    .toSorted((a, b) => Number(a["index"]) - Number(b["index"]));
}

const run = (batch: Batch, bosun: Bosun, terminal: FakeTerminal = createFakeTerminal()) =>
  runBatch(batch, bosun, terminal);

describe("runBatch", () => {
  it("writes a result for each line, with its index, inputs, run and usage", async () => {
    const { batch, bosun, out } = setUp(['\uFEFF{"topic":"a"}', "", '{"topic":"b"}\r']);

    const code = await run(batch, bosun);

    expect(code).toBe(0);
    expect(recordsOf(out)).toMatchObject([
      { index: 0, inputs: { topic: "a" }, status: "done", raw: "text about a" },
      { index: 2, inputs: { topic: "b" }, status: "done", raw: "text about b" },
    ]);
    expect(recordsOf(out)[0]).toMatchObject({ runId: expect.any(String), usage: { input: {} } });
  });

  it("makes a result of each broken line and goes on", async () => {
    const { batch, bosun, out } = setUp([
      "{oops",
      "[1]",
      '{"topic":null}',
      '{"other":"x"}',
      '{"topic":"b"}',
    ]);

    const code = await run(batch, bosun);

    expect(code).toBe(1);
    expect(recordsOf(out).map(({ status, error }) => [status, error])).toMatchObject([
      ["failed", { code: "usage", message: "line 1 of the jobs is not JSON" }],
      ["failed", { code: "usage" }],
      ["failed", { code: "usage" }],
      ["failed", { code: "crew/input-missing" }],
      ["done", undefined],
    ]);
  });

  it("gives every line the inputs of the command line, and lets the line's own win", async () => {
    const { batch, bosun, asked } = setUp(["{}", '{"topic":"own"}']);

    await run({ ...batch, given: { topic: "given" } }, bosun);

    expect(asked.toSorted()).toEqual(["given", "own"]);
  });

  it("runs nothing again that has its result", async () => {
    const { batch, bosun, out, asked } = setUp(['{"topic":"a"}', '{"topic":"b"}', "{oops"]);
    await run(batch, bosun);
    const before = readFileSync(out, "utf8");
    const terminal = createFakeTerminal();

    const code = await run(batch, bosun, terminal);

    expect(code).toBe(1); // a job has failed before
    expect(asked).toHaveLength(2);
    expect(readFileSync(out, "utf8")).toBe(before);
    expect(terminal.err.text).toContain("0 done, 0 failed, 3 had a result (1 of them failed)");
  });

  it("goes on after a crash that cut the last line", async () => {
    const { batch, bosun, out, asked } = setUp(['{"topic":"a"}', '{"topic":"b"}']);
    await run(batch, bosun);
    const [first = ""] = readFileSync(out, "utf8").split("\n");
    writeFileSync(out, `${first}\n{"index":1,"inputs":{"to`);
    asked.length = 0;

    await run(batch, bosun);

    expect(asked).toHaveLength(1);
    expect(recordsOf(out)).toHaveLength(2);
  });

  it("runs a line again that failed for a reason that may pass", async () => {
    let isDown = true;
    const { batch, bosun, out } = setUp(['{"topic":"a"}'], (topic) =>
      isDown ? new BosunError("model/overloaded", "503", { retryable: true }) : `about ${topic}`,
    );

    const first = await run(batch, bosun);
    isDown = false;
    const second = await run(batch, bosun);

    expect([first, second]).toEqual([1, 0]);
    expect(recordsOf(out).map(({ status }) => status)).toEqual(["failed", "done"]);
  });

  it("runs at most as many at once as it is told", async () => {
    let now = 0;
    let most = 0;
    const { batch, bosun } = setUp(
      Array.from({ length: 12 }, (_, index) => `{"topic":"t${index}"}`),
      async (topic) => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
        return topic;
      },
    );

    await run({ ...batch, concurrency: 3 }, bosun);

    expect(most).toBe(3);
  });

  it("leaves no result of a run that was interrupted, and says how to go on", async () => {
    const terminal = createFakeTerminal();
    const { batch, bosun, out } = setUp(
      ['{"topic":"a"}', '{"topic":"b"}', '{"topic":"c"}'],
      (topic) => {
        if (topic !== "b") return topic;
        terminal.interrupt.abort(new BosunError("run/cancelled", "interrupted by SIGINT"));
        return new Promise(() => undefined);
      },
    );

    const code = await run({ ...batch, concurrency: 1 }, bosun, terminal);

    expect(code).toBe(130);
    expect(recordsOf(out)).toMatchObject([{ index: 0, status: "done" }]);
    expect(terminal.err.text).toContain("The same command goes on where it stopped");
  });

  it("writes each result to stdout too for --json, and nothing else there", async () => {
    const terminal = createFakeTerminal();
    const { batch, bosun, out } = setUp(['{"topic":"a"}']);

    await run({ ...batch, json: true }, bosun, terminal);

    expect(terminal.out.text).toBe(readFileSync(out, "utf8"));
  });

  it("refuses a results file that holds something else, and leaves it as it was", async () => {
    const { batch, bosun, jobs, out } = setUp(['{"topic":"a"}']);
    const cases = ["my notes", "my notes\n", '{"topic":"a"}\n', '{"index":1}\n'];

    for (const text of cases) {
      writeFileSync(out, text);
      await expect(run(batch, bosun)).rejects.toMatchObject({ code: "usage" });
      expect(readFileSync(out, "utf8")).toBe(text);
    }
    await expect(run({ ...batch, out: jobs }, bosun)).rejects.toMatchObject({ code: "usage" });
  });

  it("refuses results of another crew or flow by its name, and leaves them as they were", async () => {
    const { batch, bosun, out } = setUp(['{"topic":"a"}']);
    const other = crew({ name: "letter", tasks: [...CREW.tasks] });
    const same = flow("report", { bosun, initial: { topic: "" } }, { begin: start(() => 1) });
    await run(batch, bosun);
    const before = readFileSync(out, "utf8");

    for (const program of [other, same])
      await expect(run({ ...batch, program }, bosun)).rejects.toMatchObject({
        code: "usage",
        message: expect.stringMatching(
          `line 1 is a result of crew report, and this is ${program.type} ${program.name}`,
        ),
      });

    expect(readFileSync(out, "utf8")).toBe(before);
  });

  it("goes on with results that say no name, as those of an earlier version", async () => {
    const { batch, bosun, out, asked } = setUp(['{"topic":"a"}', '{"topic":"b"}']);
    await run(batch, bosun);
    const [first = ""] = readFileSync(out, "utf8").split("\n");
    writeFileSync(out, `${first.replace('"program":"crew report",', "")}\n`);
    asked.length = 0;

    const code = await run(batch, bosun);

    expect(first).toContain('"program":"crew report"');
    expect([code, asked.length, recordsOf(out).length]).toEqual([0, 1, 2]);
  });

  it("refuses jobs that have changed since their results were written", async () => {
    const { batch, bosun, jobs } = setUp(['{"topic":"a"}']);
    await run(batch, bosun);
    writeFileSync(jobs, '{"topic":"z"}');

    await expect(run(batch, bosun)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("line 1 of the jobs has changed"),
    });
  });

  it("runs a line that was broken and has been mended", async () => {
    const { batch, bosun, jobs, asked } = setUp(["{oops"]);
    await run(batch, bosun);
    writeFileSync(jobs, '{"topic":"a"}');

    await run(batch, bosun);

    expect(asked).toEqual(["a"]);
  });

  it("runs a job again that failed and whose line was mended", async () => {
    const { batch, bosun, jobs, asked } = setUp(['{"other":"x"}', '{"topic":"b"}']);
    const first = await run(batch, bosun);
    writeFileSync(jobs, '{"topic":"a"}\n{"topic":"b"}');

    const second = await run(batch, bosun);

    expect([first, second]).toEqual([1, 0]);
    expect(asked).toEqual(["b", "a"]);
  });

  it("runs lines that were added", async () => {
    const { batch, bosun, jobs, asked } = setUp(['{"topic":"a"}']);
    await run(batch, bosun);
    appendFileSync(jobs, '\n{"topic":"b"}\n');

    await run(batch, bosun);

    expect(asked).toEqual(["a", "b"]);
  });

  it("says which file cannot be read or written", async () => {
    const { batch, bosun } = setUp([]);

    await expect(run({ ...batch, jobs: "/nowhere/jobs.jsonl" }, bosun)).rejects.toMatchObject({
      code: "usage",
    });
    await expect(run({ ...batch, out: "/nowhere/out.jsonl" }, bosun)).rejects.toMatchObject({
      code: "usage",
    });
  });
});
