// The keys of agents, tasks and crews: what each becomes. Every key that CrewAI knows has a rule; any other is told as unknown.

import { errorAt, type NoteLevel, type Noting, type Place } from "./place.ts";
import type { PythonScope } from "./python-scope.ts";
import type { ToolUse } from "./known-tool.ts";
import { type Entry, isNull, isOff, type Located, show } from "./value.ts";

/** What rules may look at besides the value. */
export type KeyContext = {
  readonly key: string;
  /** Of the key. */
  readonly place: Place;
  /** The project's folder. */
  readonly root: string;
  readonly scope: PythonScope;
  readonly note: (level: NoteLevel, message: string) => void;
  /** The tools of a list that have a built-in counterpart; notes the others. */
  readonly tools: (value: Located) => readonly ToolUse[];
};

/** What becomes of a key. */
export type KeyRule<Fields> =
  /** It sets fields. `python`: it also understands values that crew.py sets by an expression. */
  | {
      readonly type: "used";
      readonly python?: boolean | undefined;
      readonly read: (value: Located, context: KeyContext) => Partial<Fields>;
    }
  /** There is nothing to carry over. */
  | { readonly type: "silent" }
  /** It cannot be carried over, which is told when its value switches something on (or off, with `when: "off"`). */
  | {
      readonly type: "told";
      readonly level: NoteLevel;
      readonly message: string;
      readonly when?: "off" | undefined;
    };

/** Of agents, tasks and crews alike: what CrewAI's `warn` and `ignore` do is what is done here. */
export const TOOL_FAILURES: KeyRule<object> = {
  type: "used",
  read: (value, { note }) => {
    const isOther = value.type === "scalar" && value.value === "raise";
    note(
      isOther ? "warning" : "note",
      "a tool that fails is told to the model, which may try again (CrewAI's warn)",
    );
    return {};
  },
};

/** Of agents and crews alike. */
export const MEMORY: KeyRule<object> = {
  type: "told",
  level: "warning",
  message: "memory is not built yet: the run goes on without it",
};

/** Of agents and crews alike. */
export const RATE_LIMIT: KeyRule<object> = {
  type: "told",
  level: "warning",
  message:
    "rate limits come with the pool; until then a call that is refused with 429 is repeated after its Retry-After",
};

/** Functions of agents, tasks and crews alike. */
export const PYTHON: KeyRule<object> = {
  type: "told",
  level: "warning",
  message: "Python is not run. hooks of crew() are called at the same places",
};

/** Rules by key. */
export type KeyRules<Fields> = Readonly<Record<string, KeyRule<Fields>>>;

/** Of which thing: an agent, a task, a crew. */
export type Subject = {
  readonly kind: "agents" | "tasks" | "crews";
  readonly root: string;
  readonly scope: PythonScope;
  readonly note: Noting;
  readonly tools: (value: Located, key: string) => readonly ToolUse[];
};

/**
 * The fields that the entries set; what is not carried over is noted.
 * @throws BosunError `crew/invalid` with the place for a value of a wrong type.
 */
export function applyKeys<Fields>(
  entries: readonly Entry[],
  rules: KeyRules<Fields>,
  subject: Subject,
): Partial<Fields> {
  let fields: Partial<Fields> = {};
  for (const { key, value, place } of entries) {
    if (isNull(value)) continue;
    const rule = Object.hasOwn(rules, key) ? rules[key] : undefined;
    const context: KeyContext = {
      key,
      place,
      root: subject.root,
      scope: subject.scope,
      note: (level, message) => subject.note(place, key, level, message),
      tools: (list) => subject.tools(list, key),
    };
    if (!rule) context.note("warning", unknownKey(key, rules, subject.kind));
    else fields = { ...fields, ...applyRule(rule, value, context) };
  }
  return fields;
}

function unknownKey(key: string, rules: object, kind: Subject["kind"]): string {
  const snakeCase = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  const meant = snakeCase !== key && Object.hasOwn(rules, snakeCase) ? `. Write ${snakeCase}` : "";
  return `unknown: CrewAI's ${kind} have no such key. It does nothing here${meant}`;
}

function applyRule<Fields>(
  rule: KeyRule<Fields>,
  given: Located,
  context: KeyContext,
): Partial<Fields> {
  const value = context.scope.resolve(given);
  if (isNull(value)) return {};
  switch (rule.type) {
    case "silent":
      return {};
    case "told":
      if (isOff(value) === (rule.when === "off")) context.note(rule.level, rule.message);
      return {};
    case "used":
      if (value.type !== "python" || rule.python) return rule.read(value, context);
      context.note("warning", `not read: it is ${show(value)}, and Python is not run`);
      return {};
    default:
      return rule satisfies never;
  }
}

/** The entry that must be there. @throws BosunError `crew/invalid`. */
export function requireKey(
  entries: readonly Entry[],
  key: string,
  of: { readonly what: string; readonly place: Place },
): void {
  const entry = entries.find((one) => one.key === key);
  if (!entry || isNull(entry.value))
    throw errorAt(entry?.place ?? of.place, `${of.what} has no ${key}, which it needs`);
}
