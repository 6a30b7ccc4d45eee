// What a crew.py says without being run: its decorated methods in order with what they return, the names that it sets, and its
// Pydantic models as far as they are plain.

import type { Place } from "./place.ts";
import { createExpressionReader, type ExpressionReader } from "./python-expression.ts";
import { type Token, tokensOf } from "./python-token.ts";
import type { Source } from "./source.ts";
import type { Entry, Located } from "./value.ts";

/** A method with decorators. */
export type Method = {
  readonly name: string;
  /** Names without "@" and arguments. */
  readonly decorators: readonly string[];
  /** What it returns. */
  readonly result: Located | undefined;
  /** The first text given to one of its decorators. */
  readonly title: string | undefined;
  /** Its docstring. */
  readonly doc: string | undefined;
  /** What stands between the brackets behind its name. */
  readonly parameters: readonly Token[];
  /** Names that it sets. */
  readonly locals: ReadonlyMap<string, Located>;
  /** How often it returns. */
  readonly returns: number;
  readonly place: Place;
};

/** A class. */
export type PythonClass = {
  readonly name: string;
  readonly decorators: readonly string[];
  readonly bases: readonly string[];
  /** Its tokens, for whoever knows what kind of class it is. */
  readonly body: readonly Token[];
  /** Its attributes with a value, with or without a type. */
  readonly attributes: ReadonlyMap<string, Located>;
  readonly place: Place;
};

/** A file. */
export type PythonFile = {
  readonly file: string;
  /** In order of their first definition; of two with one name the later counts, as in Python. */
  readonly methods: readonly Method[];
  /** Functions and methods without decorators that return in one place. */
  readonly helpers: readonly Method[];
  readonly classes: readonly PythonClass[];
  /** Names set outside of functions; those of a class as `self.name`. */
  readonly names: ReadonlyMap<string, Located>;
  /** The first `inputs = { … }`, wherever it stands; else the first `inputs={ … }` of a call. */
  readonly inputs: readonly Entry[];
};

/** Reads a Python file. Never throws: what is not understood is not there. */
export function readPython(source: Source): PythonFile {
  const tokens = tokensOf(source);
  const read = createExpressionReader(source, tokens);
  const methods = new Map<string, Method>();
  const helpers = new Map<string, Method>();
  const classes: PythonClass[] = [];
  let decorators: string[] = [];
  let title: string | undefined;
  tokens.forEach((token, index) => {
    if (!token.isFirst) return;
    const name = tokens[index + 1];
    if (token.text === "@") {
      const decorator = decoratorAt(tokens, index + 1);
      decorators.push(decorator.name);
      title ??= decorator.title;
      return;
    }
    if (token.text === "def" || token.text === "async") {
      const method = methodAt({ tokens, read }, token.text === "async" ? index + 1 : index, {
        decorators,
        title,
      });
      if (method) (decorators.length > 0 ? methods : helpers).set(method.name, method);
    } else if (token.text === "class" && name) {
      const { place } = token;
      classes.push({ ...classAt({ tokens, read }, index), name: name.text, decorators, place });
    }
    [decorators, title] = [[], undefined];
  });
  const names = assignedIn({ tokens, read }, 0, tokens.length, namerOf(classes));
  return {
    file: source.file,
    methods: [...methods.values()],
    helpers: [...helpers.values()].filter(({ returns }) => returns === 1),
    classes,
    names,
    inputs: inputsIn({ tokens, read }),
  };
}

/** Names of the file stand at its left edge; those of a class are found as `self.name`. */
function namerOf(classes: readonly PythonClass[]): Namer {
  const own = new Set(
    classes.flatMap(({ body }) =>
      body.filter(({ isFirst, place }) => isFirst && place.column === body[0]?.place.column),
    ),
  );
  return (token) => {
    if (token.place.column === 1) return token.text;
    return own.has(token) ? `self.${token.text}` : undefined;
  };
}

function inputsIn({ tokens, read }: Code): readonly Entry[] {
  const sets = tokens.flatMap(({ text }, index) =>
    text === "inputs" && tokens[index + 1]?.text === "=" && tokens[index + 2]?.text === "{"
      ? [index]
      : [],
  );
  const at = sets.find((index) => tokens[index]?.isFirst) ?? sets[0];
  const value = at === undefined ? undefined : read(at + 2);
  return value?.type === "map" ? value.entries : [];
}

type Code = { readonly tokens: readonly Token[]; readonly read: ExpressionReader };

type Decorator = { readonly name: string; readonly title: string | undefined };

function decoratorAt(tokens: readonly Token[], from: number): Decorator {
  let at = from;
  while (tokens[at + 1]?.text === "." && tokens[at + 2]) at += 2;
  const title = tokens[at + 1]?.text === "(" ? tokens[at + 2]?.value : undefined;
  return { name: tokens[at]?.text ?? "", title };
}

/** What stands between the brackets of `def name(…)`; undefined when there is no such function among the tokens. */
export function parametersOf(tokens: readonly Token[], name: string): readonly Token[] | undefined {
  const at = tokens.findIndex(
    ({ text }, index) => text === "def" && tokens[index + 1]?.text === name,
  );
  if (at < 0 || tokens[at + 2]?.text !== "(") return undefined;
  let depth = 0;
  for (let index = at + 2; index < tokens.length; index++) {
    const { type, text } = tokens[index] ?? {};
    if (type === "mark" && text !== undefined && "([{".includes(text)) depth += 1;
    if (type === "mark" && text !== undefined && ")]}".includes(text)) depth -= 1;
    if (depth === 0) return tokens.slice(at + 3, index);
  }
  return undefined;
}

/** The index of the first statement behind a block that begins at `index`. */
function endOfBlock(tokens: readonly Token[], index: number): number {
  const column = tokens[index]?.place.column ?? 1;
  const end = tokens.findIndex(
    ({ isFirst, place }, at) => at > index && isFirst && place.column <= column,
  );
  return end < 0 ? tokens.length : end;
}

function methodAt(
  code: Code,
  def: number,
  decorated: Pick<Method, "decorators" | "title">,
): Method | undefined {
  const { tokens, read } = code;
  const name = tokens[def + 1];
  if (name?.type !== "name") return undefined;
  const begin = tokens[def]?.isFirst ? def : def - 1;
  const end = endOfBlock(tokens, begin);
  const locals = assignedIn(code, def, end, ({ text }) => text);
  let result: Located | undefined;
  let returns = 0;
  for (let index = def; index < end; index++)
    if (tokens[index]?.text === "return" && tokens[index]?.isFirst) {
      result = read(index + 1);
      returns += 1;
    }
  if (result?.type === "python" && locals.has(result.text)) result = locals.get(result.text);
  const own = tokens.slice(def, end);
  const doc = own.find(({ isFirst }, index) => isFirst && index > 0)?.value;
  const parameters = parametersOf(own, name.text) ?? [];
  const said = { doc, parameters, result, locals, returns };
  return { name: name.text, ...decorated, ...said, place: name.place };
}

/** The name that an assignment to this token sets; undefined for one that does not count. */
type Namer = (token: Token) => string | undefined;

function assignedIn(
  { tokens, read }: Code,
  from: number,
  to: number,
  nameOf: Namer,
): ReadonlyMap<string, Located> {
  const names = new Map<string, Located>();
  for (let index = from; index < to; index++) {
    const [token, next, after] = tokens.slice(index, index + 3);
    if (!token?.isFirst || token.type !== "name" || next?.text !== "=" || after?.text === "=")
      continue;
    const name = nameOf(token);
    const value = name === undefined ? undefined : read(index + 2);
    if (name !== undefined && value) names.set(name, value);
  }
  return names;
}

function classAt(
  { tokens, read }: Code,
  index: number,
): Pick<PythonClass, "bases" | "body" | "attributes"> {
  const end = endOfBlock(tokens, index);
  const colon = tokens.findIndex(({ text }, at) => at > index && text === ":");
  const bases = tokens.slice(index + 3, Math.max(colon, 0)).filter(({ type }) => type === "name");
  const body = tokens.slice(colon + 1, end);
  const attributes = new Map<string, Located>();
  for (let at = colon + 1; at < end; at++) {
    const token = tokens[at];
    if (!token?.isFirst || token.place.column !== body[0]?.place.column) continue;
    const equals = tokens.findIndex(
      ({ text, isFirst }, one) => one > at && (isFirst || text === "="),
    );
    const value = tokens[equals]?.text === "=" ? read(equals + 1) : undefined;
    if (value && token.type === "name") attributes.set(token.text, value);
  }
  return { bases: bases.map(({ text }) => text), body, attributes };
}
