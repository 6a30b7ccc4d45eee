// Faults of a crew's hooks, as a run's state has them.

import type { HookName } from "../crew/hook.ts";
import type { RunEvent } from "./event.ts";

/** A hook that did nothing but fail. */
export type HookFault = { readonly hook: HookName; readonly reason: string };

/** Most faults that are kept: a hook that is wrong is wrong at every call. */
const MAX_HOOK_FAULTS = 100;

/** The faults with one more, when the event tells of one. */
export function withFault(
  faults: readonly HookFault[],
  { hook, status, reason = "" }: Extract<RunEvent, { readonly type: "hook-end" }>,
): readonly HookFault[] {
  if (status !== "failed" || faults.length >= MAX_HOOK_FAULTS) return faults;
  return [...faults, { hook, reason }];
}
