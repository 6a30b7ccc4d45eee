import { describe, expect, it } from "vitest";
import { fixture, folderWith, load, yamlProject } from "./project-folder.ts";
import { readToolFiles, toolStub } from "../../../../src/orchestration/crew/project/python-tool.ts";

/** The stub of a tool that stands in tools/one.py. */
const stubOf = (name: string, text: string) =>
  toolStub(name, readToolFiles(folderWith({ "tools/one.py": text }), "tools"));

describe("toolStub", () => {
  it("takes name, description and schema of a scaffold's tool", () => {
    const files = readToolFiles(fixture("scaffold"), "src/harbour_news/tools");

    expect(toolStub("TideTool", files)).toMatchObject({
      name: "tide_table",
      description: "Says how high the water stands at a quay, in metres.",
      parameters: {
        properties: { quay: { type: "string", description: "Name of a quay." } },
        required: ["quay"],
      },
      place: { line: 10, column: 1 },
    });
  });

  it("takes the parameters of _run where there is no args_schema", () => {
    const text =
      "class A(BaseTool):\n    name = 'Read file'\n    def _run(self, path: str, *, lines: int = 5, rest=None, **more) -> str:\n        return ''\n";

    expect(stubOf("A", text)).toMatchObject({
      name: "own_read_file",
      parameters: {
        properties: {
          path: { type: "string" },
          lines: { type: "integer", default: 5 },
          rest: { default: null },
        },
        required: ["path"],
      },
    });
  });

  it("takes a function with @tool by its title and docstring", () => {
    const text =
      '@tool("Tide Table")\ndef tides(quay: Literal["a", "b"], days: list[int]):\n    """How high\n    the water is."""\n    return 1\n';

    expect(stubOf("tides", text)).toMatchObject({
      name: "tide_table",
      description: "How high the water is.",
      parameters: { properties: { quay: { enum: ["a", "b"] }, days: { type: "array" } } },
    });
  });

  it("finds the class that custom:name means by its file", () => {
    const text = "class Anything(BaseTool):\n    name: str = 'Torque'\n";

    expect(stubOf("custom:one", text)).toMatchObject({ name: "torque", python: "one" });
  });

  it("looks into a tools.py too", () => {
    const text = "class A(BaseTool):\n    description: str = 'Why'\n";

    const files = readToolFiles(folderWith({ "tools.py": text, "tools/readme.md": "" }), "tools");

    expect(toolStub("A", files)).toMatchObject({ name: "a", description: "Why" });
  });

  it("makes a place for what it does not find or cannot read", () => {
    const unknown = { properties: {}, additionalProperties: true };

    expect(toolStub("custom:torque_table", [])).toMatchObject({
      name: "torque_table",
      parameters: unknown,
      place: undefined,
    });
    expect(stubOf("A", "class A(BaseTool):\n  args_schema = make()\n")).toMatchObject({
      name: "a",
      parameters: unknown,
    });
    expect(readToolFiles(folderWith({ "tools/one.py": new Uint8Array([0xff]) }), "tools")).toEqual(
      [],
    );
    expect(toolStub("日本", [])).toMatchObject({ name: "own_tool" });
  });
});

describe("a tool of the project's own", () => {
  it("is left out of a run, with a warning", async () => {
    const agents = "one:\n  role: One\n  goal: g\n  tools: [TideTool, TideTool]\n";

    const { options, notes, definition } = await load(yamlProject({ "agents.yaml": agents }));

    expect(options.agents).toMatchObject([{ tools: [] }]);
    expect(definition.agents).toMatchObject([{ tools: [{ type: "stub", name: "tide_tool" }] }]);
    expect(notes).toContainEqual(
      expect.objectContaining({
        level: "warning",
        message: expect.stringContaining("bosun import crewai writes a tool()"),
      }),
    );
  });
});
