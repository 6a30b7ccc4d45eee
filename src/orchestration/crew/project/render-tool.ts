// Tools of a definition as TypeScript: built-in ones as calls, and for each of the project's own a tool() to be filled in. Pure.

import { relative } from "node:path";
import type { CrewDefinition } from "./definition.ts";
import type { ToolUse } from "./known-tool.ts";
import { showPlace } from "./place.ts";
import type { ToolStub } from "./python-tool.ts";
import { comment, type Namer, toLiteral } from "./typescript.ts";

/** Where the project is and where the file will stand: the project's folders are written relative to the file. */
export type RenderFolders = { readonly project: string; readonly target: string };

/** A constant for each tool that has to be written anew. Until it is, its error reaches the model. */
export function renderStubs(
  { agents, tasks }: CrewDefinition,
  namer: Namer,
  folders: RenderFolders,
): readonly string[] {
  const uses = [...agents, ...tasks].flatMap(({ tools = [] }) => tools);
  const stubs = uses.flatMap((use) => (use.type === "stub" ? [[use.name, use] as const] : []));
  return [...new Map(stubs).values()].map((stub) => renderStub(stub, namer, folders));
}

function renderStub(stub: ToolStub, namer: Namer, { project }: RenderFolders): string {
  const { name, description, parameters, python, place } = stub;
  const where = place
    ? `${showPlace({ ...place, file: relative(project, place.file) })} ${python}`
    : `${python}, whose file was not found`;
  const message = `the tool ${name} is not written yet: answer without it`;
  return `${comment(`${where}: it is Python. Write here what it does; until then its error is what the model reads.`)}const ${namer.tool(name)} = tool({
  name: ${toLiteral(name)},
  description: ${toLiteral(description)},
  parameters: ${toLiteral(parameters, 1)},
  run: () => {
    throw new Error(${toLiteral(message)});
  },
});
`;
}

/** The list of an agent's or a task's tools; undefined for none. */
export function toolsCode(
  tools: readonly ToolUse[],
  namer: Namer,
  folders: RenderFolders,
): string | undefined {
  return tools.length > 0
    ? `[${tools.map((use) => toolCode(use, namer, folders)).join(", ")}]`
    : undefined;
}

function toolCode(use: ToolUse, namer: Namer, folders: RenderFolders): string {
  switch (use.type) {
    case "fetchUrl":
    case "calculator":
      return `${use.type}()`;
    case "readFile":
      return `readFile({ root: ${pathCode(use.root, folders)} })`;
    case "searchDocs":
      return `searchDocs({ folder: ${pathCode(use.folder, folders)} })`;
    case "stub":
      return namer.tool(use.name);
    default:
      return use satisfies never;
  }
}

/** Folders stay where they are: the new file finds them from its own place. */
function pathCode(path: string, folders: RenderFolders): string {
  const way = relative(folders.target, path).replaceAll("\\", "/").replaceAll(/[`$]/g, "\\$&");
  return `\`\${import.meta.dirname}/${way}\``;
}
