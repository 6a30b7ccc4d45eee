// Whose tools: in CrewAI a task's own tools take the place of its agent's; a task of Bosun has its tools besides them. An agent whose
// tasks have tools of their own therefore gives its tools to its other tasks. Where agents delegate it keeps them: work that is
// delegated to it is done with its own tools, in CrewAI too.

import type { AgentDefinition } from "./agent-definition.ts";
import { isSameTool } from "./known-tool.ts";
import type { NoteBook, NoteLevel, ProjectNote } from "./place.ts";
import type { TaskDefinition } from "./task-definition.ts";

/** The people and their work. */
type Parts = {
  readonly agents: readonly AgentDefinition[];
  readonly tasks: readonly TaskDefinition[];
};

/** The same with each tool where it is offered as CrewAI would. @param isLed whether a manager gives out the work. */
export function placeTools({ agents, tasks }: Parts, isLed: boolean, book: NoteBook): Parts {
  const isTeam = isLed || agents.some(({ allowDelegation }) => allowDelegation);
  const replaced = agents.filter(
    ({ key, tools = [] }) =>
      tools.length > 0 && tasks.some((task) => task.agent === key && task.toolPlace),
  );
  const placed = tasks.map((task) => {
    const owner = replaced.find(({ key }) => key === task.agent);
    if (!owner) return task;
    return isTeam ? beside(task, owner, book) : instead(task, owner, book);
  });
  const without = new Set(isTeam ? [] : replaced.map(({ key }) => key));
  return {
    agents: agents.map((agent) => (without.has(agent.key) ? { ...agent, tools: [] } : agent)),
    tasks: placed,
  };
}

function instead(
  task: TaskDefinition,
  { key, tools = [] }: AgentDefinition,
  book: NoteBook,
): TaskDefinition {
  if (!task.toolPlace) return { ...task, tools };
  const message = `in place of those of the agent "${key}", as in CrewAI: its own stand at its other tasks`;
  return told(task, book, ["note", message]);
}

function beside(
  task: TaskDefinition,
  { key, tools: had = [] }: AgentDefinition,
  book: NoteBook,
): TaskDefinition {
  const { tools = [] } = task;
  const further = tools.filter((use) => !had.some((one) => isSameTool(one, use)));
  const isReplaced = had.some((use) => !tools.some((one) => isSameTool(one, use)));
  const kept = { ...task, tools: further };
  if (!task.toolPlace || !isReplaced) return kept;
  const message = `besides those of the agent "${key}", which it keeps for delegated work; in CrewAI they take their place here`;
  return told(kept, book, ["warning", message]);
}

function told(
  task: TaskDefinition,
  book: NoteBook,
  [level, message]: readonly [NoteLevel, string],
): TaskDefinition {
  const { toolPlace: place } = task;
  if (!place) return task;
  book.note(place, "tools", level, message);
  const note: ProjectNote = { ...place, key: "tools", level, message };
  return { ...task, notes: [...task.notes, note] };
}
