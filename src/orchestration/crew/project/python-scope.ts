// What names mean in a project's Python files, as far as it can be read without running them.

import type { Method, PythonClass, PythonFile } from "./python-file.ts";
import type { Located } from "./value.ts";

/** The names of a project. */
export type PythonScope = {
  readonly file: PythonFile | undefined;
  /** What a name or a call of an own method stands for; the value itself when that is not known. */
  resolve(value: Located): Located;
  /** The method with this name that has this decorator. */
  method(name: string, decorator: string): Method | undefined;
  classNamed(name: string): PythonClass | undefined;
};

/** Names that stand for names that stand for names. */
const MAX_STEPS = 4;

/** The scope of a file; of none, every value is itself. */
export function createScope(file: PythonFile | undefined): PythonScope {
  const methods = new Map((file?.methods ?? []).map((method) => [method.name, method]));
  const helpers = new Map((file?.helpers ?? []).map((method) => [method.name, method]));
  const step = (value: Located): Located => {
    if (value.type !== "python") return value;
    const called = selfCallOf(value);
    const method = called === undefined ? undefined : (methods.get(called) ?? helpers.get(called));
    // Agents and tasks are referred to by the names of their methods: those stay.
    const isReference = method?.decorators.some((name) => name === "agent" || name === "task");
    const found = isReference ? undefined : (method?.result ?? file?.names.get(value.text));
    return found ?? value;
  };
  return {
    file,
    resolve(value) {
      let found = value;
      for (let count = 0; count < MAX_STEPS; count++) found = step(found);
      return found;
    },
    method(name, decorator) {
      const method = methods.get(name);
      return method?.decorators.includes(decorator) ? method : undefined;
    },
    classNamed: (name) => file?.classes.find((one) => one.name === name),
  };
}

/** `name` of `self.name()`. */
export function selfCallOf(value: Located): string | undefined {
  return value.type === "python" ? /^self\.(\w+)\(\s*\)$/.exec(value.text)?.[1] : undefined;
}
