// What a user must know about a task besides its status. Pure.

import { share } from "./number.ts";
import { unreadOf } from "../orchestration/run/input-read.ts";
import type { TaskState } from "../orchestration/run/state.ts";

/** Who stood in for the task, that its answer was cut, and what it has not read; empty when there is nothing to say. */
export function taskNotes({
  standIn,
  finish,
  delegations = 0,
  delegationFailures = 0,
  inputs = {},
}: Partial<
  Pick<TaskState, "standIn" | "finish" | "delegations" | "delegationFailures" | "inputs">
>): readonly string[] {
  return [
    ...(delegationFailures === 0
      ? []
      : [`${delegationFailures} of ${delegations} delegations failed`]),
    ...(standIn === undefined ? [] : [`stood in: ${standIn}`]),
    ...(finish === "length" ? ["cut at maxTokens"] : []),
    ...unreadOf(inputs).map(
      ({ input, tokens, readTokens }) => `${share(readTokens, tokens)} of the input ${input} read`,
    ),
  ];
}
