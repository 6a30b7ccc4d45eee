import { describe, expect, it } from "vitest";
import { newFolder, ONE_AGENT, runBosun, TWO_AGENTS } from "./bosun-process.ts";

const THROWS = `import { agent } from "bosun";\n\nthrow new Error("no licence");\n`;

describe("a crew file", () => {
  it.each([
    ["crew.ts", TWO_AGENTS],
    ["crew.mjs", TWO_AGENTS],
    ["crew.js", TWO_AGENTS],
    ["crew.mts", TWO_AGENTS],
    ["named.ts", TWO_AGENTS.replace("export default crew", "export const mine = crew")],
  ])("can be %s", async (file, text) => {
    const cwd = newFolder({ [file]: text });

    const { code, err } = await runBosun(["run", file], { cwd });

    expect(err).toContain("extractive (no neural network)");
    expect(code).toBe(0);
  });

  it("gets this very copy of bosun, its sub-paths and zod, wherever it lies, without a warning", async () => {
    const cwd = newFolder({
      "package.json": '{ "name": "typeless" }',
      "crew.ts": `
import { agent, crew, task, BosunError } from "bosun";
import { calculator } from "bosun/tool";
import { scriptedModel } from "bosun/test";
import { z } from "zod";
const worker: ReturnType<typeof agent> = agent({ role: "W", goal: "g", tools: [calculator()] });
if (typeof scriptedModel !== "function" || !z.string() || !BosunError) throw new Error("wrong");
export default crew({ name: "c", tasks: [task({ name: "t", description: "d", expectedOutput: "e", agent: worker })] });
`,
    });

    const { code, err } = await runBosun(["run", "."], { cwd });

    expect(err).not.toContain("Warning");
    expect(code).toBe(0);
  });

  it.each([
    ["that throws", THROWS, /^Error \[crew\/invalid\] crew\.ts:3: no licence$/m],
    [
      "with an error of Bosun",
      ONE_AGENT.replace('name: "write"', 'name: "with space"'),
      /^Error \[crew\/invalid\] crew\.ts:4: task "with space": |^Error \[crew\/invalid\] crew\.ts:4: /m,
    ],
    ["that is no TypeScript", "const a: = 1;\n", /^Error \[crew\/invalid\] crew\.ts/m],
    ["that is no JavaScript", "const a = ;\n", /^Error \[crew\/invalid\] crew\.ts/m],
    ["with an enum", "enum A { B }\n", /removing its types/],
    ["that imports nothing that is there", 'import "./gone.ts";\n', /Cannot find module/],
    ["that needs a package", 'import "left-pad-nobody";\n', /npm install left-pad-nobody/],
    [
      "without a crew",
      "export const a = 1;\n",
      /has no crew and no flow: it exports a\. Write: .* crew\(.* flow\(/,
    ],
    ["that exports nothing", "const a = 1;\n", /has no crew and no flow: it exports nothing/],
    [
      "with two crews",
      `${TWO_AGENTS.replace("export default", "export const one =")}\nexport const two = one;\n`,
      /several crews \(one, two\)/,
    ],
    ["with half a flow", 'export default { type: "flow" };\n', /has no crew/],
    ["with odd inputs", `${ONE_AGENT}\nexport const inputs = 5;\n`, /its export "inputs" must be/],
    [
      "that throws a text",
      'throw "just text";\n',
      /^Error \[crew\/invalid\] crew\.ts: just text$/m,
    ],
  ])("%s is refused in one paragraph with its place", async (_what, text, message) => {
    const cwd = newFolder({ "crew.ts": text });

    const { code, out, err } = await runBosun(["run", "crew.ts"], { cwd });

    expect(err).toMatch(message);
    expect(err).not.toMatch(/^ +at /m);
    expect([code, out]).toEqual([2, ""]);
  });

  it("that throws shows its stack when debugging", async () => {
    const cwd = newFolder({ "crew.ts": THROWS });

    const { err } = await runBosun(["run", "."], { cwd, env: { BOSUN_DEBUG: "1" } });

    expect(err).toMatch(/^ +at .*crew\.ts:3/m);
  });

  it("that keeps a handle open does not keep the command from ending", async () => {
    const cwd = newFolder({ "crew.ts": `${TWO_AGENTS}\nsetInterval(() => {}, 1000);\n` });

    const { code } = await runBosun(["run", "."], { cwd });

    expect(code).toBe(0);
  });

  it("whose background work fails ends in one line, not in a stack trace", async () => {
    const cwd = newFolder({
      "crew.ts": `${TWO_AGENTS}\nsetTimeout(() => { throw new Error("late"); }, 1);\nawait new Promise((r) => setTimeout(r, 500));\n`,
    });

    const { code, err } = await runBosun(["run", "."], { cwd });

    expect([code, err.trimEnd()]).toEqual([1, expect.stringMatching(/^Error \[unexpected\] late/)]);
    expect(err).not.toMatch(/^ +at /m);
  });

  it("is refused with all missing inputs, before anything is asked", async () => {
    const cwd = newFolder({ "crew.ts": ONE_AGENT });

    const { code, err } = await runBosun(["run", "."], { cwd });

    expect(code).toBe(2);
    expect(err).toBe(
      'Error [crew/input-missing] the crew "report" needs the inputs topic; given: none. Add --input topic=…\n',
    );
  });

  it.each([
    ["gone.ts", /no file or folder "gone\.ts"/, 2],
    ["project", /project\/config\/tasks\.yaml:1:1: there is no such file/, 2],
    ["empty", /has no crew and no flow: none of crew\.ts/, 2],
  ])("%s is refused", async (path, message, exitCode) => {
    const cwd = newFolder({ "project/config/agents.yaml": "", "empty/readme.md": "" });

    const { code, err } = await runBosun(["run", path], { cwd });

    expect(err).toMatch(message);
    expect(code).toBe(exitCode);
  });
});

describe(".env", () => {
  it("names the endpoint, and one that cannot be read is an error", async () => {
    const cwd = newFolder({
      "crew.ts": TWO_AGENTS,
      ".env": "OPENAI_BASE_URL=http://127.0.0.1:9/v1\n",
    });
    const broken = newFolder({ "crew.ts": TWO_AGENTS, ".env/file": "" });

    const named = await runBosun(["run", "."], { cwd });
    const unreadable = await runBosun(["run", "."], { cwd: broken });

    expect(named.err).toContain("127.0.0.1:9 cannot be reached");
    expect([unreadable.code, unreadable.err]).toEqual([
      2,
      expect.stringContaining("Error [config/invalid] .env cannot be read"),
    ]);
  });
});
