// Writes a task's answer to its file, inside a folder that nothing leads out of.
//
// Whole or not at all: the text goes to a new file beside it, which then takes its place. What this does not prevent is somebody
// else on the machine who changes folders into links between the check and the rename.

import { randomUUID } from "node:crypto";
import { access, mkdir, realpath, rename, rm, writeFile } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { BosunError, messageOf } from "../../error.ts";
import { fillPlaceholders, type Inputs } from "../crew/input.ts";

/** An output file's text with its placeholders filled. What an input brings cannot name another folder, or a hidden file. */
export function outputFileOf(file: string, inputs: Inputs, where: string): string {
  const parts = Object.entries(inputs).map(([name, value]) => [
    name,
    (typeof value === "string" ? value : JSON.stringify(value))
      // oxlint-disable-next-line no-control-regex -- a name that holds one can hardly be found again
      .replace(/[\u0000-\u001f/\\:]+/g, "-")
      .replace(/^[\s.]+/, "-")
      .slice(0, MAX_PART),
  ]);
  return fillPlaceholders(file, Object.fromEntries(parts) as Inputs, where); // `as`: texts
}

/** Most characters that an input brings into a name: file systems take 255 bytes. */
const MAX_PART = 80;

/**
 * The path of an output file below a folder. Looks at the words only, so it can be checked before anything is paid for.
 * @throws BosunError `crew/invalid` for a path that leads out of the folder, or that names no file.
 */
export function outputPath(folder: string, file: string, where: string): string {
  const root = resolve(folder);
  const path = resolve(root, file.trim());
  const inside = relative(root, path);
  const isOutside = inside === "" || inside === ".." || inside.startsWith(`..${sep}`);
  if (isOutside || isAbsolute(inside) || file.includes("\0") || /[/\\]$/.test(file.trim()))
    throw new BosunError(
      "crew/invalid",
      `${where}: outputFile ${JSON.stringify(file)} is no file below ${root}. Give a path relative to that folder, or another outputFolder`,
    );
  return path;
}

/**
 * Writes a text there, with the folders that it needs.
 * @throws BosunError `task/output-file` with the path and what to do; the text is in its details.
 */
export async function writeOutputFile(folder: string, path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomUUID().slice(0, 8)}`);
  try {
    await mkdir(folder, { recursive: true });
    const root = await realpath(folder);
    await checkInside(root, await deepestFolder(dirname(path))); // before folders are made: no link may lead those out
    await mkdir(dirname(path), { recursive: true });
    await checkInside(root, dirname(path));
    await writeFile(draft, text, { flag: "wx" });
    await rename(draft, path);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined); // the first error is the one to tell
    throw new BosunError(
      "task/output-file",
      `the answer cannot be written to ${path}: ${messageOf(cause)}. Make the folder writable, or name another outputFile`,
      { cause, details: { text, path } },
    );
  }
}

/** The folder itself, or the nearest above it that is there. */
async function deepestFolder(folder: string): Promise<string> {
  let at = folder;
  while (at !== dirname(at) && !(await isThere(at))) at = dirname(at);
  return at;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false, // for whatever reason: then it is made, and making it tells what is wrong
  );
}

async function checkInside(root: string, folder: string): Promise<void> {
  const inside = relative(root, await realpath(folder));
  if (inside === ".." || inside.startsWith(`..${sep}`) || isAbsolute(inside))
    throw new Error(`a link leads out of ${root}`);
}
