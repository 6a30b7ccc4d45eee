// Packs Bosun, installs it in an empty folder as a user does, and uses it there: every entry is imported, the command runs a crew and
// keeps it, and a run's lease is held by its thread for longer than it lasts by itself. `npm run check:package` has built it before.

import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

const CREW = `import { agent, crew, task } from "bosun";
const reader = agent({ role: "Reader", goal: "Find facts" });
export default crew({ name: "packed", tasks: [task({ name: "find", description: "What is {topic}?", expectedOutput: "A text", agent: reader })] });
`;
const WAITING = `import { flow, start } from "bosun/flow";
export default flow("waiting", {}, { wait: start(({ sleep }) => sleep("long", 60_000)) });
`;
/** Longer than a lease. */
const HELD_MS = 7_000;

const root = join(import.meta.dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "bosun-package-"));
const npm = (args: readonly string[], cwd: string): string =>
  execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const command = join(folder, "node_modules/bosun/dist/cli/bin.js");
const bosun = (args: readonly string[]): string =>
  execFileSync(process.execPath, [command, ...args], { cwd: folder, encoding: "utf8" });

function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(`the package fails: ${what}`);
  console.log(`ok ${what}`);
}

try {
  const [tarball] = npm(
    ["pack", "--ignore-scripts", "--silent", "--pack-destination", folder],
    root,
  )
    .trim()
    .split("\n");
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  npm(["install", "--no-audit", "--no-fund", "--silent", `./${tarball}`], folder);
  writeFileSync(join(folder, "crew.ts"), CREW);
  writeFileSync(join(folder, "waiting.ts"), WAITING);

  const manifest: unknown = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const { exports, version } = manifest as { exports: Record<string, unknown>; version: string }; // `as`: this package's own
  const entries = Object.keys(exports).filter((entry) => !entry.endsWith(".json"));
  for (const entry of entries.filter((one) => one !== "./ai-sdk")) {
    const name = entry.replace(".", "bosun");
    const script = `if (Object.keys(await import("${name}")).length === 0) process.exit(1)`;
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: folder });
    expect(true, `import "${name}"`);
  }
  expect(bosun(["--version"]) === `${version}\n`, "bosun --version");
  const text = bosun([
    "run",
    ".",
    "--run-id",
    "r1",
    "--model",
    "extractive",
    "--input",
    "topic=a keel",
  ]);
  expect(text.length > 1, "bosun run");
  expect(bosun(["runs", "show", "r1", "--steps"]).includes("find"), "bosun runs show");

  const args = [command, "run", "waiting.ts", "--run-id", "r2"];
  const waiting = spawn(process.execPath, args, { cwd: folder, stdio: "ignore" });
  await sleep(HELD_MS);
  let refusal = "";
  try {
    bosun(["runs", "resume", "r2"]);
  } catch (error) {
    refusal = String(error);
  }
  waiting.kill("SIGKILL");
  await once(waiting, "exit");
  expect(
    refusal.includes("run/owned"),
    `a run that is executed is refused to others after ${HELD_MS} ms`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
