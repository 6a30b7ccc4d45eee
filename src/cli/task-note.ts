// What a user must know about a task besides its status. Pure.

import type { TaskState } from "../orchestration/run/state.ts";

/** Who stood in for the task, and that its answer was cut; empty when there is nothing to say. */
export function taskNotes({
  standIn,
  finish,
}: Partial<Pick<TaskState, "standIn" | "finish">>): readonly string[] {
  return [
    ...(standIn === undefined ? [] : [`stood in: ${standIn}`]),
    ...(finish === "length" ? ["cut at maxTokens"] : []),
  ];
}
