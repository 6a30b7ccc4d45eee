import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadProject } from "../../../../src/orchestration/crew/project/load.ts";
import type { Agent } from "../../../../src/orchestration/crew/agent.ts";
import type { Task } from "../../../../src/orchestration/crew/task.ts";
import { fixture, folderWith, yamlProject } from "./project-folder.ts";

const AGENT = "one:\n  role: One\n  goal: Be one\n";
const TASK = "first:\n  description: Do it\n  expected_output: It\n";
const roleOf = ({ agent }: Task): string | undefined =>
  typeof agent === "object" ? agent.role : agent;

/** Loads a YAML project in which one agent or one task has a further line. */
const withAgentLine = (line: string) =>
  loadProject(yamlProject({ "agents.yaml": `${AGENT}  ${line}\n` }));
const withTaskLine = (line: string) =>
  loadProject(yamlProject({ "tasks.yaml": `${TASK}  agent: one\n  ${line}\n` }));
const firstAgent = async (line: string): Promise<Agent | undefined> =>
  (await withAgentLine(line)).options.agents?.[0];
const firstTask = async (line: string): Promise<Task | undefined> =>
  (await withTaskLine(line)).options.tasks[0];

describe("loadProject", () => {
  it("reads a scaffold of `crewai create`: YAML under src, crew.py and main.py", async () => {
    const { options, inputs, notes } = await loadProject(fixture("scaffold"));

    expect(options).toMatchObject({ name: "HarbourNews", process: "sequential" });
    expect(options.tasks.map((task) => [task.name, roleOf(task), task.outputFile])).toEqual([
      ["report_task", "{harbour} Reporter", undefined],
      ["edit_task", "{harbour} Editor", "page.md"],
    ]);
    expect(inputs).toEqual({ harbour: "Emden" });
    expect(notes.map(({ key, level, line }) => [key, level, line])).toEqual([["year", "note", 13]]);
  });

  it("reads agents.yaml and tasks.yaml of a folder, with units as Bosun has them", async () => {
    const { options, notes } = await loadProject(fixture("plain"));

    expect(options.agents).toMatchObject([
      {
        role: "Baker",
        models: ["ollama/qwen3:8b"],
        maxIterations: 5,
        timeoutMs: 90_000,
        allowDelegation: false,
      },
      { role: "Taster", backstory: "", models: [] },
    ]);
    expect(options.tasks).toMatchObject([
      {
        name: "bake",
        timeoutMs: 120_000,
        expectedOutput: expect.stringMatching(/^A recipe\n\n.*Markdown/),
      },
      { name: "taste", context: [{ name: "bake" }], async: false },
    ]);
    expect(notes.map(({ key, level }) => `${level} ${key}`)).toEqual([
      "note tasks",
      "note max_rpm",
      "warning memory",
      "warning favourite_colour",
      "note max_execution_time",
    ]);
  });

  it("reads a JSONC crew with its agents' files, settings and inputs", async () => {
    const { options, inputs, notes } = await loadProject(fixture("json"));

    expect(options).toMatchObject({ name: "Bicycle-repair", process: "sequential" });
    expect(options.agents).toMatchObject([
      { role: "Mechanic", maxIterations: 7, tools: [{ name: "read_file" }] },
      {
        role: "Clerk",
        temperature: 0.2,
        models: [{ type: "endpoint", url: "http://localhost:11434/v1", model: "qwen3" }],
      },
    ]);
    expect(options.tasks).toMatchObject([
      { name: "diagnose" },
      { name: "invoice", context: [{ name: "diagnose" }] },
    ]);
    expect(inputs).toEqual({ part: "chain" });
    expect(notes.map(({ key, level }) => `${level} ${key}`)).toEqual([
      "note tools",
      "warning tools",
      "warning tools",
      "warning inject_date",
    ]);
  });

  it("takes from crew.py what it says plainly, and runs none of it", async () => {
    const { options, notes } = await loadProject(fixture("python"));

    expect(options).toMatchObject({
      name: "MossCrew",
      process: "hierarchical",
      planning: true,
      planningModel: { url: "http://gpu-1:8000/v1", model: "Qwen/Qwen3-8B" },
      manager: { role: "Editor in chief", models: ["gpt-4o-mini"] },
      agents: [
        {
          role: "Botanist",
          temperature: 0.1,
          maxIterations: 4,
          models: [{ url: "http://gpu-1:8000/v1", apiKeyEnv: "GPU_KEY" }],
          tools: [{ name: "fetch_url" }],
        },
      ],
    });
    expect(options.tasks).toMatchObject([
      { name: "collect_moss", output: { required: ["count"] } },
      { name: "write_page", outputFile: "out/page.md", guardrails: ["Each moss has a Latin name"] },
    ]);
    expect(notes.filter(({ level }) => level === "warning").map(({ key }) => key)).toEqual([
      "draw_moss",
      "memory",
      "prepare",
      "tools",
      "tools",
    ]);
  });

  it.each(["plain", "python", "scaffold", "json"])(
    "says where each note of %s stands",
    async (name) => {
      const { notes } = await loadProject(fixture(name));

      for (const { file, line, column } of notes) {
        expect(file.startsWith(fixture(name))).toBe(true);
        expect(Math.min(line, column)).toBeGreaterThan(0);
      }
    },
  );

  it("does the tasks in the order of crew.py's list when it has one", async () => {
    const code = `
@CrewBase
class C:
    @task
    def a(self):
        return Task(description="A", expected_output="a", agent=self.w())
    @task
    def b(self):
        return Task(description="B", expected_output="b", agent=self.w())
    @agent
    def w(self):
        return Agent(role="W", goal="w", backstory="")
    @crew
    def crew(self):
        return Crew(agents=self.agents, tasks=[self.b(), self.a()])
`;

    const { options } = await loadProject(yamlProject({ "crew.py": code }));

    expect(options.tasks.map(({ name }) => name)).toEqual(["b", "a"]);
  });

  it("finds tools, models and a name of its own for two agents of one role", async () => {
    const agents =
      "a:\n  role: R\n  goal: g\n  tools: [finder]\n  llm: own\nb:\n  role: R\n  goal: g\n";
    const code =
      "class C:\n  @tool\n  def finder(self):\n    return DirectorySearchTool()\n  @llm\n  def own(self):\n    return LLM(model='ollama/x', seed=3)\n";
    const tasks = "t:\n  description: d\n  expected_output: e\n  agent: a\n";

    const { options } = await loadProject(
      yamlProject({ "agents.yaml": agents, "tasks.yaml": tasks, "crew.py": code }),
    );

    expect(options.agents).toMatchObject([
      { name: "a", tools: [{ name: "search_docs" }], models: ["ollama/x"], seed: 3 },
      { name: "b" },
    ]);
  });

  it("reads JSON crews whose agents stand in the crew's own file", async () => {
    const crew = {
      agents: { a: { role: "A", goal: "g", backstory: "b" } },
      tasks: [
        {
          description: "d",
          expected_output: "e",
          agent: "a",
          guardrails: ["one", "two"],
          guardrail_max_retries: 1,
        },
      ],
    };

    const { options } = await loadProject(folderWith({ "crew.json": JSON.stringify(crew) }));

    expect(options.tasks).toMatchObject([
      { name: "task-1", guardrails: ["one", "two"], guardrailRetries: 1 },
    ]);
  });

  it("lets a manager of a JSON crew stand outside its list of agents", async () => {
    const files = {
      "crew.jsonc": JSON.stringify({
        agents: ["worker"],
        tasks: [{ description: "d", expected_output: "e" }],
        process: "hierarchical",
        manager_agent: "boss",
        manager_llm: "ollama/x",
      }),
      "agents/worker.json": JSON.stringify({ role: "W", goal: "g" }),
      "agents/boss.jsonc": JSON.stringify({ role: "B", goal: "g" }),
    };

    const { options, notes } = await loadProject(folderWith(files));

    expect(options).toMatchObject({
      manager: { role: "B" },
      agents: [{ role: "W" }],
      managerModel: undefined,
    });
    expect(notes).toMatchObject([{ key: "manager_llm", level: "note" }]);
  });
});

describe("models of a project", () => {
  it.each([
    ["llm: openai/gpt-4o", ["openai/gpt-4o"]],
    ["llm: gpt-4o-mini", ["gpt-4o-mini"]],
    ["llm: hosted_vllm/Qwen/Qwen3-8B", ["hosted_vllm/Qwen/Qwen3-8B"]],
    ["llm: ollama_chat/llama3", ["ollama/llama3"]],
    ["llm: Qwen/Qwen3-8B", ["Qwen/Qwen3-8B"]],
    ["llm: {model: llama3, provider: ollama}", ["ollama/llama3"]],
    ["llm: anthropic/claude-x", []],
    ["llm: {model: x, provider: azure}", []],
    ["llm:", []],
  ])("%s means %j", async (line, models) => {
    expect((await firstAgent(line))?.models).toEqual(models);
  });

  it("says that a provider without a client is replaced by the run's model", async () => {
    const { notes } = await withAgentLine("llm: anthropic/claude-x");

    expect(notes).toContainEqual(
      expect.objectContaining({
        key: "llm",
        level: "warning",
        line: 4,
        column: 3,
        message: expect.stringContaining("run's model"),
      }),
    );
  });

  it("takes settings, seconds and the variable of a key, and never a key itself", async () => {
    const { options, notes } = await withAgentLine(
      "llm: {model: openai/x, base_url: 'http://h/v1', api_key: sk-secret, timeout: 20, top_p: 0.5, stop: END, reasoning_effort: low, odd: 1}",
    );
    const named = await firstAgent(
      "llm: {model: x, base_url: 'http://h/v1', api_key: os.environ/MY_KEY}",
    );

    expect(options.agents?.[0]).toMatchObject({
      models: [{ url: "http://h/v1", model: "x" }],
      timeouts: { totalMs: 20_000 },
      topP: 0.5,
      stop: ["END"],
      extraBody: { reasoning_effort: "low" },
    });
    expect(JSON.stringify([options, notes])).not.toContain("sk-secret");
    expect(notes.map(({ message }) => message)).toEqual(
      expect.arrayContaining([
        expect.stringContaining("api_key"),
        expect.stringContaining("llm.odd"),
      ]),
    );
    expect(named?.models).toMatchObject([{ apiKeyEnv: "MY_KEY" }]);
  });
});

describe("keys of a project", () => {
  it("carries tasks' keys over", async () => {
    expect(await firstTask("human_input: true")).toMatchObject({ humanInput: {} });
    expect(await firstTask("async_execution: true")).toMatchObject({ async: true });
    expect(await firstTask("output_file: ./a/{x}.md")).toMatchObject({ outputFile: "a/{x}.md" });
    expect(await firstTask("guardrail: Be short")).toMatchObject({ guardrails: ["Be short"] });
    expect(await firstTask("tools: [scrape_website, FileReadTool]")).toMatchObject({
      tools: [{ name: "fetch_url" }, { name: "read_file" }],
    });
    expect(await firstAgent("allow_delegation: true")).toMatchObject({ allowDelegation: true });
  });

  it("lets an empty expected_output and an unset key be", async () => {
    const tasks = "t:\n  description: d\n  expected_output: ''\n  agent: one\n  output_file:\n";

    const { options, notes } = await loadProject(yamlProject({ "tasks.yaml": tasks }));

    expect(options.tasks).toMatchObject([
      { expectedOutput: "A complete answer", outputFile: undefined },
    ]);
    expect(notes).toContainEqual(expect.objectContaining({ key: "expected_output", line: 3 }));
  });

  it.each([
    ["max_rpm: 3", "note"],
    ["verbose: 2", undefined],
    ["memory: false", undefined],
    ["memory: true", "warning"],
    ["knowledge_sources: []", undefined],
    ["cache: true", undefined],
    ["cache: false", "note"],
    ["step_callback: say", "warning"],
    ["maxIter: 3", "warning"],
    ["__proto__: 3", "warning"],
    ["constructor: 3", "warning"],
  ])("tells of %s as %s", async (line, level) => {
    const { notes } = await withAgentLine(line);

    expect(notes.filter(({ key }) => key !== "tasks").map((note) => note.level)).toEqual(
      level === undefined ? [] : [level],
    );
  });
});

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
      "max_execution_time must be a number from 0.001 to 86400, got -1",
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

    const error: unknown = await loadProject(folder).catch((caught: unknown) => caught);

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
    await expect(
      loadProject(folderWith({ "crew.json": JSON.stringify(crew) })),
    ).rejects.toMatchObject({
      message: expect.stringContaining(message),
    });
  });

  it("is refused without tasks.yaml, and a folder without any of it", async () => {
    await expect(loadProject(folderWith({ "agents.yaml": AGENT }))).rejects.toMatchObject({
      code: "crew/invalid",
      message: expect.stringContaining("tasks.yaml:1:1: there is no such file beside agents.yaml"),
    });
    await expect(loadProject(folderWith({ "readme.md": "" }))).rejects.toMatchObject({
      code: "usage",
    });
  });

  it("names the crews of a flow's project instead of guessing", async () => {
    await expect(loadProject(fixture("flow"))).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining(join(fixture("flow"), "src/garden/crews/dig_crew")),
    });
    expect(
      (await loadProject(join(fixture("flow"), "src/garden/crews/dig_crew"))).options.tasks,
    ).toHaveLength(1);
  });
});
