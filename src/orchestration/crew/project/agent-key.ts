// The keys of CrewAI's agents.

import { type KeyRules, MEMORY, PYTHON, RATE_LIMIT, TOOL_FAILURES } from "./key.ts";
import type { ToolUse } from "./known-tool.ts";
import { type ModelFields, readModel } from "./model-value.ts";
import { toFlag, toMilliseconds, toText, toTextOrNone, toWhole } from "./value.ts";

/** What an agent of a project becomes: options of agent(), with models and tools as data. */
export type AgentFields = ModelFields & {
  readonly role: string;
  readonly goal: string;
  readonly backstory?: string | undefined;
  readonly tools?: readonly ToolUse[] | undefined;
  readonly maxIterations?: number | undefined;
  readonly timeoutMs?: number | undefined;
  readonly allowDelegation?: boolean | undefined;
};

const KNOWLEDGE =
  "knowledge is not built yet: the run goes on without it. search_docs searches local files: add searchDocs to the agent's tools";
const PLANNING =
  "an agent's own planning is not built: planning: true of the crew makes one plan for all tasks";
const PROMPTS =
  "prompts of one's own are not supported: Bosun keeps the parts that tasks share in front, so that servers can cache them";
const CODE = "agents do not run code; CrewAI has taken this out too";

/** By key. */
export const AGENT_KEYS: KeyRules<AgentFields> = {
  role: { type: "used", read: (value, { key }) => ({ role: toText(value, key) }) },
  goal: { type: "used", read: (value, { key }) => ({ goal: toText(value, key) }) },
  backstory: { type: "used", read: (value, { key }) => ({ backstory: toTextOrNone(value, key) }) },
  llm: { type: "used", python: true, read: readModel },
  tools: {
    type: "used",
    python: true,
    read: (value, context) => {
      const tools = context.tools(value);
      return tools.length > 0 ? { tools } : {};
    },
  },
  max_iter: { type: "used", read: (value, { key }) => ({ maxIterations: toWhole(value, key, 1) }) },
  max_execution_time: {
    type: "used",
    read: (value, { key }) => ({ timeoutMs: toMilliseconds(value, key) }),
  },
  max_tokens: { type: "used", read: (value, { key }) => ({ maxTokens: toWhole(value, key, 1) }) },
  allow_delegation: {
    type: "used",
    read: (value, { key }) => (toFlag(value, key) ? { allowDelegation: true } : {}),
  },
  cache: {
    type: "told",
    when: "off",
    level: "note",
    message:
      "results of tools are reused only where the crew says cache: true; for one agent it cannot be switched off",
  },
  respect_context_window: {
    type: "told",
    when: "off",
    level: "warning",
    message: "what is too long for the model is always cut before it is sent",
  },
  use_system_prompt: { type: "told", when: "off", level: "warning", message: PROMPTS },
  system_template: { type: "told", level: "warning", message: PROMPTS },
  prompt_template: { type: "told", level: "warning", message: PROMPTS },
  response_template: { type: "told", level: "warning", message: PROMPTS },
  verbose: { type: "silent" },
  i18n: { type: "told", level: "warning", message: PROMPTS },
  max_rpm: RATE_LIMIT,
  max_retry_limit: {
    type: "told",
    level: "warning",
    message:
      'the number is not carried over: calls that may succeed are repeated by the pool; onError: "retry" of a task repeats the task',
  },
  inject_date: {
    type: "told",
    level: "warning",
    message:
      "not supported: a run that is repeated must send the same texts. Write {date} into the task and give it as an input",
  },
  date_format: {
    type: "told",
    level: "note",
    message: "goes with inject_date, which is not supported",
  },
  memory: MEMORY,
  embedder: MEMORY,
  knowledge: { type: "told", level: "warning", message: KNOWLEDGE },
  knowledge_sources: { type: "told", level: "warning", message: KNOWLEDGE },
  knowledge_config: { type: "told", level: "warning", message: KNOWLEDGE },
  knowledge_storage: { type: "told", level: "warning", message: KNOWLEDGE },
  planning: { type: "told", level: "warning", message: PLANNING },
  planning_config: { type: "told", level: "warning", message: PLANNING },
  reasoning: { type: "told", level: "warning", message: PLANNING },
  max_reasoning_attempts: { type: "told", level: "note", message: PLANNING },
  guardrail: {
    type: "told",
    level: "note",
    message:
      "not used, as in CrewAI, which checks answers of a crew by the guardrail of the task: write it there",
  },
  guardrail_max_retries: {
    type: "told",
    level: "note",
    message: "goes with guardrail; write both on the task",
  },
  function_calling_llm: {
    type: "told",
    level: "warning",
    message: "the agent's own model calls its tools",
  },
  tool_failure_policy: TOOL_FAILURES,
  step_callback: PYTHON,
  callbacks: PYTHON,
  cache_handler: PYTHON,
  executor_class: { type: "told", level: "warning", message: "Bosun has one agent loop" },
  agent_executor: { type: "told", level: "warning", message: "Bosun has one agent loop" },
  multimodal: { type: "told", level: "warning", message: "only texts are sent to models" },
  allow_code_execution: { type: "told", level: "note", message: CODE },
  code_execution_mode: { type: "told", level: "note", message: CODE },
  mcps: { type: "told", level: "warning", message: "tools over MCP are not built yet" },
  apps: { type: "told", level: "warning", message: "CrewAI's platform is not used" },
  a2a: { type: "told", level: "warning", message: "not supported" },
  skills: {
    type: "told",
    level: "warning",
    message: "not supported: write what the agent should know into its backstory",
  },
  from_repository: {
    type: "told",
    level: "warning",
    message: "CrewAI's platform is not used: write the agent here",
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
  config: { type: "told", level: "warning", message: "write the keys beside role and goal" },
  type: {
    type: "used",
    python: true,
    read: (value, { note }) => {
      if (value.type === "python")
        note("warning", "a class of your own is Python and is not run: this is a plain agent");
      return {};
    },
  },
};
