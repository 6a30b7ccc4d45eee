import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createJail } from "../../../src/orchestration/tool/jail.ts";
import { readFile, type ReadFileOptions } from "../../../src/orchestration/tool/read-file.ts";
import type { ToolOutcome } from "../../../src/orchestration/tool/run.ts";
import { failureOf } from "./failure.ts";
import { runForReal } from "./probe.ts";

let top = "";
let root = "";
beforeEach(() => {
  top = mkdtempSync(join(tmpdir(), "bosun-read-"));
  root = join(top, "root");
  mkdirSync(join(root, "notes"), { recursive: true });
  writeFileSync(join(root, "notes", "plan.md"), "one\ntwo\nthree\nfour\nfive\n");
  writeFileSync(join(top, "secret.txt"), "the secret");
  mkdirSync(join(top, "root-beside"));
  writeFileSync(join(top, "root-beside", "secret.txt"), "the secret");
});
afterEach(() => {
  rmSync(top, { recursive: true, force: true });
});

function read(args: object, options: Partial<ReadFileOptions> = {}): Promise<ToolOutcome> {
  return runForReal(readFile({ root, ...options }), JSON.stringify(args));
}

describe("readFile", () => {
  it("reads a file with its lines counted", async () => {
    expect(await read({ path: "notes/plan.md" })).toMatchObject({
      type: "done",
      value: {
        path: "notes/plan.md",
        firstLine: 1,
        lastLine: 5,
        totalLines: 5,
        text: "one\ntwo\nthree\nfour\nfive",
      },
    });
  });

  it.each([
    [
      { firstLine: 2, lines: 2 },
      { firstLine: 2, lastLine: 3, text: "two\nthree" },
    ],
    [{ firstLine: 5 }, { firstLine: 5, lastLine: 5, text: "five" }],
    [
      { firstLine: 4, lines: 5_000 },
      { firstLine: 4, lastLine: 5, text: "four\nfive" },
    ],
  ])("reads the lines %j", async (range, expected) => {
    expect(await read({ path: "notes/plan.md", ...range })).toMatchObject({
      type: "done",
      value: expected,
    });
  });

  it("says how many lines a file has when there are fewer than asked for", async () => {
    expect(await read({ path: "notes/plan.md", firstLine: 6 })).toMatchObject({
      code: "tool/arguments",
      message: "notes/plan.md has 5 lines, there is no line 6",
    });
  });

  it("reads an empty file, and an absolute path inside the folder", async () => {
    writeFileSync(join(root, "empty.txt"), "");

    expect(await read({ path: "empty.txt" })).toMatchObject({
      value: { lastLine: 0, totalLines: 0, text: "" },
    });
    expect(await read({ path: join(root, "notes/plan.md") })).toMatchObject({ type: "done" });
    expect(await read({ path: "./notes/../notes/plan.md" })).toMatchObject({ type: "done" });
  });

  it("lists a folder's names, without the hidden ones", async () => {
    writeFileSync(join(root, ".env"), "KEY=1");

    const outcome = await read({ path: "." });

    expect(outcome).toMatchObject({
      code: "tool/failed",
      message: ". is a folder. It holds: notes/",
    });
  });

  it("says that there is no such file, without telling where the folder is", async () => {
    const outcome = await read({ path: "notes/none.md" });

    expect(outcome).toMatchObject({
      code: "tool/failed",
      message: 'cannot read "notes/none.md": there is no such file',
    });
    expect(outcome.content).not.toContain(top);
  });

  it.each([
    "../secret.txt",
    "notes/../../secret.txt",
    "/etc/passwd",
    "../root-beside/secret.txt",
    "..",
    "/",
    "notes/plan.md\0.txt",
    `${"a/".repeat(3_000)}b`,
  ])("refuses %j", async (path) => {
    const outcome = await read({ path });

    expect(outcome).toMatchObject({ type: "failed", code: "tool/refused" });
    expect(outcome.content).not.toContain(top);
  });

  it("does not say whether a file outside exists", async () => {
    const [there, absent] = [
      await read({ path: "../secret.txt" }),
      await read({ path: "../absent.txt" }),
    ];

    expect(there.content.replace("secret", "absent")).toBe(absent.content);
  });

  it("refuses links that lead outside, to a file, a folder or a link", async () => {
    symlinkSync(join(top, "secret.txt"), join(root, "file-link"));
    symlinkSync(top, join(root, "folder-link"));
    symlinkSync(join(root, "file-link"), join(root, "link-link"));
    symlinkSync("loop", join(root, "loop"));

    for (const path of ["file-link", "folder-link/secret.txt", "link-link"]) {
      const outcome = await read({ path });
      expect(outcome).toMatchObject({ code: "tool/refused" });
      expect(outcome.content).not.toContain("the secret");
    }
    expect(await read({ path: "loop" })).toMatchObject({
      code: "tool/failed",
      message: 'cannot read "loop": it is a link',
    });
  });

  it("follows a link that stays inside, and a root that is a link itself", async () => {
    symlinkSync(join(root, "notes"), join(root, "inside-link"));
    symlinkSync(root, join(top, "root-link"));

    expect(await read({ path: "inside-link/plan.md" })).toMatchObject({ type: "done" });
    expect(await read({ path: "notes/plan.md" }, { root: join(top, "root-link") })).toMatchObject({
      type: "done",
    });
  });

  it("refuses hidden files unless it is told to read them", async () => {
    mkdirSync(join(root, ".git"));
    writeFileSync(join(root, ".git", "config"), "token");
    symlinkSync(join(root, ".git", "config"), join(root, "config"));

    expect(await read({ path: ".git/config" })).toMatchObject({ code: "tool/refused" });
    expect(await read({ path: "config" })).toMatchObject({ code: "tool/refused" });
    expect(await read({ path: ".git/config" }, { hidden: true })).toMatchObject({ type: "done" });
  });

  it("refuses binary files, large files and what is no file", async () => {
    writeFileSync(join(root, "image.png"), Buffer.from([0x89, 0x50, 0, 1]));
    writeFileSync(join(root, "large.txt"), "x".repeat(2_000));

    expect(await read({ path: "image.png" })).toMatchObject({
      code: "tool/refused",
      message: "cannot read image.png: it is not a text",
    });
    expect(await read({ path: "large.txt" }, { maxBytes: 1_000 })).toMatchObject({
      code: "tool/refused",
      message: expect.stringContaining("2000 bytes, the limit is 1000"),
    });
    expect(await read({ path: "null" }, { root: "/dev" })).toMatchObject({
      code: "tool/refused",
      message: expect.stringContaining("not a regular file"),
    });
  });

  it("keeps a long file within the limits of a result", async () => {
    writeFileSync(join(root, "long.txt"), "many words on a line\n".repeat(5_000));

    const outcome = await read({ path: "long.txt", lines: 5_000 });

    expect(outcome).toMatchObject({
      type: "done",
      truncated: true,
      value: { path: "long.txt", totalLines: 5_000 },
    });
  });

  it("leaves no file open, whether it reads or refuses", async () => {
    writeFileSync(join(root, "image.png"), Buffer.from([0]));
    const before = openFiles();

    for (const path of ["notes/plan.md", "image.png", "../secret.txt", "none"]) {
      await read({ path });
    }

    expect(openFiles()).toBe(before);
  });

  it("refuses a root that is not there when it is made", async () => {
    expect((await failureOf(() => readFile({ root: join(top, "none") }))).code).toBe(
      "tool/invalid",
    );
  });
});

/** How many files this process has open; 0 where the system does not tell. */
function openFiles(): number {
  return existsSync("/proc/self/fd") ? readdirSync("/proc/self/fd").length : 0;
}

describe("Jail.verify", () => {
  it("refuses an open file that is outside, however it got there", async () => {
    const jail = createJail(root, { hidden: false });
    await using outside = await open(join(top, "secret.txt"));
    await using inside = await open(join(root, "notes", "plan.md"));

    expect((await failureOf(() => jail.verify(outside, "notes/plan.md"))).code).toBe(
      "tool/refused",
    );
    await expect(jail.verify(inside, "notes/plan.md")).resolves.toBeUndefined();
  });
});
