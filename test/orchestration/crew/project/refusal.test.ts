import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fixture, folderWith, load, yamlProject } from "./project-folder.ts";

const AGENT = "one:\n  role: One\n  goal: Be one\n";
const TASK = "first:\n  description: Do it\n  expected_output: It\n";

describe("a project that cannot be a crew", () => {
  it.each([
    [
      "a task with an agent that is not there",
      { "tasks.yaml": `${TASK}  agent: two\n` },
      "crew/unknown-agent",
      'tasks.yaml:4:10: there is no agent "two". The project\'s agents: one',
    ],
    [
      "a task without an agent",
      { "tasks.yaml": TASK },
      "crew/no-agent",
      'tasks.yaml:1:1: the task "first" has no agent',
    ],
    [
      "a context that is not there",
      { "tasks.yaml": `${TASK}  agent: one\n  context: [zero]\n` },
      "crew/unknown-task",
      'tasks.yaml:5:13: there is no task "zero"',
    ],
    [
      "a context that comes later",
      { "tasks.yaml": `${TASK}  agent: one\n  context: [first]\n` },
      "crew/invalid",
      'tasks.yaml:5:13: the task "first" is done later',
    ],
    [
      "an agent without a role",
      { "agents.yaml": "one:\n  goal: g\n" },
      "crew/invalid",
      'agents.yaml:1:1: the agent "one" has no role',
    ],
    [
      "an agent with an empty goal",
      { "agents.yaml": "one:\n  role: r\n  goal:\n" },
      "crew/invalid",
      "has no goal",
    ],
    [
      "a task without a description",
      { "tasks.yaml": "first:\n  expected_output: x\n  agent: one\n" },
      "crew/invalid",
      'the task "first" has no description',
    ],
    [
      "a number that is none",
      { "agents.yaml": `${AGENT}  max_iter: many\n` },
      "crew/invalid",
      'agents.yaml:4:13: max_iter must be a whole number of at least 1, got "many"',
    ],
    [
      "seconds that are none",
      { "agents.yaml": `${AGENT}  max_execution_time: -1\n` },
      "crew/invalid",
      "max_execution_time must be a number from 0.001 to 2000000, got -1",
    ],
    [
      "a flag that is none",
      { "agents.yaml": `${AGENT}  allow_delegation: 7\n` },
      "crew/invalid",
      "allow_delegation must be true or false, got 7",
    ],
    [
      "a list for a text",
      { "agents.yaml": "one:\n  role: [a]\n  goal: g\n" },
      "crew/invalid",
      "agents.yaml:2:9: role must be a text, got a list",
    ],
    [
      "a text for a list",
      { "tasks.yaml": `${TASK}  agent: one\n  context: first\n` },
      "crew/invalid",
      'context must be a list of tasks, got "first"',
    ],
    [
      "a model that is none",
      { "agents.yaml": `${AGENT}  llm: [a]\n` },
      "crew/invalid",
      "llm must be a model's name or an object of settings, got a list",
    ],
    [
      "an agent that is a text",
      { "agents.yaml": "one: two\n" },
      "crew/invalid",
      "agents.yaml:1:6: one must be an object of keys and values",
    ],
    [
      "a file that is a list",
      { "agents.yaml": "- one\n" },
      "crew/invalid",
      "the file must be an object of keys and values, got a list",
    ],
    ["an empty file", { "tasks.yaml": "" }, "crew/invalid", "tasks.yaml:1:1: the file is empty"],
    [
      "a file over a mebibyte",
      { "tasks.yaml": "x".repeat(1_048_577) },
      "crew/invalid",
      "the file has 1048577 bytes; at most 1048576 are read",
    ],
    [
      "a file that is no text",
      { "tasks.yaml": new Uint8Array([0xff, 0xfe, 0x00]) },
      "crew/invalid",
      "the file is not UTF-8 text",
    ],
    [
      "two tasks whose names become one",
      {
        "tasks.yaml": `a b:\n  description: d\n  expected_output: e\n  agent: one\na-b:\n  description: d\n  expected_output: e\n  agent: one\n`,
      },
      "crew/duplicate-name",
      'tasks.yaml:5:1: two tasks are named "a-b"',
    ],
    [
      "a crew.py that names other YAML",
      { "crew.py": "@task\ndef first(self):\n  return Task(config=self.tasks_config['zero'])\n" },
      "crew/invalid",
      'crew.py:3:15: "zero" is in none of the YAML file\'s keys: first',
    ],
    [
      "an unknown process",
      { "crew.py": "@crew\ndef crew(self):\n  return Crew(process=Process.consensual)\n" },
      "crew/invalid",
      "crew.py:3:23: process must be sequential or hierarchical",
    ],
  ])("is refused for %s, with file, line and column", async (_what, files, code, message) => {
    const folder = yamlProject(files);

    const error: unknown = await load(folder).catch((caught: unknown) => caught);

    expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
    expect(error).toMatchObject({
      details: { file: expect.stringContaining(folder), line: expect.any(Number) },
    });
  });

  it.each([
    ["agents that are missing", { tasks: [] }, "the crew has no agents"],
    [
      "tasks that are missing",
      { agents: { a: { role: "r", goal: "g" } } },
      "the crew has no tasks",
    ],
    [
      "an empty list of tasks",
      { agents: { a: { role: "r", goal: "g" } }, tasks: [] },
      "tasks is an empty list",
    ],
    [
      "an agent without a file",
      { agents: ["ghost"], tasks: [] },
      'crew.json:1:12: the agent "ghost" has no file',
    ],
    [
      "a path as an agent",
      { agents: ["../x"], tasks: [] },
      "an agent must be the name of a file in agents/",
    ],
  ])("is refused as a JSON crew for %s", async (_what, crew, message) => {
    await expect(load(folderWith({ "crew.json": JSON.stringify(crew) }))).rejects.toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  it("is refused without tasks.yaml, and a folder without any of it", async () => {
    await expect(load(folderWith({ "agents.yaml": AGENT }))).rejects.toMatchObject({
      code: "crew/invalid",
      message: expect.stringContaining("tasks.yaml:1:1: there is no such file beside agents.yaml"),
    });
    await expect(load(folderWith({ "readme.md": "" }))).rejects.toMatchObject({
      code: "usage",
    });
  });

  it("says what to do with a crew that is Python alone", async () => {
    const code = "from crewai import Agent\n";

    for (const files of [
      { "main.py": "", "agents.py": code, "tasks.py": "from crewai import Task\n" },
      { "src/trip/crew.py": code },
    ])
      await expect(load(folderWith(files))).rejects.toMatchObject({
        code: "usage",
        message: expect.stringMatching(/written in Python \(.*(?:agents|crew)\.py.*agents\.yaml/),
      });
    await expect(load(folderWith({ "main.py": "print(1)\n" }))).rejects.toMatchObject({
      message: expect.stringContaining("holds no CrewAI project"),
    });
  });

  it("names the crews of a flow's project instead of guessing", async () => {
    await expect(load(fixture("flow"))).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(join(fixture("flow"), "src/garden/crews/dig_crew")),
    });
    expect(
      (await load(join(fixture("flow"), "src/garden/crews/dig_crew"))).options.tasks,
    ).toHaveLength(1);
  });

  it("is refused with more agents or tasks than a crew can have", async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => `a${index}: {role: r, goal: g}`);
    const item = { description: "d", expected_output: "e", agent: "a" };
    const crew = {
      agents: { a: { role: "r", goal: "g" } },
      tasks: Array.from({ length: 1_001 }, () => item),
    };
    const tooMany = { code: "crew/invalid", message: expect.stringContaining("1001 are too many") };

    await expect(load(yamlProject({ "agents.yaml": many.join("\n") }))).rejects.toMatchObject(
      tooMany,
    );
    await expect(load(folderWith({ "crew.json": JSON.stringify(crew) }))).rejects.toMatchObject(
      tooMany,
    );
  });
});
