import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { newFolder, ROOT, runBosun, startBosun, TWO_AGENTS } from "./bosun-process.ts";

describe("bosun", () => {
  it("alone prints its help on stdout", async () => {
    const alone = await runBosun([]);
    const asked = await runBosun(["--help"]);

    expect(alone).toMatchObject({ code: 0, err: "", out: expect.stringContaining("Usage: bosun") });
    expect(asked.out).toBe(alone.out);
  });

  it("prints the help of a command, with examples", async () => {
    const { code, out } = await runBosun(["run", "--help"]);

    expect(out).toContain("--show-prompts");
    expect(out).toContain("Examples:");
    expect(out).toContain("npm exec -- node src/cli/main.ts run crew.ts");
    expect(out).not.toContain("default: []");
    expect(code).toBe(0);
  });

  it("prints the same help for help and --help", async () => {
    const { code, out } = await runBosun(["help", "runs"]);

    expect([code, out]).toEqual([0, expect.stringContaining("Usage: bosun runs")]);
  });

  it("prints the version of package.json", async () => {
    const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as {
      readonly version: string;
    };

    expect(await runBosun(["--version"])).toEqual({
      code: 0,
      out: `${manifest.version}\n`,
      err: "",
    });
  });

  it("suggests the nearest command, in one line, as wrong usage", async () => {
    const { code, out, err } = await runBosun(["rnu", "."]);

    expect([code, out]).toEqual([2, ""]);
    expect(err).toBe("Error [usage] unknown command 'rnu' (Did you mean run?)\n");
  });

  it("shows the help of a group without a command, as wrong usage", async () => {
    const { code, err } = await runBosun(["runs"]);

    expect([code, err]).toEqual([2, expect.stringContaining("list [options]")]);
  });

  it("says of what is not built that it is not", async () => {
    const { code, err } = await runBosun(["serve", "crew.ts", "--port", "1"]);

    expect([code, err]).toEqual([
      2,
      'Error [usage] "bosun serve" is not built yet in this version\n',
    ]);
  });
});

describe("the first file of the command", () => {
  const bin = join(ROOT, "src/cli/bin.ts");

  it("says in one line that an older Node is too old", () => {
    const older = `data:text/javascript,Object.defineProperty(process,"versions",{value:{...process.versions,node:"24.11.1"}})`;

    const { status, stderr } = spawnSync(process.execPath, ["--import", older, bin], {
      encoding: "utf8",
    });

    expect(status).toBe(2);
    expect(stderr).toMatch(
      /^Error \[config\/invalid\] Bosun needs Node 24\.12 or newer; .*24\.11\.1.*\n$/,
    );
  });

  it("runs the command on this one", () => {
    const { status, stdout } = spawnSync(process.execPath, [bin, "--version"], {
      encoding: "utf8",
    });

    expect([status, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });
});

describe("bosun init", () => {
  it("writes a project that runs", async () => {
    const cwd = newFolder();

    const init = await runBosun(["init", "My Crew"], { cwd });
    const run = await runBosun(["run", "."], { cwd: join(cwd, "My Crew") });

    expect(init.code).toBe(0);
    expect(run.out).toContain("[docs/kv-cache.md]");
    expect(run.code).toBe(0);
    const manifest = readFileSync(join(cwd, "My Crew/package.json"), "utf8");
    expect(JSON.parse(manifest)).toMatchObject({ name: "my-crew", type: "module" });
  });

  it("overwrites nothing", async () => {
    const cwd = newFolder({ "crew.ts": "// mine\n", "README.md": "# mine\n" });

    const { code, out } = await runBosun(["init"], { cwd });

    expect(code).toBe(0);
    expect(out).toContain("kept   crew.ts");
    expect(readFileSync(join(cwd, "crew.ts"), "utf8")).toBe("// mine\n");
    expect(existsSync(join(cwd, "docs/kv-cache.md"))).toBe(true);
  });

  it("warns of a package.json that says CommonJS, and so does the error of its crew", async () => {
    const cwd = newFolder({ "package.json": '{"type":"commonjs"}' });

    const init = await runBosun(["init"], { cwd });
    const run = await runBosun(["run", "."], { cwd });

    expect(init).toMatchObject({ code: 0, err: expect.stringContaining('"type": "module"') });
    expect(run).toMatchObject({ code: 2, err: expect.stringContaining('Set "type": "module"') });
  });

  it("says that its path is a file", async () => {
    const cwd = newFolder();
    writeFileSync(join(cwd, "file"), "");

    const { code, err } = await runBosun(["init", "file"], { cwd });

    expect([code, err]).toEqual([2, expect.stringMatching(/^Error \[usage\] "file" is a file/)]);
  });
});

describe("bosun model serve", () => {
  it("serves the embedded model until it is interrupted", async () => {
    await using server = startBosun(["model", "serve", "extractive", "--port", "0"]);
    const url = urlIn(await server.said("Ctrl-C ends it."));
    const cwd = newFolder({ "crew.ts": TWO_AGENTS });

    const run = await runBosun(["run", ".", "--model", url], { cwd });
    server.kill("SIGINT");
    const { code, out } = await server.ended;

    expect(run.code).toBe(0);
    expect(run.err).toContain("extractive (no neural network)");
    expect(out).toContain(`extractive (no neural network) answers at ${url}\n`);
    expect(code).toBe(0);
  });

  it.each([
    [["qwen.gguf"], /llama\.cpp in this process is not built yet/],
    [["gpt"], /no embedded model "gpt"\. There is: extractive/],
    [["extractive", "--host", "0.0.0.0"], /Error \[config\/invalid\] .*token/],
    [["extractive", "--token-env", "NOBODY"], /--token-env NOBODY: this variable is not set/],
  ])("refuses %j", async (args, message) => {
    const { code, err } = await runBosun(["model", "serve", ...args, "--port", "0"]);

    expect(err).toMatch(message);
    expect(code).toBe(2);
  });

  it("says that its port is in use", async () => {
    await using holder = startBosun(["model", "serve", "extractive", "--port", "0"]);
    const { port } = new URL(urlIn(await holder.said("Ctrl-C ends it.")));

    const { code, err } = await runBosun(["model", "serve", "extractive", "--port", port]);

    expect([code, err]).toEqual([1, expect.stringContaining("is in use")]);
  });
});

function urlIn(text: string): string {
  return /http:\/\/\S+/.exec(text)?.[0] ?? "";
}
