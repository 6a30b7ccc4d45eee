import { runInThisContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { renderCrew } from "../../../../src/orchestration/crew/project/render.ts";
import { createNamer, toLiteral } from "../../../../src/orchestration/crew/project/typescript.ts";
import { fixture, load, yamlProject } from "./project-folder.ts";

async function render(project: string): Promise<string> {
  const { definition } = await load(project);
  return renderCrew(definition, { project, target: `${project}-bosun` });
}

describe("renderCrew", () => {
  it("writes agents, tasks and crew with what they refer to", async () => {
    const text = await render(fixture("python"));

    expect(text).toMatch(
      /^import \{ agent, crew, endpoint, task \} from "bosun";\nimport \{ fetchUrl, tool \} from "bosun\/tool";\n/,
    );
    expect(text).toContain("const writePage = task({");
    expect(text).toContain("  agent: collector,\n  context: [collectMoss],\n");
    expect(text).toContain('  process: "hierarchical",\n  manager: chief,\n');
    expect(text).toContain("  agents: [collector],\n  tasks: [collectMoss, writePage],\n");
  });

  it("says in a comment beside each thing what could not be carried over, without the path of the project", async () => {
    const text = await render(fixture("plain"));

    expect(text).toMatch(/\/\/ agents\.yaml:10:3 memory: .*\nconst baker = agent\(/);
    expect(text).toMatch(/\/\/ agents\.yaml:15:3 favourite_colour: .*\nconst taster = agent\(/);
    expect(text).not.toContain(fixture("plain"));
  });

  it("writes defaults of inputs, and folders from where the file stands", async () => {
    const text = await render(fixture("json"));

    expect(text).toContain('export const inputs = { part: "chain" };');
    expect(text).toContain("readFile({ root: `${import.meta.dirname}/../json` })");
  });

  it("writes inputs that are looked up when the crew is run", async () => {
    const main = `inputs = {"day": date.today().strftime("%Y-%m-%d"), "port": os.getenv("PORT", "Emden"), "ship": os.getenv("SHIP")}`;

    const scaffold = await render(fixture("scaffold"));
    const looked = await render(yamlProject({ "main.py": main }));

    expect(scaffold).toContain(
      'export const inputs = { harbour: "Emden", year: String(new Date().getFullYear()) };',
    );
    expect(looked).toContain("const now = new Date();\n");
    expect(looked).toContain("  day: `${now.getFullYear()}-${");
    expect(looked).toContain('  port: process.env["PORT"] ?? "Emden",\n');
    expect(looked).toContain(
      '  ...(process.env["SHIP"] === undefined ? {} : { ship: process.env["SHIP"] }),\n',
    );
  });

  it("breaks comments at 120 characters", async () => {
    const text = await render(fixture("python"));

    const comments = text.split("\n").filter((line) => line.startsWith("//"));
    expect(Math.max(...comments.map(({ length }) => length))).toBeLessThanOrEqual(120);
    expect(text).toMatch(/\/\/ crew\.py:42:20 tools: Serper.*\n\/\/ {3}npx -y serper/);
  });

  it("keeps texts apart from code, and names apart from each other", async () => {
    const odd =
      "one:\n  role: 'endpoint(1) `${x}` \"q\"'\n  goal: |\n    a ${b}\n    `c` \\ d\ncrew:\n  role: R\n  goal: fetchUrl()\n";
    const tasks = "one:\n  description: d\n  expected_output: e\n  agent: one\n";

    const text = await render(yamlProject({ "agents.yaml": odd, "tasks.yaml": tasks }));

    expect(text).toContain('import { agent, crew, task } from "bosun";\n\n');
    expect(text).toContain("goal: `a \\${b}\n\\`c\\` \\\\ d`");
    expect(text).toContain("const one = agent({");
    expect(text).toContain("const crewAgent = agent({");
    expect(text).toContain("const oneTask = task({");
  });
});

describe("toLiteral", () => {
  it.each([
    ["plain"],
    ['a "b" \\ ${c} `d`'],
    ["two\nlines ${x} `y` \\n"],
    ["a\r\nb\u2028c"],
    [{ a: [1, true, null, { "b-c": "d" }], e: "x".repeat(100) }],
    [[]],
    [{}],
  ])("writes %j so that it means the same", (value) => {
    const code = toLiteral(value);

    expect(runInThisContext(`(${code})`)).toEqual(value);
  });
});

describe("createNamer", () => {
  it("makes identifiers that are free", () => {
    const { agent, task } = createNamer(["crew"]);

    expect([agent("web_researcher"), agent("web-researcher"), agent("2nd"), agent("crew")]).toEqual(
      ["webResearcher", "webResearcherAgent", "_2nd", "crewAgent"],
    );
    expect([task("web_researcher"), task("delete"), task("日本"), agent("web_researcher")]).toEqual(
      ["webResearcherTask", "deleteTask", "task", "webResearcher"],
    );
  });
});
