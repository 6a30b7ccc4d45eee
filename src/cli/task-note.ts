// What a user must know about a task besides its status. Pure.

import type { TaskState } from "../orchestration/run/state.ts";

/** Who stood in for the task, and that its answer was cut; empty when there is nothing to say. */
export function taskNotes({
  standIn,
  finish,
  delegations = 0,
  delegationFailures = 0,
}: Partial<
  Pick<TaskState, "standIn" | "finish" | "delegations" | "delegationFailures">
>): readonly string[] {
  return [
    ...(delegationFailures === 0
      ? []
      : [`${delegationFailures} of ${delegations} delegations failed`]),
    ...(standIn === undefined ? [] : [`stood in: ${standIn}`]),
    ...(finish === "length" ? ["cut at maxTokens"] : []),
  ];
}
