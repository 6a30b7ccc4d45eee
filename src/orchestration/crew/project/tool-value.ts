// `tools` of agents and tasks: which built-in tools take the place of CrewAI's, and a note for each of them.

import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { isSameTool, type KnownTool, knownTool, type ToolUse } from "./known-tool.ts";
import type { Noting } from "./place.ts";
import { toolStub } from "./python-tool.ts";
import type { PythonScope } from "./python-scope.ts";
import type { RawProject } from "./raw.ts";
import { type Located, show, toItems } from "./value.ts";

/** Says what becomes of a list of tools. */
export type ToolReader = (value: Located, key: string) => readonly ToolUse[];

/** A reader for a project. Each kind of tool is given once. */
export function createToolReader(
  root: string,
  { scope, toolFiles }: Pick<RawProject, "scope" | "toolFiles">,
  note: Noting,
): ToolReader {
  const useOf = (item: Located, key: string): readonly ToolUse[] => {
    const name = nameOf(scope.resolve(namedMethod(item, scope)));
    if (name === undefined) {
      note(
        item.place,
        key,
        "warning",
        `left out: it is ${show(item)}, and Python is not run. ${OWN}`,
      );
      return [];
    }
    const [className, known] = lookUp(name);
    const use = known ? known.use && toUse(known.use, resolve(root)) : toolStub(name, toolFiles);
    if (use?.type === "stub")
      note(item.place, key, "warning", `${use.python} is Python, which is not run: ${STUB}`);
    else if (use && known)
      note(item.place, key, known.isSame ? "note" : "warning", `${className} ${known.hint}`);
    else if (known)
      note(
        item.place,
        key,
        "warning",
        `${className} is left out: it is Python. Tools over MCP are not built yet; this would bring it: ${known.hint}`,
      );
    return use ? [use] : [];
  };
  return (value, key) => {
    const list = scope.resolve(value);
    if (list.type === "python") {
      note(
        list.place,
        key,
        "warning",
        `left out: it is ${show(list)}, and Python is not run. ${OWN}`,
      );
      return [];
    }
    const uses = toItems(list, key, "tools").flatMap((item) => useOf(item, key));
    return uses.filter((use, index) => uses.findIndex((other) => isSameTool(use, other)) === index);
  };
}

const STUB =
  "a run of the project goes on without it, and bosun import crewai writes a tool() in its place, for you to fill in";
const OWN =
  "Write it anew with tool() of bosun/tool, or serve it over MCP (FastMCP: mcp.tool(function), mcp.run()), which Bosun cannot use yet";

/** In agents.yaml a tool is the name of a method that is decorated as one. */
function namedMethod(item: Located, scope: PythonScope): Located {
  if (item.type !== "scalar" || typeof item.value !== "string") return item;
  return scope.method(item.value, "tool")?.result ?? item;
}

/** `SerperDevTool`, `crewai_tools:SerperDevTool`, `custom:name`, `SerperDevTool()`. */
function nameOf(item: Located): string | undefined {
  if (item.type === "python")
    return item.call?.name ?? /^(?:\w+\.)*([A-Za-z_]\w*)$/.exec(item.text)?.[1];
  if (item.type === "map") {
    const type = item.entries.find(({ key }) => key === "tool_type" || key === "name")?.value;
    return type?.type === "scalar" ? String(type.value).split(".").at(-1) : undefined;
  }
  return item.type === "scalar" && typeof item.value === "string" && item.value !== ""
    ? item.value
    : undefined;
}

/** CrewAI takes `FileReadTool`, `FileRead` and `file_read`. */
function lookUp(name: string): readonly [string, ReturnType<typeof knownTool>] {
  if (name.startsWith("custom:")) return [name, undefined];
  const bare = name.slice(name.lastIndexOf(":") + 1);
  const joined = bare
    .split("_")
    .map((word) => word.slice(0, 1).toUpperCase() + word.slice(1))
    .join("");
  const found = [bare, `${bare}Tool`, joined, `${joined}Tool`].find((one) => knownTool(one));
  return [found ?? bare, found === undefined ? undefined : knownTool(found)];
}

function toUse(type: NonNullable<KnownTool["use"]>, root: string): ToolUse {
  switch (type) {
    case "readFile":
      return { type, root };
    case "searchDocs":
      return { type, folder: existsSync(join(root, "knowledge")) ? join(root, "knowledge") : root };
    case "fetchUrl":
    case "calculator":
      return { type };
    default:
      return type satisfies never;
  }
}
