// The texts of tasks that did not end well, so that what was paid for is seen. Pure.

import type { RunState } from "../orchestration/run/state.ts";
import { count } from "./number.ts";
import { type Paint, plain } from "./paint.ts";
import { oneLine, printable } from "./width.ts";

/** Most characters that are shown of one text; all of it is in the store. */
const MAX_SHOWN = 4_000;

/** The partial texts of a run, each under its task's name; nothing for a run that is done. */
export function unfinishedLines(state: RunState, paint: Paint = plain): readonly string[] {
  const cut = Object.values(state.tasks).filter(
    ({ status, raw }) => status !== "done" && raw.trim() !== "",
  );
  return cut.flatMap(({ name, status, raw }) => {
    const text = printable(raw);
    const left = text.length - MAX_SHOWN;
    return [
      paint("yellow", `Text of the task ${oneLine(name)}, which is ${status}:`),
      ...text.slice(0, MAX_SHOWN).split("\n"),
      ...(left > 0 ? [paint("dim", `… ${count(left)} more characters`)] : []),
      "",
    ];
  });
}
