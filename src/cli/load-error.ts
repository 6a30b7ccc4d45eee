// What went wrong while a user's file was loaded, as one message with the place in that file.

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { BosunError, isBosunError, messageOf } from "../error.ts";

/** The error of a file that could not be loaded: `crew.ts:12: message`. A BosunError keeps its code. */
export function toLoadError(error: unknown, file: string): BosunError {
  const place = placeOf(error) ?? relative(process.cwd(), file);
  const code = isBosunError(error) ? error.code : "crew/invalid";
  const message = `${place}: ${reasonOf(error)}`;
  return new BosunError(code, message, {
    cause: error,
    ...(isBosunError(error) && error.details ? { details: error.details } : {}),
  });
}

function reasonOf(error: unknown): string {
  const message = messageOf(error);
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX")
    return `${message}. Node runs TypeScript by removing its types: enums, namespaces and parameter properties cannot be used`;
  const missing =
    code === "ERR_MODULE_NOT_FOUND" ? /Cannot find package '([^']+)'/.exec(message) : null;
  if (missing)
    return `the package ${missing[1]} is not installed. Install it with: npm install ${missing[1]}`;
  if (COMMON_JS.test(message))
    return `${message}. Set "type": "module" in the nearest package.json: it says that this file is CommonJS`;
  return message;
}

/** What Node says of an import or export in a file that is no module. */
const COMMON_JS =
  /Cannot use import statement outside a module|Unexpected token 'export'|Cannot use 'import\.meta' outside a module/;

/**
 * file:line of the first place that is in a user's file. A syntax error has it in its first line, any other error in its frames;
 * frames of Node, of packages and of Bosun itself say nothing to the user.
 */
export function placeOf(error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? "") : "";
  const head = /^(?:file:\/\/)?(\/[^\n]*?|[A-Za-z]:[^\n]*?):(\d+)\n/.exec(stack);
  if (head) return shown(head[1], head[2]);
  for (const [, where, line] of stack.matchAll(FRAME)) {
    const isForeign = where?.includes("/node_modules/") || where?.startsWith(BOSUN_FOLDER);
    if (where !== undefined && !isForeign) return shown(where, line);
  }
  return undefined;
}

const FRAME = /\bat .*?(file:\/\/\/[^\s)]+?):(\d+)(?::\d+)?\)?$/gm;
/** src or dist: the folder above this one. */
const BOSUN_FOLDER = new URL("../", import.meta.url).href;

function shown(where = "", line = ""): string {
  const path = where.startsWith("file:") ? fileURLToPath(where) : where;
  return `${relative(process.cwd(), path)}:${line}`;
}
