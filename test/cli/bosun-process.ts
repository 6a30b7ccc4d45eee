// The command as a real process, in a folder of its own.

import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string };

/** Disposing it kills it. */
export type BosunProcess = AsyncDisposable & {
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
  /** Closes the reading end of its stdout. */
  leave(): void;
  /** Resolves with stdout and stderr together, as soon as they hold the text. */
  said(text: string): Promise<string>;
  /** The same for whatever its stdout must hold. */
  told(isThere: (out: string) => boolean): Promise<string>;
};

export type ProcessOptions = {
  readonly cwd?: string | undefined;
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** What its stdin holds. Default: nothing, and at its end. */
  readonly typed?: string | undefined;
  /** Leaves its stdin open: somebody may still type. Default false. */
  readonly staysOpen?: boolean | undefined;
};

const MAIN = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

/** The root of the repository. */
export const ROOT: string = fileURLToPath(new URL("../../", import.meta.url));

/** An empty folder with these files. */
export function newFolder(files: Readonly<Record<string, string>> = {}): string {
  const folder = mkdtempSync(join(tmpdir(), "bosun-cli-"));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return folder;
}

/** Starts `bosun …`. Its environment holds no keys and no endpoint of this machine. */
export function startBosun(args: readonly string[], options: ProcessOptions = {}): BosunProcess {
  const { cwd = newFolder(), env = {}, typed, staysOpen = false } = options;
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [MAIN, ...args], {
    cwd,
    env: { PATH, HOME, ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => undefined); // a process that ends without reading
  if (staysOpen) child.stdin.write(typed ?? "");
  else child.stdin.end(typed);
  let [out, err] = ["", ""];
  const waiting = new Set<() => void>();
  const wake = (): void => waiting.forEach((check) => check());
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
    wake();
  });
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
    wake();
  });
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, out, err }));
  });
  const until = (isThere: () => boolean, otherwise: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!isThere()) return;
        waiting.delete(check);
        resolve(out + err);
      };
      waiting.add(check);
      check();
      void ended.then(({ code }) =>
        reject(new Error(`ended with ${code} and ${otherwise}: ${out}${err}`)),
      );
    });
  return {
    ended,
    kill: (signal) => void child.kill(signal),
    leave: () => void child.stdout.destroy(),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await ended;
    },
    said: (text) => until(() => (out + err).includes(text), `never said "${text}"`),
    told: (isThere) => until(() => isThere(out), "never told what was waited for"),
  };
}

/** Runs `bosun …` to its end. */
export function runBosun(args: readonly string[], options: ProcessOptions = {}): Promise<Ended> {
  return startBosun(args, options).ended;
}

/** A crew file with one agent and one task that needs the input {topic}. */
export const ONE_AGENT = `
import { agent, crew, task } from "bosun";
const writer = agent({ role: "Writer", goal: "write" });
const write = task({ name: "write", description: "Write about {topic}", expectedOutput: "text", agent: writer });
export default crew({ name: "report", tasks: [write] });
`;

/** The same with two tasks, one after the other, and default inputs. */
export const TWO_AGENTS = `
import { agent, crew, task } from "bosun";
const analyst = agent({ role: "Analyst", goal: "find" });
const writer = agent({ role: "Writer", goal: "write" });
const research = task({ name: "research", description: "Find {topic}", expectedOutput: "facts", agent: analyst });
const write = task({ name: "write", description: "Write about {topic}", expectedOutput: "text", agent: writer });
export const inputs = { topic: "ships" };
export default crew({ name: "report", tasks: [research, write] });
`;
