import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import { crew } from "../../../src/crew.ts";
import { task } from "../../../src/orchestration/crew/task.ts";
import { partialResult } from "../../../src/orchestration/run/result.ts";
import type { Script } from "../../../src/test/scripted-model.ts";
import {
  byTask,
  errorOf,
  eventsOf,
  job,
  only,
  requestsOf,
  scene,
  thrownBy,
  worker,
} from "./scenario.ts";

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "bosun-output-"));
  folder = join(root, "inside");
  mkdirSync(folder);
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const read = (file: string): string => readFileSync(join(folder, file), "utf8");
const writing = (outputFile: string, script: Script = () => "the answer") => {
  const { bosun, model } = scene(script, { outputFolder: folder });
  return { model, made: crew({ name: "c", tasks: [job("a", { outputFile })], bosun }) };
};

describe("an output file", () => {
  it("holds the task's answer, and an event says where it is", async () => {
    const { made } = writing("report.md");

    const { events } = await eventsOf(made.stream());

    expect(read("report.md")).toBe("the answer");
    const types = events.map(({ type }) => type);
    expect(only(events, "file-write")).toMatchObject([
      { task: "a", file: join(folder, "report.md") },
    ]);
    expect(types.indexOf("file-write")).toBeLessThan(types.indexOf("task-end"));
  });

  it("gets the folders that it needs", async () => {
    await writing("a/b/c/report.md").made.kickoff();

    expect(read("a/b/c/report.md")).toBe("the answer");
  });

  it("takes the place of the file that is there, whole, and leaves nothing else behind", async () => {
    writeFileSync(join(folder, "report.md"), "an old and much longer answer");

    await writing("report.md").made.kickoff();

    expect(read("report.md")).toBe("the answer");
    expect(readdirSync(folder)).toEqual(["report.md"]);
  });

  it("has its placeholders filled", async () => {
    const { bosun } = scene(() => "x", { outputFolder: folder });
    const one = task({
      name: "a",
      description: "About {topic}",
      expectedOutput: "e",
      agent: worker("A"),
      outputFile: "{topic}/out.txt",
    });

    await crew({ name: "c", tasks: [one], bosun }).kickoff({ inputs: { topic: "whales" } });

    expect(read("whales/out.txt")).toBe("x");
  });

  it("holds the JSON of a task with a schema, and what a guardrail made of an answer", async () => {
    const { bosun } = scene(byTask({ a: 'It is {"n": 1}', b: "x" }), { outputFolder: folder });
    const a = task({
      name: "a",
      description: "d",
      expectedOutput: "e",
      agent: worker("A"),
      output: z.object({ n: z.number() }),
      outputFile: "a.json",
    });
    const b = job("b", { guardrail: () => ({ ok: true, raw: "better" }), outputFile: "b.txt" });

    await crew({ name: "c", tasks: [a, b], bosun }).kickoff();

    expect(JSON.parse(read("a.json"))).toEqual({ n: 1 });
    expect(read("b.txt")).toBe("better");
  });

  it("is not written for a task that was skipped or failed", async () => {
    const { bosun } = scene(byTask({ a: "" }), { outputFolder: folder });
    const tasks = [
      job("skipped", { when: () => false, outputFile: "skipped.txt" }),
      job("a", { outputFile: "a.txt" }),
    ];

    await errorOf(crew({ name: "c", tasks, bosun }).kickoff());

    expect(readdirSync(folder)).toEqual([]);
  });

  it("is not written for a partial answer", async () => {
    const { bosun } = scene(() => "half", { outputFolder: folder });
    const refusing = {
      guardrail: () => ({ ok: false as const, reason: "r" }),
      guardrailRetries: 0,
    };
    const tasks = [job("a", { ...refusing, onError: "partial", outputFile: "a.txt" })];

    const result = await crew({ name: "c", tasks, bosun }).kickoff();

    expect(result.tasks.a).toMatchObject({ status: "partial", raw: "half" });
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is written by the task that stands in, whether it names a file of its own or not", async () => {
    const written: string[] = [];
    for (const own of [{}, { outputFile: "a.txt" }, { outputFile: "b.txt" }]) {
      const { bosun } = scene(({ hints }) => (hints.path[0] === "task:a" ? "" : "instead"), {
        outputFolder: folder,
      });
      const tasks = [job("a", { outputFile: "a.txt", onError: job("instead", own) })];

      await crew({ name: "c", tasks, bosun }).kickoff();
      for (const file of readdirSync(folder)) {
        written.push(`${file}: ${read(file)}`);
        rmSync(join(folder, file));
      }
    }

    expect(written).toEqual(["a.txt: instead", "a.txt: instead", "b.txt: instead"]);
  });

  it("that cannot be written fails the task and says why; its answer is kept", async () => {
    mkdirSync(join(folder, "report.md"));
    const { made } = writing("report.md");

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("task/output-file");
    expect(error.message).toContain(join(folder, "report.md"));
    expect(partialResult(error)?.tasks["a"]).toMatchObject({ status: "failed", raw: "the answer" });
    expect(readdirSync(folder)).toEqual(["report.md"]);
  });
});

describe("an output file outside of its folder", () => {
  it.each([
    "../out.txt",
    "a/../../out.txt",
    "/tmp/out.txt",
    "..",
    ".",
    "a/..",
    "folder/",
    "nul\0.txt",
    "../inside-too/out.txt",
  ])("is refused before anything is paid for: %j", async (file) => {
    const { made, model } = writing(file);

    const error = await errorOf(made.kickoff());

    expect(error.code).toBe("crew/invalid");
    expect(error.message).toContain(folder);
    expect(model.requests).toEqual([]);
  });

  it.each([
    ["../../etc/passwd", "--..-etc-passwd.txt"],
    [".env", "-env.txt"],
    ["TCP/IP: a primer", "TCP-IP- a primer.txt"],
  ])("cannot be reached by an input: %s is one part of a name", async (topic, name) => {
    const { bosun } = scene(() => "x", { outputFolder: folder });
    const one = task({
      name: "a",
      description: "{topic}",
      expectedOutput: "e",
      agent: worker("A"),
      outputFile: "{topic}.txt",
    });

    await crew({ name: "c", tasks: [one], bosun }).kickoff({ inputs: { topic } });

    expect(readdirSync(folder)).toContain(name);
  });

  it("is not written, and no folder made, where a link leads out", async () => {
    const outside = join(root, "outside");
    mkdirSync(outside);
    symlinkSync(outside, join(folder, "link"));

    for (const file of ["link/out.txt", "link/deep/er/out.txt"]) {
      const error = await errorOf(writing(file).made.kickoff());
      expect(error.code).toBe("task/output-file");
      expect(error.message).toContain("leads out of");
    }

    expect(readdirSync(outside)).toEqual([]);
  });

  it("is not written where a link leads to nothing", async () => {
    symlinkSync(join(root, "nowhere"), join(folder, "link"));

    for (const file of ["link/out.txt", "link/deep/out.txt"])
      expect((await errorOf(writing(file).made.kickoff())).code).toBe("task/output-file");

    expect(readdirSync(root)).toEqual(["inside"]);
  });

  it("is not written through a link in its own place: the link is replaced", async () => {
    const target = join(root, "target.txt");
    writeFileSync(target, "precious");
    symlinkSync(target, join(folder, "out.txt"));

    await writing("out.txt").made.kickoff();

    expect(readFileSync(target, "utf8")).toBe("precious");
    expect(lstatSync(join(folder, "out.txt")).isSymbolicLink()).toBe(false);
    expect(read("out.txt")).toBe("the answer");
  });

  it("may lie in a folder that is itself reached by a link, and in one that is not there yet", async () => {
    symlinkSync(folder, join(root, "way"));
    for (const outputFolder of [join(root, "way"), join(root, "new", "folder")]) {
      const { bosun } = scene(() => "x", { outputFolder });

      await crew({ name: "c", tasks: [job("a", { outputFile: "a/b.txt" })], bosun }).kickoff();

      expect(existsSync(join(outputFolder, "a", "b.txt"))).toBe(true);
    }
  });

  it("is allowed to have dots in its name", async () => {
    await writing("..report.md").made.kickoff();

    expect(read("..report.md")).toBe("the answer");
  });
});

describe("two tasks with one output file", () => {
  it("are refused before anything is paid for, however it is written", async () => {
    const { bosun, model } = scene(() => "x", { outputFolder: folder });
    const tasks = [
      job("a", { outputFile: "x/out.txt" }),
      job("b", { outputFile: "./x/y/../out.txt" }),
    ];

    const error = await errorOf(crew({ name: "c", tasks, bosun }).kickoff());

    expect(error.code).toBe("crew/invalid");
    expect(error.message).toMatch(/tasks "a" and "b" have one outputFile/);
    expect(requestsOf(model, "a")).toEqual([]);
  });
});

describe("an output file that is no text", () => {
  it.each(["", "  ", 7, true])("is refused: %j", (outputFile) => {
    expect(thrownBy(() => job("a", { outputFile: outputFile as string })).code).toBe(
      "crew/invalid",
    );
  });
});
