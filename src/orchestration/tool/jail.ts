// Paths that a model gives, kept inside a folder.
//
// Checked twice: the path before the file is opened, and the file itself once it is open, because a link can be put in its place
// between the two. What this does not see is a hard link inside the folder to a file outside of it.

import { statSync } from "node:fs";
import { type FileHandle, readlink, realpath, stat } from "node:fs/promises";
import { isAbsolute, relative, resolve, sep } from "node:path";
import { BosunError, messageOf } from "../../error.ts";

/** A folder that nothing leads out of. */
export interface Jail {
  /**
   * The real path of what was asked for.
   * @throws BosunError `tool/refused` for a path outside the folder, `tool/failed` for one where nothing is.
   */
  pathOf(asked: string): Promise<string>;
  /** @throws BosunError `tool/refused` when an open file is not inside the folder. */
  verify(handle: FileHandle, asked: string): Promise<void>;
}

/**
 * The absolute path of a folder that a tool is made for. Checked when the tool is made and not at its first call: a wrong folder
 * would leave every agent without it, one failed call after the other.
 * @throws BosunError `tool/invalid` when it is not there.
 */
export function checkFolder(where: string, folder: string): string {
  const path = resolve(folder);
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return path;
  throw new BosunError(
    "tool/invalid",
    `${where}: there is no folder ${path}. Name one that exists`,
  );
}

/** Longest path that is looked at. */
const MAX_PATH = 4_096;

/** @param options.hidden true allows names that start with a dot, such as .env and .git. */
export function createJail(root: string, options: { readonly hidden: boolean }): Jail {
  const check = (realRoot: string, path: string, asked: string): void => {
    const inside = relative(realRoot, path);
    const parts = inside.split(sep);
    if (isAbsolute(inside) || parts[0] === "..") {
      throw refused(asked, "it is outside the folder that may be read");
    }
    if (!options.hidden && parts.some((part) => part.startsWith("."))) {
      throw refused(asked, "hidden files may not be read");
    }
  };
  return {
    async pathOf(asked) {
      if (asked.includes("\0") || asked.length > MAX_PATH) throw refused(asked, "it is not a path");
      const realRoot = await realpath(root);
      const path = resolve(realRoot, asked);
      check(realRoot, path, asked); // before the disk is asked: what is outside does not even exist
      const real = await realpath(path).catch((cause: unknown) => {
        throw new BosunError("tool/failed", `cannot read ${shown(asked)}: ${reasonOf(cause)}`, {
          cause,
        });
      });
      check(realRoot, real, asked);
      return real;
    },
    async verify(handle, asked) {
      const realRoot = await realpath(root);
      check(realRoot, await openedPath(handle, resolve(realRoot, asked)), asked);
    },
  };
}

/** The path of an open file: the kernel's own answer on Linux; elsewhere the path again, if it still leads to the same file. */
async function openedPath(handle: FileHandle, path: string): Promise<string> {
  const link = await readlink(`/proc/self/fd/${handle.fd}`).catch(() => undefined);
  if (link !== undefined) return link;
  const real = await realpath(path);
  const [opened, found] = await Promise.all([handle.stat(), stat(real)]);
  if (opened.ino === found.ino && opened.dev === found.dev) return real;
  throw new BosunError("tool/refused", "the file was replaced while it was opened");
}

function refused(asked: string, why: string): BosunError {
  return new BosunError(
    "tool/refused",
    `cannot read ${shown(asked)}: ${why}. Use a path relative to the folder`,
  );
}

/** What fs says, without the absolute path that it says it of. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  if (code === "ENOENT" || code === "ENOTDIR") return "there is no such file";
  if (code === "EACCES" || code === "EPERM") return "this user may not read it";
  if (code === "ELOOP") return "it is a link";
  return typeof code === "string" ? code : messageOf(error);
}

function shown(asked: string): string {
  return JSON.stringify(asked.length > 200 ? `${asked.slice(0, 200)}…` : asked);
}
