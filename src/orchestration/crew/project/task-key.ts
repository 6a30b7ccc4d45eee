// The keys of CrewAI's tasks.

import { type KeyContext, type KeyRules, PYTHON, TOOL_FAILURES } from "./key.ts";
import type { ToolUse } from "./known-tool.ts";
import { schemaOf } from "./python-model.ts";
import { selfCallOf } from "./python-scope.ts";
import {
  type Located,
  show,
  toFlag,
  toItems,
  toMilliseconds,
  toText,
  toTextOrNone,
  toWhole,
  wrongType,
} from "./value.ts";
import type { JsonObject } from "../../../json.ts";
import type { Place } from "./place.ts";

/** A name and where it is used. */
export type Reference = { readonly name: string; readonly place: Place };

/** What a task of a project becomes: options of task(), with agents and other tasks by their keys. */
export type TaskFields = {
  readonly name?: string | undefined;
  readonly description: string;
  readonly expectedOutput: string;
  readonly agent?: Reference | undefined;
  readonly context?: readonly Reference[] | undefined;
  readonly tools?: readonly ToolUse[] | undefined;
  readonly output?: JsonObject | undefined;
  readonly async?: boolean | undefined;
  readonly timeoutMs?: number | undefined;
  readonly outputFile?: string | undefined;
  readonly humanInput?: boolean | undefined;
  readonly markdown?: boolean | undefined;
  readonly guardrail?: string | undefined;
  readonly guardrails?: readonly string[] | undefined;
  readonly guardrailRetries?: number | undefined;
};

const ANY_OUTPUT = "A complete answer";

const RETRIES: KeyRules<TaskFields>[string] = {
  type: "used",
  read: (value, { key }) => ({ guardrailRetries: toWhole(value, key, 0) }),
};

const OUTPUT: KeyRules<TaskFields>[string] = { type: "used", python: true, read: readOutput };

/** By key. */
export const TASK_KEYS: KeyRules<TaskFields> = {
  description: { type: "used", read: (value, { key }) => ({ description: toText(value, key) }) },
  expected_output: {
    type: "used",
    read: (value, { key, note }) => {
      const expectedOutput = toTextOrNone(value, key);
      if (expectedOutput !== undefined) return { expectedOutput };
      note("note", `empty: "${ANY_OUTPUT}" stands in its place`);
      return { expectedOutput: ANY_OUTPUT };
    },
  },
  name: { type: "used", read: (value, { key }) => ({ name: toText(value, key) }) },
  agent: {
    type: "used",
    python: true,
    read: (value, context) => ({ agent: readReference(value, context, "an agent") }),
  },
  context: {
    type: "used",
    python: true,
    read: (value, context) => {
      if (value.type === "python")
        return told(context, `not read: it is ${show(value)}, and Python is not run`);
      const items = toItems(value, context.key, "tasks");
      return { context: items.map((item) => readReference(item, context, "a task")) };
    },
  },
  tools: {
    type: "used",
    python: true,
    read: (value, context) => {
      const isUnset = value.type === "list" && value.items.length === 0;
      return isUnset ? {} : { tools: context.tools(value) };
    },
  },
  async_execution: {
    type: "used",
    read: (value, { key }) => (toFlag(value, key) ? { async: true } : {}),
  },
  output_file: {
    type: "used",
    read: (value, { key }) => ({ outputFile: toText(value, key).replace(/^(?:\.?\/)+/, "") }),
  },
  create_directory: {
    type: "told",
    when: "off",
    level: "warning",
    message: "folders for output_file are made where they are missing",
  },
  human_input: {
    type: "used",
    read: (value, { key }) => (toFlag(value, key) ? { humanInput: true } : {}),
  },
  markdown: {
    type: "used",
    read: (value, { key }) => (toFlag(value, key) ? { markdown: true } : {}),
  },
  output_json: OUTPUT,
  output_pydantic: OUTPUT,
  response_model: OUTPUT,
  guardrail: {
    type: "used",
    python: true,
    read: (value, context) => {
      const [guardrail] = readGuardrail(value, context);
      return guardrail === undefined ? {} : { guardrail };
    },
  },
  guardrails: {
    type: "used",
    python: true,
    read: (value, context) => {
      const items = value.type === "list" ? value.items : [value];
      return { guardrails: items.flatMap((item) => readGuardrail(item, context)) };
    },
  },
  guardrail_max_retries: RETRIES,
  max_retries: RETRIES,
  max_execution_time: {
    type: "used",
    read: (value, { key, note }) => {
      note(
        "warning",
        "seconds for this task; CrewAI itself knows the key only on agents and drops it here",
      );
      return { timeoutMs: toMilliseconds(value, key) };
    },
  },
  condition: {
    type: "used",
    python: true,
    read: (_value, context) =>
      told(
        context,
        "the condition is Python and is not run: the task is always done. when of task() takes a function",
      ),
  },
  type: { type: "used", python: true, read: readType },
  callback: PYTHON,
  callbacks: PYTHON,
  converter_cls: {
    type: "told",
    level: "warning",
    message: "Python is not run; an answer is checked against its schema and repaired by the model",
  },
  input_files: {
    type: "told",
    level: "warning",
    message: "files are not sent to models. read_file reads texts: add readFile to the tools",
  },
  prompt_context: { type: "told", level: "note", message: "made by CrewAI itself" },
  tool_failure_policy: TOOL_FAILURES,
  allow_crewai_trigger_context: {
    type: "told",
    level: "note",
    message: "CrewAI's platform is not used",
  },
  security_config: {
    type: "told",
    level: "note",
    message: "fingerprints are not made: a run's id and steps tell it apart",
  },
  config: { type: "told", level: "warning", message: "write the keys beside description" },
};

function told({ note }: KeyContext, message: string): Partial<TaskFields> {
  note("warning", message);
  return {};
}

function readReference(value: Located, { key }: KeyContext, what: string): Reference {
  const called = selfCallOf(value);
  if (called !== undefined) return { name: called, place: value.place };
  if (value.type === "python") throw wrongType(value, key, `the name of ${what}`);
  return { name: toText(value, key), place: value.place };
}

function readGuardrail(value: Located, context: KeyContext): readonly string[] {
  if (value.type !== "python") return [toText(value, context.key)];
  const { call } = value;
  const criteria =
    call?.name === "LLMGuardrail"
      ? (call.keywords.find(({ key }) => key === "description")?.value ?? call.args[0])
      : undefined;
  if (criteria?.type === "scalar") return [toText(criteria, context.key)];
  told(
    context,
    `left out: it is ${show(value)}, and Python is not run. Write the criteria as a text, which a model judges by`,
  );
  return [];
}

function readOutput(value: Located, context: KeyContext): Partial<TaskFields> {
  const name =
    value.type === "python"
      ? value.text.split(".").at(-1)
      : value.type === "scalar"
        ? String(value.value)
        : undefined;
  if (name === undefined) throw wrongType(value, context.key, "the name of a Pydantic model");
  const model = schemaOf(name, context.scope);
  if (model.type === "schema") return { output: model.schema };
  return told(context, `the answer stays a text: ${model.reason}. output of task() takes a schema`);
}

const CONDITIONAL = /conditional/i;

function readType(value: Located, context: KeyContext): Partial<TaskFields> {
  if (value.type === "python")
    return told(context, "a class of your own is Python and is not run: this is a plain task");
  return CONDITIONAL.test(toText(value, context.key))
    ? told(
        context,
        "its condition is Python and is not run: the task is always done. when of task() takes a function",
      )
    : {};
}
