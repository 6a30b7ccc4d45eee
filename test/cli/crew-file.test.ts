import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { findCrew } from "../../src/cli/crew-file.ts";
import { toLoadError } from "../../src/cli/load-error.ts";
import { BosunError } from "../../src/error.ts";

function folderWith(...files: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "bosun-crew-"));
  for (const file of files) {
    mkdirSync(dirname(join(folder, file)), { recursive: true });
    writeFileSync(join(folder, file), "");
  }
  return folder;
}

const fileOf = (path: string): string => {
  const found = findCrew(path);
  return found.type === "file" ? found.file : "a project";
};

describe("findCrew", () => {
  it("takes a file, and in a folder crew.ts before crew.js before index.ts", () => {
    const folder = folderWith("crew.js", "crew.ts", "index.ts", "other.ts");

    expect(fileOf(join(folder, "other.ts"))).toBe(join(folder, "other.ts"));
    expect(fileOf(folder)).toBe(join(folder, "crew.ts"));
    expect(fileOf(folderWith("index.ts", "crew.js"))).toMatch(/crew\.js$/);
    expect(fileOf(folderWith("index.ts"))).toMatch(/index\.ts$/);
  });

  it("names the folders in a folder that hold a crew", () => {
    const folder = folderWith("two/crew.ts", "one/crew.js", "docs/readme.md");

    expect(() => findCrew(folder)).toThrow(
      expect.objectContaining({
        code: "usage",
        message: expect.stringContaining(`${join(folder, "one")}, ${join(folder, "two")}`),
      }),
    );
  });

  it.each([
    ["agents.yaml"],
    ["agents.yml"],
    ["config/agents.yaml"],
    ["src/my_crew/config/agents.yaml"],
    ["crew.json"],
    ["crew.jsonc"],
  ])("knows a CrewAI project by %s", (file) => {
    const folder = folderWith(file);

    expect(findCrew(folder)).toEqual({ type: "project", folder });
  });

  it("takes one of a project's files for the project, and a crew.ts before one", () => {
    const folder = folderWith("config/agents.yaml", "crew.py", "agents/one.jsonc");

    for (const file of ["config/agents.yaml", "crew.py", "agents/one.jsonc"])
      expect(findCrew(join(folder, file))).toEqual({ type: "project", folder });
    expect(findCrew(folderWith("crew.ts", "agents.yaml")).type).toBe("file");
  });

  it.each([
    ["a path that is not there", "/nowhere/crew.ts", "usage"],
    ["a folder without a crew", folderWith("readme.md"), "usage"],
    ["a file of another kind", join(folderWith("crew.txt"), "crew.txt"), "usage"],
    ["a YAML file without a project", join(folderWith("other.yaml"), "other.yaml"), "usage"],
    ["a JSON file without a project", join(folderWith("data.json"), "data.json"), "usage"],
  ])("refuses %s", (_what, path, code) => {
    expect(() => findCrew(path)).toThrow(expect.objectContaining({ code }));
  });
});

describe("toLoadError", () => {
  it("finds the place in the user's file among the frames", () => {
    const error = new Error("boom");
    error.stack = [
      "Error: boom",
      "    at check (file:///x/node_modules/lib/index.js:3:4)",
      `    at agent (${new URL("../../src/orchestration/crew/agent.ts", import.meta.url).href}:9:9)`,
      `    at file://${process.cwd()}/crews/mine.ts:12:5`,
      "    at ModuleJob.run (node:internal/modules/esm/module_job:430:25)",
    ].join("\n");

    expect(toLoadError(error, "/x/crew.ts")).toMatchObject({
      code: "crew/invalid",
      message: "crews/mine.ts:12: boom",
    });
  });

  it("keeps the code of an error of Bosun's own", () => {
    const error = new BosunError("crew/cycle", "a waits for b");

    expect(toLoadError(error, join(process.cwd(), "crew.ts")).code).toBe("crew/cycle");
  });

  it("says how to install a package that is missing", () => {
    const message = "Cannot find package 'left-pad' imported from /x/crew.ts";
    const error = Object.assign(new Error(message), { code: "ERR_MODULE_NOT_FOUND" });

    expect(toLoadError(error, "/x/crew.ts").message).toContain("npm install left-pad");
  });

  it("says what makes modules of the files of a CommonJS package", () => {
    const error = new SyntaxError("Cannot use import statement outside a module");

    expect(toLoadError(error, "/x/crew.ts").message).toContain('Set "type": "module"');
  });

  it("takes anything that was thrown", () => {
    expect(toLoadError("just text", join(process.cwd(), "crew.ts")).message).toBe(
      "crew.ts: just text",
    );
  });
});
