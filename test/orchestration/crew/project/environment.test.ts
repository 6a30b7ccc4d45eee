import { describe, expect, it } from "vitest";
import { load, yamlProject } from "./project-folder.ts";

const withEnv = (text: string, env = {}, files = {}) =>
  load(yamlProject({ ".env": text, ...files }), { env });

describe("a project's .env", () => {
  it("names the model of agents that name none, with a note of its line", async () => {
    const { options, notes, definition } = await withEnv(
      "# keys\nOPENAI_API_KEY=sk-secret\nMODEL=gpt-4o-mini\n",
    );

    expect(options.agents).toMatchObject([{ models: ["gpt-4o-mini"] }]);
    expect(notes.filter(({ key }) => key === "MODEL")).toMatchObject([
      {
        file: expect.stringMatching(/\.env$/),
        line: 3,
        level: "note",
        message: expect.stringContaining("names gpt-4o-mini"),
      },
    ]);
    expect(JSON.stringify([notes, options, definition])).not.toContain("sk-secret");
  });

  it.each([
    ["MODEL=a\nMODEL_NAME=b\nOPENAI_MODEL_NAME=c\n", "a"],
    ["MODEL=\nMODEL_NAME=b\nOPENAI_MODEL_NAME=c\n", "b"],
    ["export OPENAI_MODEL_NAME='ollama_chat/c'\n", "ollama/c"],
  ])("is looked through in CrewAI's order: %j", async (text, model) => {
    expect((await withEnv(text)).options.agents).toMatchObject([{ models: [model] }]);
  });

  it("stands below the environment, which may name the model too", async () => {
    const { options, notes, env } = await withEnv(
      "MODEL=a\nOPENAI_API_KEY=k\nBOSUN_DATA=/elsewhere\n",
      { MODEL: "b" },
    );

    expect(options.agents).toMatchObject([{ models: ["b"] }]);
    expect(notes.find(({ key }) => key === "MODEL")?.message).toContain("the environment names b");
    expect(env).toEqual({ MODEL: "b", OPENAI_API_KEY: "k" });
  });

  it("leaves agents with a model of their own alone, and says nothing then", async () => {
    const agents = "one:\n  role: One\n  goal: Be one\n  llm: ollama/x\n";

    const { options, notes } = await withEnv("MODEL=a\n", {}, { "agents.yaml": agents });

    expect(options.agents).toMatchObject([{ models: ["ollama/x"] }]);
    expect(notes.map(({ key }) => key)).not.toContain("MODEL");
  });

  it("gives its model to the plan and to Bosun's own manager", async () => {
    const code =
      "class C:\n  @crew\n  def crew(self):\n    return Crew(process=Process.hierarchical, planning=True)\n";

    const { options } = await withEnv("MODEL=a\n", {}, { "crew.py": code });

    expect(options).toMatchObject({ managerModel: "a", planningModel: "a" });
  });

  it("with a model that has no client here leaves the run's model, and warns", async () => {
    const { options, notes } = await withEnv("MODEL=anthropic/claude\n");

    expect(options.agents).toMatchObject([{ models: [] }]);
    expect(notes).toContainEqual(expect.objectContaining({ key: "MODEL", level: "warning" }));
  });

  it("tells where it sends calls, and warns when a key of somebody else's goes there", async () => {
    const text = "OPENAI_API_BASE=http://user:pw@far:1/v1\n";

    const own = await withEnv(`${text}OPENAI_API_KEY=k\n`);
    const foreign = await withEnv(text, { OPENAI_API_KEY: "mine" });

    expect(own.notes).toContainEqual(
      expect.objectContaining({
        key: "OPENAI_API_BASE",
        level: "note",
        line: 1,
        message: expect.stringMatching(/at far:1$/),
      }),
    );
    expect(foreign.notes).toContainEqual(
      expect.objectContaining({
        key: "OPENAI_API_BASE",
        level: "warning",
        message: expect.stringContaining("your own OPENAI_API_KEY"),
      }),
    );
  });

  it("gives inputs that main.py looks up", async () => {
    const main = "inputs = {'port': os.getenv('PORT')}\n";

    expect((await withEnv("PORT=Emden\n", {}, { "main.py": main })).inputs).toEqual({
      port: "Emden",
    });
  });

  it("is refused when it is no text", async () => {
    await expect(load(yamlProject({ ".env": new Uint8Array([0xff, 0xfe]) }))).rejects.toMatchObject(
      { code: "crew/invalid", message: expect.stringContaining(".env:1:1") },
    );
  });
});
