import { describe, expect, it } from "vitest";
import type { Task } from "../../../../src/orchestration/crew/task.ts";
import { fixture, folderWith, load, yamlProject } from "./project-folder.ts";

const roleOf = ({ agent }: Task): string | undefined =>
  typeof agent === "object" ? agent.role : agent;

describe("loadProject", () => {
  it("reads a scaffold of `crewai create`: YAML under src, crew.py and main.py", async () => {
    const { options, inputs, notes } = await load(fixture("scaffold"));

    expect(options).toMatchObject({ name: "HarbourNews", process: "sequential" });
    expect(options.tasks.map((task) => [task.name, roleOf(task), task.outputFile])).toEqual([
      ["report_task", "{harbour} Reporter", undefined],
      ["edit_task", "{harbour} Editor", "page.md"],
    ]);
    expect(inputs).toEqual({ harbour: "Emden", year: "2026" });
    expect(notes).toEqual([]);
  });

  it("reads agents.yaml and tasks.yaml of a folder, with units as Bosun has them", async () => {
    const { options, notes } = await load(fixture("plain"));

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
      "warning max_rpm",
      "warning memory",
      "warning favourite_colour",
      "warning max_execution_time",
    ]);
  });

  it("reads a JSONC crew with its agents' files, settings and inputs", async () => {
    const { options, inputs, notes } = await load(fixture("json"));

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
    const { options, notes } = await load(fixture("python"));

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
      "memory",
      "prepare",
      "tools",
      "tools",
    ]);
  });

  it.each(["plain", "python", "scaffold", "json"])(
    "says where each note of %s stands",
    async (name) => {
      const { notes } = await load(fixture(name));

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

    const { options } = await load(yamlProject({ "crew.py": code }));

    expect(options.tasks.map(({ name }) => name)).toEqual(["b", "a"]);
  });

  it("finds tools, models and a name of its own for two agents of one role", async () => {
    const agents =
      "a:\n  role: R\n  goal: g\n  tools: [finder]\n  llm: own\nb:\n  role: R\n  goal: g\n";
    const code =
      "class C:\n  @tool\n  def finder(self):\n    return DirectorySearchTool()\n  @llm\n  def own(self):\n    return LLM(model='ollama/x', seed=3)\n";
    const tasks = "t:\n  description: d\n  expected_output: e\n  agent: a\n";

    const { options } = await load(
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

    const { options } = await load(folderWith({ "crew.json": JSON.stringify(crew) }));

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

    const { options, notes } = await load(folderWith(files));

    expect(options).toMatchObject({
      manager: { role: "B" },
      agents: [{ role: "W" }],
      managerModel: undefined,
    });
    expect(notes).toMatchObject([{ key: "manager_llm", level: "note" }]);
  });

  it("follows names of the class, and tells of arguments that only Python could read", async () => {
    const code = `
@CrewBase
class C:
    """Doc"""
    own = LLM(model="ollama/x")
    found = [FileReadTool()]

    @agent
    def one(self):
        return Agent(config=self.agents_config["one"], llm=self.own, tools=self.found, **EXTRA)
`;

    const { options, notes } = await load(yamlProject({ "crew.py": code }));

    expect(options.agents).toMatchObject([
      { models: ["ollama/x"], tools: [{ name: "read_file" }] },
    ]);
    expect(notes).toContainEqual(
      expect.objectContaining({
        key: "agent",
        level: "warning",
        line: 10,
        message: expect.stringContaining("**EXTRA"),
      }),
    );
  });
});
