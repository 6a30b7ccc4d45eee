import { execFile } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import {
  chunk,
  DONE,
  finishChunk,
  startFaultServer,
  streamReply,
  textReply,
} from "../../src/test/index.ts";
import { fixture } from "../orchestration/crew/project/project-folder.ts";
import { newFolder, ROOT, runBosun } from "./bosun-process.ts";

const PROJECTS = ["scaffold", "plain", "json", "python"] as const;
const INPUTS: Readonly<Record<(typeof PROJECTS)[number], readonly string[]>> = {
  scaffold: [],
  plain: ["-i", "bread=rye"],
  json: [],
  python: ["-i", "stone=granite"],
};

/** A copy of a fixture below a new folder. */
function copyOf(name: string): string {
  const cwd = newFolder();
  cpSync(fixture(name), join(cwd, name), { recursive: true });
  return cwd;
}

describe("bosun run on a CrewAI project", () => {
  it.each(["scaffold", "plain", "json"] as const)(
    "%s runs with any model that --model names",
    async (name) => {
      await using server = await startFaultServer({
        replies: (_call, index) => textReply(`text ${index}`),
      });

      const args = ["run", name, ...INPUTS[name], "--model", server.url];
      const { code, out, err } = await runBosun(args, { cwd: copyOf(name) });

      expect(err).not.toContain("Error");
      expect(out).toMatch(/^text \d+\n$/);
      expect(code).toBe(0);
    },
  );

  it("runs what `crewai create crew` writes as it is, without flags, and so does its import", async () => {
    const cwd = copyOf("scaffold");

    const project = await runBosun(["run", "scaffold"], { cwd });
    await runBosun(["import", "crewai", "scaffold"], { cwd });
    const imported = await runBosun(["run", "scaffold-bosun"], { cwd });

    expect([project.code, imported.code]).toEqual([0, 0]);
    expect(imported.out).toBe(project.out);
  });

  it("runs offline with the embedded model, from a file of the project", async () => {
    const cwd = copyOf("scaffold");

    const { code, err } = await runBosun(["run", "scaffold/src/harbour_news/config/agents.yaml"], {
      cwd,
    });

    expect(err).toContain("extractive (no neural network)");
    expect(code).toBe(0);
  });

  it("tells notes on stderr with file, line and column, and keeps stdout for JSON", async () => {
    await using server = await startFaultServer({ replies: () => textReply("x") });
    const args = ["run", "plain", "-i", "bread=rye", "--json", "--model", server.url];

    const { out, err } = await runBosun([...args, "--notes"], { cwd: copyOf("plain") });

    expect(err).toContain("Warning: plain/agents.yaml:15:3 favourite_colour: unknown");
    expect(err).toContain("Note: plain/tasks.yaml:1:1 tasks: ");
    for (const line of out.trimEnd().split("\n")) expect(JSON.parse(line)).toBeTypeOf("object");
  });

  it("asks the model of the project's .env, and prints no key", async () => {
    await using server = await startFaultServer({ replies: () => textReply("from .env") });
    const cwd = copyOf("scaffold");
    const env = `MODEL=small\nOPENAI_API_BASE=${server.url}\nOPENAI_API_KEY=sk-secret\n`;
    writeFileSync(join(cwd, "scaffold/.env"), env);

    const { out, err } = await runBosun(["run", "scaffold", "--notes"], { cwd });

    expect(out).toBe("from .env\n");
    expect(server.calls[0]?.body).toMatchObject({ model: "small" });
    expect(err).toMatch(/scaffold\/\.env:1:1 MODEL: .*names small/);
    expect(`${out}${err}`).not.toContain("sk-secret");
  });

  it("asks for the inputs that the project leaves open", async () => {
    const { code, err } = await runBosun(["run", "plain"], { cwd: copyOf("plain") });

    expect(code).toBe(2);
    expect(err).toContain("Add --input bread=…");
  });

  it.each([
    [
      "broken YAML",
      { "agents.yaml": "one: [\n", "tasks.yaml": "" },
      /Error \[crew\/invalid\] p\/agents\.yaml:\d+:\d+: this is not valid YAML/,
    ],
    [
      "broken JSON",
      { "crew.json": '{ "agents": [}' },
      /Error \[crew\/invalid\] p\/crew\.json:1:14: this is not valid JSON/,
    ],
    [
      "a key that stands twice",
      { "agents.yaml": "a: {role: r, goal: g}\na: {}\n", "tasks.yaml": "" },
      /Error \[crew\/duplicate-name\] p\/agents\.yaml:2:1: /,
    ],
  ])("says where %s is", async (_what, files, message) => {
    const cwd = newFolder(
      Object.fromEntries(Object.entries(files).map(([name, text]) => [`p/${name}`, text])),
    );

    const { code, out, err } = await runBosun(["run", "p"], { cwd });

    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });
});

describe("bosun import crewai", () => {
  it.each(PROJECTS)("writes %s as TypeScript that type-checks", async (name) => {
    const cwd = copyOf(name);

    const { code, out } = await runBosun(["import", "crewai", name], { cwd });
    const target = join(cwd, `${name}-bosun`);
    const files = readdirSync(target).toSorted();

    expect(code).toBe(0);
    expect(out).toContain(`wrote  ${name}-bosun/crew.ts`);
    expect(files).toEqual([".gitignore", "README.md", "crew.ts", "package.json", "tsconfig.json"]);
    expect(await typesOf(target)).toBe("");
  });

  it("writes TypeScript whose inputs the compiler checks", async () => {
    const cwd = copyOf("plain");
    await runBosun(["import", "crewai", "plain"], { cwd });
    const use =
      'import report from "./crew.ts";\nawait report.kickoff({ inputs: { butter: 1 } });\n';
    writeFileSync(join(cwd, "plain-bosun/use.ts"), use);

    expect(await typesOf(join(cwd, "plain-bosun"))).toMatch(/use\.ts\(2,\d+\): error TS/);
  });

  it("writes how to run it, with what is missing", async () => {
    const cwd = copyOf("plain");

    await runBosun(["import", "crewai", "plain"], { cwd });
    const text = readFileSync(join(cwd, "plain-bosun/README.md"), "utf8");

    expect(text).toContain("npx bosun run . --input bread=…");
    expect(text).toContain("npm pack");
  });

  it("gives each tool of the project's own a place, whose error reaches the model", async () => {
    const cwd = copyOf("json");
    const call = { index: 0, id: "a", function: { name: "torque_table", arguments: "{}" } };
    const asking = streamReply(chunk({ tool_calls: [call] }), finishChunk("tool_calls"), DONE);
    await using server = await startFaultServer({
      replies: (_call, index) => (index === 0 ? asking : textReply("without")),
    });

    await runBosun(["import", "crewai", "json"], { cwd });
    const args = ["run", "json-bosun", "--model", server.url];
    const { code, out } = await runBosun(args, { cwd });

    expect([code, out]).toEqual([0, "without\n"]);
    expect(JSON.stringify(server.calls[1]?.body)).toContain("torque_table is not written yet");
    expect(await typesOf(join(cwd, "json-bosun"))).toBe("");
  });

  it.each(["scaffold", "plain"] as const)(
    "writes %s as TypeScript that runs as the project does",
    async (name) => {
      await using server = await startFaultServer({ replies: () => textReply("same") });
      const cwd = copyOf(name);
      const run = (folder: string) =>
        runBosun(["run", folder, ...INPUTS[name], "--model", server.url], { cwd });

      await runBosun(["import", "crewai", name], { cwd });
      const [project, imported] = [await run(name), await run(`${name}-bosun`)];

      expect([imported.code, imported.out]).toEqual([project.code, project.out]);
      const bodies = server.calls.map(({ body }) => JSON.stringify(body));
      expect(bodies.slice(bodies.length / 2)).toEqual(bodies.slice(0, bodies.length / 2));
    },
  );

  it("ends with a command that runs the crew, with the inputs that are missing", async () => {
    const cwd = copyOf("plain");
    await runBosun(["import", "crewai", fixture("scaffold"), "--out", "news"], { cwd });

    const { out } = await runBosun(["import", "crewai", "plain"], { cwd });
    const { code, err } = await runBosun(["run", "news"], { cwd });

    expect(out).toMatch(/\nNext: .* run plain-bosun --input bread=…\n$/);
    expect(err).not.toContain("Error");
    expect(code).toBe(0);
  });

  it("writes where --out says, as one report for --json, and overwrites nothing", async () => {
    const cwd = copyOf("plain");
    const args = ["import", "crewai", "plain", "--out", "mine", "--json"];

    const first = await runBosun(args, { cwd });
    writeFileSync(join(cwd, "mine/crew.ts"), "mine");
    const second = await runBosun(args, { cwd });

    expect(JSON.parse(first.out)).toMatchObject({
      folder: expect.stringMatching(/mine$/),
      files: expect.arrayContaining(["crew.ts"]),
      notes: expect.arrayContaining([
        expect.objectContaining({ key: "favourite_colour", line: 15 }),
      ]),
    });
    expect([second.code, second.err]).toEqual([
      2,
      expect.stringContaining("nothing is overwritten"),
    ]);
    expect(readFileSync(join(cwd, "mine/crew.ts"), "utf8")).toBe("mine");
  });

  it("writes nothing for a project that cannot be a crew", async () => {
    const cwd = newFolder({
      "p/agents.yaml": "a: {role: r, goal: g}\n",
      "p/tasks.yaml": "t: {}\n",
    });

    const { code, err } = await runBosun(["import", "crewai", "p"], { cwd });

    expect([code, err]).toEqual([2, expect.stringContaining("p/tasks.yaml:1:1: the task")]);
    expect(existsSync(join(cwd, "p-bosun"))).toBe(false);
  });
});

/** What tsc says of the project in a folder, with this copy of Bosun beside it. */
async function typesOf(folder: string): Promise<string> {
  const config = {
    extends: "./tsconfig.json",
    compilerOptions: {
      customConditions: ["bosun-source"],
      exactOptionalPropertyTypes: true, // as the sources of Bosun need it, which are compiled too
      typeRoots: [join(ROOT, "node_modules/@types")],
      paths: { bosun: [join(ROOT, "src/index.ts")], "bosun/*": [join(ROOT, "src/*.ts")] },
    },
  };
  writeFileSync(join(folder, "tsconfig.check.json"), JSON.stringify(config));
  const tsc = join(ROOT, "node_modules/typescript/bin/tsc");
  const args = [tsc, "-p", join(folder, "tsconfig.check.json")];
  const ended = await promisify(execFile)(process.execPath, args).catch((error: unknown) => error);
  return String(Object(ended)["stdout"]);
}
