// A project as options of agent(), task() and crew(), still plain data: what build.ts makes a crew of and render.ts prints.

import { type AgentDefinition, defineAgents } from "./agent-definition.ts";
import { CREW_KEYS, type CrewFields } from "./crew-key.ts";
import type { Environment } from "./environment.ts";
import { type InputSources, toInputSources } from "./input-source.ts";
import { applyKeys } from "./key.ts";
import type { NoteBook, Noting, ProjectNote } from "./place.ts";
import type { RawPart, RawProject } from "./raw.ts";
import { findPart, toName } from "./reference.ts";
import { defineTasks, type TaskDefinition } from "./task-definition.ts";
import { placeTools } from "./tool-place.ts";
import { createToolReader } from "./tool-value.ts";

/** A crew. `manager` is the key of an agent. */
export type CrewDefinition = Omit<CrewFields, "manager"> & {
  readonly name: string;
  readonly agents: readonly AgentDefinition[];
  readonly tasks: readonly TaskDefinition[];
  readonly manager: string | undefined;
  readonly inputs: InputSources;
  /** Those that belong to no agent and no task. */
  readonly notes: readonly ProjectNote[];
};

/**
 * What a project's files mean.
 * @throws BosunError `crew/…` with the place for what cannot be a crew.
 */
export function defineProject(
  raw: RawProject,
  { root, book, nowMs, environment }: Defining,
): CrewDefinition {
  const tools = createToolReader(root, raw, book.note);
  const subject = { root, scope: raw.scope, note: book.note, tools };
  const given = applyKeys(raw.crew, CREW_KEYS, { ...subject, kind: "crews" });
  noteMethods(raw, book.note);
  const crew = settleCrew(given, raw, book.note);
  const inputs = toInputSources(raw.inputs, { nowMs, env: environment.env }, book.note);
  const own = [...book.all];
  const people = crew.manager === undefined ? raw.agents : withManager(raw);
  const agents = defineAgents(people, { ...subject, kind: "agents" }, book);
  const isHierarchical = crew.process === "hierarchical";
  const tasks = defineTasks(raw, { ...subject, kind: "tasks" }, { book, isHierarchical });
  const placed = placeTools({ agents, tasks }, isHierarchical, book);
  const name = toName(given.name ?? raw.name, "crew");
  return { ...crew, ...placed, name, inputs, notes: own };
}

/** What a project is defined beside. */
type Defining = {
  /** Its folder. */
  readonly root: string;
  readonly book: NoteBook;
  readonly nowMs: number;
  readonly environment: Environment;
};

/** The agents, and the manager that is none of them. */
function withManager({ agents, manager }: RawProject): readonly RawPart[] {
  return manager ? [...agents, manager] : agents;
}

type Settled = Omit<CrewFields, "manager"> & { readonly manager: string | undefined };

/** What counts only beside something else is left out without it, and told. */
function settleCrew(
  { manager, ...given }: Partial<CrewFields>,
  raw: RawProject,
  note: Noting,
): Settled {
  const isHierarchical = given.process === "hierarchical";
  const leader = manager && findPart(withManager(raw), manager, "agent").id;
  const unless = <T>(isMeant: boolean, key: string, value: T | undefined): T | undefined => {
    if (isMeant || value === undefined) return value;
    const place = raw.crew.find((entry) => entry.key === key)?.place;
    if (place) note(place, key, "note", UNUSED[key] ?? "not used");
    return undefined;
  };
  return {
    ...given,
    manager: unless(isHierarchical, "manager_agent", leader),
    managerModel: unless(isHierarchical && !leader, "manager_llm", given.managerModel),
    planningModel: unless(given.planning === true, "planning_llm", given.planningModel),
  };
}

/** Why a key is not used. */
const UNUSED: Readonly<Record<string, string>> = {
  manager_agent: "counts only in a hierarchical crew",
  manager_llm:
    "counts only in a hierarchical crew without a manager_agent, which has a model of its own",
  planning_llm: "counts only with planning: true",
};

const TOLD_METHODS: readonly string[] = [
  "before_kickoff",
  "after_kickoff",
  "before_llm_call",
  "after_llm_call",
  "before_tool_call",
  "after_tool_call",
  "callback",
  "cache_handler",
];

/** Methods of a crew.py that CrewAI would call. */
function noteMethods({ scope }: RawProject, note: Noting): void {
  for (const { name, decorators, place } of scope.file?.methods ?? []) {
    const told = decorators.find((one) => TOLD_METHODS.includes(one));
    if (told !== undefined)
      note(
        place,
        name,
        "warning",
        `@${told} is Python and is not run. hooks of crew() are called at the same places`,
      );
  }
}
