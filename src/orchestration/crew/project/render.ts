// A definition as the text of a crew.ts. Pure: the text runs and type-checks as it stands, with a comment for each note.

import { relative } from "node:path";
import type { Json } from "../../../json.ts";
import type { AgentDefinition } from "./agent-definition.ts";
import type { CrewDefinition } from "./definition.ts";
import type { ModelUse } from "./model-value.ts";
import { noteLine, type ProjectNote } from "./place.ts";
import { renderInputs } from "./render-input.ts";
import { type RenderFolders, renderStubs, toolsCode } from "./render-tool.ts";
import type { TaskDefinition } from "./task-definition.ts";
import { comment, createNamer, type Namer, toLiteral } from "./typescript.ts";

/** Options of an object literal: names with their code; those without code are left out. */
type Field = readonly [name: string, code: string | undefined];

/** The file's text. */
export function renderCrew(definition: CrewDefinition, folders: RenderFolders): string {
  const namer = createNamer(["agent", "task", "crew", "endpoint", "inputs", "now", ...TOOL_NAMES]);
  const parts = [
    ...renderStubs(definition, namer, folders),
    ...definition.agents.map((one) => renderAgent(one, namer, folders)),
    ...definition.tasks.map((one) => renderTask(one, namer, folders)),
    renderInputs(definition),
    `${commentsOf(definition.notes, folders)}export default crew({\n${fieldLines(crewFields(definition, namer))}});\n`,
  ];
  const body = parts.filter((part) => part !== "").join("\n");
  return `${importsOf(body)}\n${body}`;
}

const TOOL_NAMES = ["calculator", "fetchUrl", "readFile", "searchDocs", "tool"] as const;

function importsOf(body: string): string {
  const isUsed = (name: string): boolean =>
    new RegExp(`^(?:.*[ [])?${name}\\(`, "m").test(withoutTexts(body));
  const names = ["agent", "crew", ...(isUsed("endpoint") ? ["endpoint"] : []), "task"];
  const tools = TOOL_NAMES.filter(isUsed);
  const toolLine = tools.length > 0 ? `import { ${tools.join(", ")} } from "bosun/tool";\n` : "";
  return `import { ${names.join(", ")} } from "bosun";\n${toolLine}`;
}

/** What a text says is no call. */
function withoutTexts(code: string): string {
  return code
    .replaceAll(/^\/\/.*$/gm, "")
    .replaceAll(/"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`/gs, '""');
}

function renderAgent(agent: AgentDefinition, namer: Namer, folders: RenderFolders): string {
  const { key, notes, role, goal, backstory, name, model, tools = [], ...rest } = agent;
  const fields: readonly Field[] = [
    ["role", toLiteral(role)],
    ["goal", toLiteral(goal)],
    ["backstory", literal(backstory)],
    ["name", literal(name)],
    ["model", model && modelCode(model)],
    ["tools", toolsCode(tools, namer, folders)],
    ...Object.entries(rest).map(([option, value]): Field => [option, literal(value)]),
  ];
  return `${commentsOf(notes, folders)}const ${namer.agent(key)} = agent({\n${fieldLines(fields)}});\n`;
}

function renderTask(task: TaskDefinition, namer: Namer, folders: RenderFolders): string {
  const { key: _key, toolPlace: _place, notes, name, description, expectedOutput, ...given } = task;
  const { agent, context, ...options } = given;
  const { tools = [], guardrails, ...rest } = options;
  const [only, ...others] = guardrails ?? [];
  const fields: readonly Field[] = [
    ["name", toLiteral(name)],
    ["description", toLiteral(description)],
    ["expectedOutput", toLiteral(expectedOutput)],
    ["agent", agent === undefined ? undefined : namer.agent(agent)],
    ["context", context && `[${context.map(namer.task).join(", ")}]`],
    ["tools", toolsCode(tools, namer, folders)],
    ["guardrail", others.length > 0 ? literal(guardrails) : literal(only)],
    ...Object.entries(rest).map(([option, value]): Field => [option, literal(value)]),
  ];
  return `${commentsOf(notes, folders)}const ${namer.task(name)} = task({\n${fieldLines(fields)}});\n`;
}

function crewFields(definition: CrewDefinition, namer: Namer): readonly Field[] {
  const { name, agents, tasks, manager, managerModel, planningModel, process, cache, planning } =
    definition;
  const workers = agents.filter(({ key }) => key !== manager);
  return [
    ["name", toLiteral(name)],
    ["process", literal(process)],
    ["manager", manager === undefined ? undefined : namer.agent(manager)],
    ["managerModel", managerModel && modelCode(managerModel)],
    ["planning", literal(planning)],
    ["planningModel", planningModel && modelCode(planningModel)],
    ["cache", literal(cache)],
    ["agents", `[${workers.map(({ key }) => namer.agent(key)).join(", ")}]`],
    ["tasks", `[${tasks.map((task) => namer.task(task.name)).join(", ")}]`],
  ];
}

function literal(value: Json | undefined): string | undefined {
  return value === undefined ? undefined : toLiteral(value, 1);
}

function fieldLines(fields: readonly Field[]): string {
  return fields.map(([name, code]) => (code === undefined ? "" : `  ${name}: ${code},\n`)).join("");
}

function modelCode(use: ModelUse): string {
  return use.type === "name" ? toLiteral(use.name) : `endpoint(${toLiteral(use.options, 1)})`;
}

function commentsOf(notes: readonly ProjectNote[], { project }: RenderFolders): string {
  return notes
    .map((note) => comment(noteLine({ ...note, file: relative(project, note.file) })))
    .join("");
}
