// When a step runs: an event, or a tree of `or` and `and` over events. Plain data; firing.ts decides by it.

import { BosunError } from "../../error.ts";

/** The name of a step or of a router's label, or a tree over such names. */
export type Trigger<Name extends string = string> = Name | AnyOf<Name> | AllOf<Name>;

/** What `or` makes. */
export type AnyOf<Name extends string = string> = {
  readonly type: "or";
  readonly of: readonly Trigger<Name>[];
};

/** What `and` makes. */
export type AllOf<Name extends string = string> = {
  readonly type: "and";
  readonly of: readonly Trigger<Name>[];
};

/** Most `or` and `and` inside each other. */
const MAX_DEPTH = 20;

/** Runs the step on the first of these that happens; the others are not cancelled, and each of them counts once without running it again. */
export function or<const Name extends string>(...of: readonly Trigger<Name>[]): AnyOf<Name> {
  return { type: "or", of };
}

/** Runs the step when each of these has happened since it last ran so. */
export function and<const Name extends string>(...of: readonly Trigger<Name>[]): AllOf<Name> {
  return { type: "and", of };
}

/** Every name in the tree, once. */
export function namesIn(trigger: Trigger): readonly string[] {
  return typeof trigger === "string" ? [trigger] : [...new Set(trigger.of.flatMap(namesIn))];
}

/** Whether the tree has an `or`. */
export function hasOr(trigger: Trigger): boolean {
  return typeof trigger !== "string" && (trigger.type === "or" || trigger.of.some(hasOr));
}

/** The tree as its user would write it. */
export function showTrigger(trigger: Trigger): string {
  if (typeof trigger === "string") return trigger;
  return `${trigger.type}(${trigger.of.map(showTrigger).join(", ")})`;
}

/** @throws BosunError `flow/invalid` for what is no tree of names. */
export function checkTrigger(where: string, trigger: unknown, depth = 0): void {
  if (typeof trigger === "string" && trigger !== "") return;
  const isTree =
    typeof trigger === "object" && trigger !== null && "of" in trigger && "type" in trigger;
  const isNode = isTree && (trigger.type === "or" || trigger.type === "and");
  if (!isNode || !Array.isArray(trigger.of) || trigger.of.length === 0 || depth >= MAX_DEPTH)
    throw new BosunError(
      "flow/invalid",
      `${where}: what it listens to must be a name, or(…) or and(…) of one name or more, at most ${MAX_DEPTH} deep`,
    );
  for (const one of trigger.of) checkTrigger(where, one, depth + 1);
}
