import { describe, expect, it } from "vitest";
import { load, yamlProject } from "./project-folder.ts";

/** A hierarchical crew.py with this manager_agent, what stands before its Crew(…), and further methods. */
const withManager = (manager: string, { before = "", methods = "" } = {}) =>
  load(
    yamlProject({
      "agents.yaml": `one:\n  role: One\n  goal: Be one\nboss:\n  role: Boss\n  goal: Lead\n`,
      "crew.py": `
@CrewBase
class C:
    @agent
    def one(self) -> Agent:
        return Agent(config=self.agents_config["one"])
${methods}
    @crew
    def crew(self) -> Crew:
        ${before}
        return Crew(agents=self.agents, process=Process.hierarchical, manager_agent=${manager})
`,
    }),
  );

describe("a manager of crew.py", () => {
  it.each([
    [
      "a method without @agent",
      "self.manager()",
      {
        methods:
          '    def manager(self) -> Agent:\n        return Agent(role="Head", goal="Lead", llm="ollama/x", max_iter=3)\n',
      },
      { role: "Head", goal: "Lead", models: ["ollama/x"], maxIterations: 3 },
    ],
    [
      "a method without @agent that returns what it has named",
      "self.manager()",
      {
        methods:
          '    def manager(self):\n        made = Agent(role="Head", goal="Lead")\n        return made\n',
      },
      { role: "Head" },
    ],
    [
      "a method without @agent over the YAML",
      "self.manager()",
      {
        methods:
          "    def manager(self):\n        return Agent(config=self.agents_config['boss'])\n",
      },
      { role: "Boss" },
    ],
    [
      "a local variable",
      "manager",
      { before: 'manager = Agent(role="Head", goal="Lead", allow_delegation=True)' },
      { role: "Head", allowDelegation: true },
    ],
    ["an agent in place", 'Agent(role="Head", goal="Lead")', {}, { role: "Head" }],
    [
      "an agent in place over the YAML",
      'Agent(config=self.agents_config["boss"])',
      {},
      { role: "Boss" },
    ],
    ["a method with @agent", "self.one()", {}, { role: "One" }],
  ])("is read where it is %s", async (_what, manager, rest, expected) => {
    const { options, notes } = await withManager(manager, rest);

    expect(options.manager).toMatchObject(expected);
    expect(options.agents?.map(({ role }) => role)).toEqual(expected.role === "One" ? [] : ["One"]);
    expect(notes.filter(({ key }) => key === "manager_agent")).toEqual([]);
  });

  it.each([
    ["a method that is not there", "self.manager()", {}],
    ["a name that is not there", "boss", {}],
    ["a function of another file", "make_manager()", {}],
    ["an agent with a role that Python makes", 'Agent(role=ROLE + "x", goal="Lead")', {}],
    ["an agent of YAML that is not there", 'Agent(config=self.agents_config["ghost"])', {}],
    ["an agent without a goal", 'Agent(role="Head")', {}],
    [
      "a method that returns in two places",
      "self.manager()",
      {
        methods:
          '    def manager(self):\n        if x:\n            return Agent(role="A", goal="a")\n        return Agent(role="B", goal="b")\n',
      },
    ],
  ])("is replaced by Bosun's own with a warning where it is %s", async (_what, manager, rest) => {
    const { options, notes } = await withManager(manager, rest);

    expect(options).toMatchObject({ process: "hierarchical", manager: undefined });
    expect(notes).toContainEqual(
      expect.objectContaining({
        key: "manager_agent",
        level: "warning",
        message: expect.stringContaining("Bosun's own manager leads"),
      }),
    );
  });
});
