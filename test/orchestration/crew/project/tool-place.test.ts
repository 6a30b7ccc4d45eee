import { describe, expect, it } from "vitest";
import { load, yamlProject } from "./project-folder.ts";

const AGENT = "one:\n  role: One\n  goal: Be one\n  tools: [ScrapeWebsiteTool, FileReadTool]\n";
const taskOf = (name: string, line = "") =>
  `${name}:\n  description: d\n  expected_output: e\n  agent: one\n${line === "" ? "" : `  ${line}\n`}`;
const withTools = (line: string, agents = AGENT) =>
  load(yamlProject({ "agents.yaml": agents, "tasks.yaml": `${taskOf("a", line)}${taskOf("b")}` }));

describe("tools of a task", () => {
  it("take the place of its agent's, which stand at the agent's other tasks", async () => {
    const { options, notes } = await withTools("tools: [CalculatorTool]");

    expect(options.agents).toMatchObject([{ tools: [] }]);
    expect(options.tasks).toMatchObject([
      { tools: [{ name: "calculator" }] },
      { tools: [{ name: "fetch_url" }, { name: "read_file" }] },
    ]);
    expect(notes).toContainEqual(
      expect.objectContaining({ key: "tools", level: "note", line: 5, column: 3 }),
    );
  });

  it("take their place also when none of them can be used", async () => {
    const { options } = await withTools("tools: [SerperDevTool]");

    expect(options.tasks).toMatchObject([{ tools: [] }, { tools: [{}, {}] }]);
  });

  it("leave the agent's where the list is empty", async () => {
    const { options } = await withTools("tools: []");

    expect(options.agents).toMatchObject([{ tools: [{}, {}] }]);
    expect(options.tasks).toMatchObject([{ tools: [] }, { tools: [] }]);
  });

  it("stand besides the agent's where agents delegate, with a warning", async () => {
    const line = "tools: [CalculatorTool, FileReadTool]";

    const { options, notes } = await withTools(line, `${AGENT}  allow_delegation: true\n`);

    expect(options.agents).toMatchObject([{ tools: [{}, {}] }]);
    expect(options.tasks).toMatchObject([{ tools: [{ name: "calculator" }] }, { tools: [] }]);
    expect(notes).toContainEqual(
      expect.objectContaining({
        level: "warning",
        line: 5,
        message: expect.stringContaining("in CrewAI they take their place"),
      }),
    );
  });
});
