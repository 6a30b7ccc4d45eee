// The keys of CrewAI's crews: of crew.json(c), and of Crew(…) in a crew.py.

import {
  type KeyContext,
  type KeyRules,
  MEMORY,
  PYTHON,
  RATE_LIMIT,
  TOOL_FAILURES,
} from "./key.ts";
import { type ModelFields, type ModelUse, readModel } from "./model-value.ts";
import { selfCallOf } from "./python-scope.ts";
import { type Located, show, toFlag, toText, wrongType } from "./value.ts";
import type { Reference } from "./task-key.ts";

/** What a crew of a project becomes: options of crew(). */
export type CrewFields = {
  readonly name?: string | undefined;
  readonly process?: "sequential" | "hierarchical" | undefined;
  readonly cache?: boolean | undefined;
  readonly planning?: boolean | undefined;
  readonly planningModel?: ModelUse | undefined;
  readonly manager?: Reference | undefined;
  readonly managerModel?: ModelUse | undefined;
};

const KNOWLEDGE =
  "knowledge is not built yet: the run goes on without it. search_docs searches local files: add searchDocs to the agents' tools";
const PLATFORM = "CrewAI's platform is not used; Bosun sends nothing anywhere";

/** By key. */
export const CREW_KEYS: KeyRules<CrewFields> = {
  name: { type: "used", read: (value, { key }) => ({ name: toText(value, key) }) },
  agents: { type: "silent" }, // read where the files are found
  tasks: { type: "silent" },
  inputs: { type: "silent" },
  process: { type: "used", python: true, read: readProcess },
  cache: { type: "used", read: (value, { key }) => (toFlag(value, key) ? { cache: true } : {}) },
  planning: {
    type: "used",
    read: (value, { key }) => (toFlag(value, key) ? { planning: true } : {}),
  },
  planning_llm: {
    type: "used",
    python: true,
    read: (value, context) => ({ planningModel: modelOnly(readModel(value, context), context) }),
  },
  manager_llm: {
    type: "used",
    python: true,
    read: (value, context) => ({ managerModel: modelOnly(readModel(value, context), context) }),
  },
  manager_agent: { type: "used", python: true, read: readManager },
  verbose: { type: "silent" },
  stream: { type: "silent" },
  max_rpm: RATE_LIMIT,
  memory: MEMORY,
  memory_config: MEMORY,
  short_term_memory: MEMORY,
  long_term_memory: MEMORY,
  entity_memory: MEMORY,
  external_memory: MEMORY,
  embedder: MEMORY,
  knowledge: { type: "told", level: "warning", message: KNOWLEDGE },
  knowledge_sources: { type: "told", level: "warning", message: KNOWLEDGE },
  chat_llm: {
    type: "told",
    level: "warning",
    message: "bosun chat talks to a crew with the crew's own models",
  },
  function_calling_llm: {
    type: "told",
    level: "warning",
    message: "each agent's own model calls its tools",
  },
  step_callback: PYTHON,
  task_callback: PYTHON,
  before_kickoff_callbacks: PYTHON,
  after_kickoff_callbacks: PYTHON,
  prompt_file: {
    type: "told",
    level: "warning",
    message: "prompts of one's own are not supported",
  },
  language: { type: "told", level: "warning", message: "say in the tasks which language to write" },
  language_file: {
    type: "told",
    level: "warning",
    message: "prompts of one's own are not supported",
  },
  full_output: { type: "told", level: "note", message: "a result always holds each task's output" },
  trained_agents_file: { type: "told", level: "warning", message: "training is not supported" },
  output_log_file: {
    type: "told",
    level: "note",
    message: "every event is kept: bosun runs show latest --events",
  },
  share_crew: { type: "told", level: "note", message: PLATFORM },
  tracing: { type: "told", level: "note", message: PLATFORM },
  skills: {
    type: "told",
    level: "warning",
    message: "not supported: write what the agents should know into their backstories",
  },
  security_config: {
    type: "told",
    level: "note",
    message: "fingerprints are not made: a run's id and steps tell it apart",
  },
  checkpoint: {
    type: "told",
    level: "note",
    message: "what is kept of a run is up to Bosun's engine, not to the crew",
  },
  tool_failure_policy: TOOL_FAILURES,
  config: { type: "told", level: "warning", message: "write the keys beside name" },
};

function readProcess(value: Located, { key }: KeyContext): CrewFields {
  const name = value.type === "python" ? value.text.replace(/^Process\./, "") : toText(value, key);
  if (name === "sequential" || name === "hierarchical") return { process: name };
  throw wrongType(value, key, "sequential or hierarchical");
}

function readManager(value: Located, { key, note, scope }: KeyContext): CrewFields {
  const name = selfCallOf(value);
  if (name !== undefined && scope.method(name, "agent"))
    return { manager: { name, place: value.place } };
  if (value.type !== "python") return { manager: { name: toText(value, key), place: value.place } };
  note(
    "warning",
    `not read: it is ${show(value)}, and Python is not run. Bosun's own manager leads`,
  );
  return {};
}

/** Settings belong to an endpoint; beside a mere name there is no place for them. */
function modelOnly(
  { model, ...settings }: ModelFields,
  { note }: KeyContext,
): ModelUse | undefined {
  if (model?.type === "endpoint") return { ...model, options: { ...model.options, ...settings } };
  const names = Object.keys(settings).join(", ");
  if (names !== "") note("warning", `only the model's name is carried over, not its ${names}`);
  return model;
}
