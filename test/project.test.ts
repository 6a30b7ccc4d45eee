import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createBosun } from "../src/bosun.ts";
import { loadCrewProject } from "../src/project.ts";
import { scriptedModel } from "../src/test/scripted-model.ts";
import { fixture, folderWith, yamlProject } from "./orchestration/crew/project/project-folder.ts";

const scene = (...replies: readonly string[]) => {
  const model = scriptedModel(replies);
  const outputFolder = folderWith({});
  return { model, outputFolder, bosun: createBosun({ model, data: false, env: {}, outputFolder }) };
};

describe("loadCrewProject", () => {
  it("gives a crew that runs: CrewAI's scaffold", async () => {
    const { model, outputFolder, bosun } = scene("1. A new crane", "# Emden");

    const project = await loadCrewProject(fixture("scaffold"), { bosun });
    const result = await project.crew.kickoff({ inputs: project.inputs });

    expect(result).toMatchObject({ status: "done", raw: "# Emden" });
    const prompts = model.requests.map(({ messages }) => JSON.stringify(messages));
    expect(prompts[0]).toContain("Emden Reporter");
    expect(prompts[0]).toContain(`Note what changed in Emden in ${new Date().getFullYear()}.`);
    expect(prompts[1]).toContain("1. A new crane");
    expect(readFileSync(join(outputFolder, "page.md"), "utf8").trim()).toBe("# Emden");
  });

  it("gives a crew that runs: JSONC with its own inputs", async () => {
    const { model, bosun } = scene("A dry chain", "3 coins");

    const { crew, inputs, notes } = await loadCrewProject(fixture("json"), { bosun });
    const result = await crew.kickoff({ inputs, model: "given" });

    expect(result).toMatchObject({
      status: "done",
      raw: "3 coins",
      tasks: { diagnose: { raw: "A dry chain" } },
    });
    expect(JSON.stringify(model.requests[0]?.messages)).toContain("why the chain squeaks");
    expect(notes.length).toBeGreaterThan(0);
  });

  it("gives a crew that a manager leads, whose tasks need no agent", async () => {
    const { model, bosun } = scene("Delegated and done");
    const folder = yamlProject({
      "tasks.yaml": "first:\n  description: Lead them\n  expected_output: It\n",
      "crew.py":
        "class C:\n  @crew\n  def crew(self):\n    return Crew(process=Process.hierarchical, manager_llm='ollama/x')\n",
    });

    const { crew } = await loadCrewProject(folder, { bosun });
    const result = await crew.kickoff({ inputs: {}, model: "given" });

    expect(result).toMatchObject({ status: "done", raw: "Delegated and done" });
    expect(crew.manager?.models).toEqual(["ollama/x"]);
    expect(JSON.stringify(model.requests[0]?.messages)).toContain("One");
  });

  it("judges answers by a guardrail in words", async () => {
    const { bosun } = scene('{"ok":true}', '{"ok":true}', '{"ok":true}');
    const folder = yamlProject({
      "tasks.yaml":
        "first:\n  description: Do it\n  expected_output: It\n  agent: one\n  guardrail: Be short\n",
    });

    const { crew } = await loadCrewProject(folder, { bosun });

    expect((await crew.kickoff({ inputs: {} })).tasks).toMatchObject({ first: { status: "done" } });
  });

  it("leaves models to the Bosun that it is given", async () => {
    const { bosun } = scene("x");

    const { crew } = await loadCrewProject(yamlProject({ ".env": "MODEL=other\n" }), { bosun });

    expect(crew.agents).toMatchObject([{ models: [] }]);
    expect((await loadCrewProject(yamlProject({ ".env": "MODEL=other\n" }))).crew.agents).toEqual([
      expect.objectContaining({ models: ["other"] }),
    ]);
  });

  it("refuses a project that cannot be a crew", async () => {
    const folder = yamlProject({
      "tasks.yaml": "first: {description: d, expected_output: e, agent: ghost}\n",
    });

    await expect(loadCrewProject(folder)).rejects.toMatchObject({
      code: "crew/unknown-agent",
      details: { line: 1, column: 52 },
    });
  });
});
