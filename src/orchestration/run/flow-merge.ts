// What a step has made of the state, laid over what others have made of it meanwhile (W1 of flow.ts).

import { BosunError } from "../../error.ts";
import { type Json, type JsonObject, ownValue } from "../../json.ts";
import type { Durable } from "../durable/durable.ts";
import { type Changes, checkState, clashesOf, copyOf, withChanges } from "../flow/state.ts";
import type { FlowRun } from "./flow-world.ts";

/** A call that has ended. */
export type Merging = {
  readonly run: FlowRun;
  readonly step: string;
  /** Of its path. */
  readonly segment: string;
  /** The state when it began, and the state now. */
  readonly base: JsonObject;
  readonly current: JsonObject;
  readonly changes: Changes;
  /** Whether another call has changed the field since it began. */
  readonly isChanged: (field: string) => boolean;
};

/** The state with the changes (W1). @throws BosunError `flow/conflict`, `flow/state`. */
export async function mergeChanges(d: Durable, merging: Merging): Promise<JsonObject> {
  const { run, current, base, changes, step, segment, isChanged } = merging;
  const { options, name } = run.flow;
  const where = `flow "${name}", step "${step}"`;
  const settled: Record<string, Json | undefined> = {};
  const clashes = clashesOf(changes, { base, current }, isChanged);
  for (const clash of clashes) {
    const { field } = clash;
    const { onConflict, reducers = {} } = options;
    const reduce = ownValue(reducers, field);
    // Copies: they are the flow's own state.
    const now = copyOf(clash.current);
    const mine = copyOf(clash.draft);
    const before = copyOf(clash.base);
    if (reduce) settled[field] = structuredClone(reduce(now, mine, before));
    else if (onConflict)
      settled[field] = await d.step(`conflict:${segment}:${field}`, async () =>
        structuredClone(await onConflict({ step, field, current: now, draft: mine, base: before })),
      );
    else {
      const { current: kept, draft } = clash;
      throw new BosunError(
        "flow/conflict",
        `${where}: "${field}" of the state was changed by another step that ran at the same time. Give it a reducer or the flow an onConflict, and fork the run: what its steps came to is kept`,
        { details: { step, field, current: kept ?? null, draft: draft ?? null } },
      );
    }
  }
  const after = withChanges(current, changes, settled);
  // Without a schema and a clash both halves are JSON already, and so is what they make.
  const isNew = options.state !== undefined || clashes.length > 0;
  if (isNew && current !== base && after !== current)
    await d.local(() => checkState(where, options.state, after));
  return after;
}
