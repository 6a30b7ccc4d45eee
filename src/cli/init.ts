// `bosun init`: writes a small project that runs at once, without a model server. Nothing that is there is changed.

import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { BosunError, messageOf } from "../error.ts";
import { isObject, parseJson } from "../json.ts";
import { commandName } from "./command-name.ts";
import { EXIT } from "./failure.ts";
import { projectFiles } from "./init-files.ts";
import { type Terminal, writeLines } from "./terminal.ts";
import { bosunVersion } from "./version.ts";

/** Writes the project. @throws BosunError `usage` for a folder that cannot be written. @returns the exit code. */
export async function initCommand(folder: string, { out, err }: Terminal): Promise<number> {
  const root = resolve(folder);
  if (statSync(root, { throwIfNoEntry: false })?.isFile())
    throw new BosunError("usage", `"${folder}" is a file: give the name of a folder`);
  const files = projectFiles(packageName(root), bosunVersion());
  const lines = Object.entries(files).map(([path, text]) => {
    const isNew = writeNew(join(root, path), text);
    return isNew ? `wrote  ${path}` : `kept   ${path} (it was there)`;
  });
  const here = relative(process.cwd(), root);
  writeLines(out, [...lines, "", `Next: ${commandName()} run ${quoted(here || ".")}`]);
  if (isCommonJs(join(root, "package.json"))) writeLines(err, [err.paint("yellow", COMMON_JS)]);
  return EXIT.done;
}

const COMMON_JS =
  'First set "type": "module" in package.json: it says "commonjs", with which Node does not run the imports of crew.ts.';

/** One that was there may say that its files are no modules. */
function isCommonJs(manifest: string): boolean {
  const parsed = parseJson(readFileSync(manifest, "utf8"));
  return isObject(parsed) && parsed["type"] === "commonjs";
}

/** As a shell takes it for one word. */
export function quoted(path: string): string {
  return /^[\w./\\:-]+$/.test(path) ? path : `"${path}"`;
}

/** False for a file that is there: it stays as it is. */
function writeNew(path: string, text: string): boolean {
  if (existsSync(path)) return false;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text, { flag: "wx" });
    return true;
  } catch (cause) {
    throw new BosunError("usage", `${path} cannot be written: ${messageOf(cause)}`, { cause });
  }
}

/** A package's name from a folder's. */
export function packageName(root: string): string {
  const name = basename(root)
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return name || "my-crew";
}
