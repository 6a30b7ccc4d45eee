// Where in a run a path lies.

import type { Path } from "../../inference/model/model.ts";

/** The task that a path lies in; undefined for the run itself. */
export function taskOf(path: Path): string | undefined {
  const [first = ""] = path;
  return first.startsWith("task:") ? first.slice("task:".length).replace(/~\d+$/, "") : undefined;
}
