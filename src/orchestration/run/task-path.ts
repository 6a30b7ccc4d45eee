// Where in a run a path lies.

import type { Path } from "../../inference/model/model.ts";

/**
 * The task that a path lies in, as a run's state names it; undefined outside of every task. In a flow the name has the step and the crew
 * before it: `draft/report/write`.
 */
export function taskOf(path: Path): string | undefined {
  const place = path.findIndex((segment) => segment.startsWith("task:"));
  return place < 0 ? undefined : taskIn(path, nameIn(path[place] ?? "", "task:"));
}

/** A task of the crew whose run the path lies in, as a run's state names it. */
export function taskIn(path: Path, task: string): string {
  return [...crewPlace(path), task].join("/");
}

/** The step and the crew that a path lies in; empty for a crew's own run. */
export function crewPlace(path: Path): readonly string[] {
  const [step = "", crew = ""] = path;
  if (!step.startsWith("step:")) return [];
  return [
    step.slice("step:".length),
    ...(crew.startsWith("crew:") ? [crew.slice("crew:".length)] : []),
  ];
}

/** Without its kind, and without the number of its attempt. */
function nameIn(segment: string, kind: string): string {
  return segment.slice(kind.length).replace(/~\d+$/, "");
}
