// read_file: text files of one folder, by lines.

import { readdir, stat } from "node:fs/promises";
import { BosunError } from "../../error.ts";
import { readTextFile } from "../memory/file.ts";
import { checkFolder, createJail, type Jail, reasonOf } from "./jail.ts";
import { checkOptions } from "./option.ts";
import { type Tool, tool } from "./tool.ts";

/** Options of `readFile`. */
export type ReadFileOptions = {
  /** Nothing outside of this folder is read: not by "..", not by an absolute path, not by a link. */
  readonly root: string;
  /** Default "read_file". */
  readonly name?: string | undefined;
  /** Largest file. Default 1 MiB. */
  readonly maxBytes?: number | undefined;
  /** true allows names that start with a dot, such as .env and .git. Default false. */
  readonly hidden?: boolean | undefined;
};

const KNOWN = ["root", "name", "maxBytes", "hidden"] satisfies (keyof ReadFileOptions)[];

/** Lines of one answer when the model does not say how many. */
const DEFAULT_LINES = 400;
/** Names that are shown of a folder. */
const MAX_NAMES = 50;

/**
 * A tool that reads text files below a folder. Its result is `{"path":"…","firstLine":1,"lastLine":40,"totalLines":320,"text":"…"}`.
 * What it must not read it refuses with `tool/refused`.
 * @throws BosunError `tool/invalid` for a folder that is not there or an option that is not known.
 */
export function readFile(options: ReadFileOptions): Tool {
  const { name = "read_file", maxBytes = 1_048_576, hidden = false } = options;
  checkOptions(`tool ${name}`, options, KNOWN);
  const jail = createJail(checkFolder(`tool ${name}`, options.root), { hidden });
  return tool({
    name,
    description:
      "Reads a text file, whole or by lines. The path is relative to the folder that you may read; the path of a folder lists its names.",
    parameters: {
      type: "object",
      properties: {
        path: { type: "string", minLength: 1, description: 'Such as "notes/plan.md"' },
        firstLine: { type: "integer", minimum: 1, description: "Default 1" },
        lines: {
          type: "integer",
          minimum: 1,
          maximum: 5_000,
          description: `How many lines. Default ${DEFAULT_LINES}`,
        },
      },
      required: ["path"],
      additionalProperties: false,
    },
    run: async (args) => {
      const asked = args as { path: string; firstLine?: number; lines?: number }; // `as`: validated by the schema above
      const { path, firstLine = 1, lines = DEFAULT_LINES } = asked;
      return linesOf(path, await read(jail, path, maxBytes, hidden), firstLine, lines);
    },
  });
}

async function read(jail: Jail, asked: string, maxBytes: number, hidden: boolean): Promise<string> {
  try {
    const path = await jail.pathOf(asked);
    if ((await stat(path)).isDirectory()) {
      throw new BosunError(
        "tool/failed",
        `${asked} is a folder. It holds: ${await namesIn(path, hidden)}`,
      );
    }
    const file = await readTextFile(path, maxBytes, (handle) => jail.verify(handle, asked));
    if (file.type === "text") return file.text;
    throw new BosunError("tool/refused", `cannot read ${asked}: ${file.reason}`);
  } catch (cause) {
    if (cause instanceof BosunError) throw cause;
    throw new BosunError("tool/failed", `cannot read ${asked}: ${reasonOf(cause)}`, { cause });
  }
}

async function namesIn(path: string, hidden: boolean): Promise<string> {
  const entries = await readdir(path, { withFileTypes: true });
  const names = entries
    .filter(({ name }) => hidden || !name.startsWith("."))
    .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name));
  const shown = names.toSorted().slice(0, MAX_NAMES).join(", ");
  return names.length > MAX_NAMES
    ? `${shown} and ${names.length - MAX_NAMES} more`
    : shown || "nothing";
}

type Lines = {
  path: string;
  firstLine: number;
  lastLine: number;
  totalLines: number;
  text: string;
};

function linesOf(path: string, text: string, firstLine: number, count: number): Lines {
  const all = text.split(/\r?\n/);
  if (all.at(-1) === "") all.pop(); // the last line ends with a line break like the others
  if (firstLine > Math.max(1, all.length)) {
    throw new BosunError(
      "tool/arguments",
      `${path} has ${all.length} lines, there is no line ${firstLine}`,
    );
  }
  const chosen = all.slice(firstLine - 1, firstLine - 1 + count);
  return {
    path,
    firstLine,
    lastLine: firstLine - 1 + chosen.length,
    totalLines: all.length,
    text: chosen.join("\n"),
  };
}
