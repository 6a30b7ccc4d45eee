// The inputs that a project gives by default: plain values, the time, and variables of the environment, which are looked up when the
// crew is run.

import type { Env } from "../../../inference/model/http.ts";
import type { Json } from "../../../json.ts";
import type { Inputs, InputValue } from "../input.ts";
import type { Noting } from "./place.ts";
import { type ClockUse, timeOf, toClockUse } from "./python-clock.ts";
import { type Entry, type Located, show } from "./value.ts";

/** Where an input's value comes from. */
export type InputSource =
  | { readonly type: "value"; readonly value: InputValue }
  | { readonly type: "clock"; readonly use: ClockUse }
  | {
      readonly type: "variable";
      readonly name: string;
      readonly fallback: InputValue | undefined;
    };

/** By the input's name. */
export type InputSources = readonly (readonly [name: string, source: InputSource])[];

/** When and where a project is read. */
export type Scene = {
  /** Milliseconds since 1970. */
  readonly nowMs: number;
  readonly env: Env;
};

/** Sources by name; what is none is left out and noted, as is a variable without a value. */
export function toInputSources(
  entries: readonly Entry[],
  { env }: Scene,
  note: Noting,
): InputSources {
  return entries.flatMap(({ key, value, place }) => {
    const source = toSource(value);
    const warn = (why: string): void =>
      note(place, key, "warning", `${why}. Give it with --input ${key}=…`);
    if (source === undefined) warn(`not read: it is ${show(value)}`);
    if (source === undefined || source === "none") return [];
    if (source.type === "variable" && valueOfVariable(source, env) === undefined)
      warn(`the variable ${source.name} of the environment is not set`);
    return [[key, source] as const];
  });
}

/** The inputs as they are in this scene. */
export function settleInputs(sources: InputSources, { nowMs, env }: Scene): Inputs {
  const found = sources.flatMap(([name, source]) => {
    const value = valueOf(source, { nowMs, env });
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(found);
}

function valueOf(source: InputSource, { nowMs, env }: Scene): InputValue | undefined {
  switch (source.type) {
    case "value":
      return source.value;
    case "clock":
      return timeOf(source.use, nowMs);
    case "variable":
      return valueOfVariable(source, env);
    default:
      return source satisfies never;
  }
}

type VariableSource = Extract<InputSource, { readonly type: "variable" }>;

function valueOfVariable({ name, fallback }: VariableSource, env: Env): InputValue | undefined {
  return env[name] ?? fallback;
}

/** "none" for what is an unset input in Python too; undefined for what would have to be run. */
function toSource(value: Located): InputSource | "none" | undefined {
  if (value.type === "python") {
    const use = toClockUse(value.text);
    return use ? { type: "clock", use } : toVariable(value);
  }
  const plain = toJson(value);
  if (plain === null) return "none";
  return plain === undefined ? undefined : { type: "value", value: plain };
}

const LOOK_UP = /^os\.(?:getenv|environ\.get)\(/;
const INDEX = /^os\.environ\[\s*["'](\w+)["']\s*\]$/;

/** `os.getenv("X")`, `os.getenv("X", "default")`, `os.environ.get(…)`, `os.environ["X"]`. */
function toVariable({
  text,
  call,
}: Extract<Located, { readonly type: "python" }>): InputSource | undefined {
  const indexed = INDEX.exec(text)?.[1];
  if (indexed !== undefined) return { type: "variable", name: indexed, fallback: undefined };
  if (!call || !LOOK_UP.test(text)) return undefined;
  const [name, given] = call.args;
  const other = given ?? call.keywords.find(({ key }) => key === "default")?.value;
  const fallback = other && toJson(other);
  const isRead = other === undefined || fallback !== undefined;
  if (name?.type !== "scalar" || typeof name.value !== "string" || !isRead) return undefined;
  return { type: "variable", name: name.value, fallback: fallback ?? undefined };
}

/** A value without places; undefined where Python would have to be run. */
function toJson(value: Located): Json | undefined {
  switch (value.type) {
    case "scalar":
      return value.value;
    case "list": {
      const items = value.items.map(toJson);
      return items.every((item) => item !== undefined) ? items : undefined;
    }
    case "map": {
      const pairs = value.entries.map((entry) => [entry.key, toJson(entry.value)] as const);
      return pairs.every(([, item]) => item !== undefined) ? Object.fromEntries(pairs) : undefined;
    }
    case "python":
      return undefined;
    default:
      return value satisfies never;
  }
}
