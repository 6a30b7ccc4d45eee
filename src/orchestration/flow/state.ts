// The state that the steps of a flow share: what a step has made of its draft, and how that is laid over what others have made of it.
// Pure.

import { isDeepStrictEqual } from "node:util";
import { BosunError } from "../../error.ts";
import { isJson, isObject, type Json, type JsonObject } from "../../json.ts";
import { type Schema, validate } from "../../schema.ts";

/** What a step has changed: fields with their values, and fields that it has removed. Plain JSON. */
export type Changes = { readonly set: JsonObject; readonly removed: readonly string[] };

/** A field that another step has changed since this one began, to something else. */
export type Clash = {
  readonly field: string;
  readonly base: Json | undefined;
  readonly current: Json | undefined;
  readonly draft: Json | undefined;
};

/** @throws BosunError `flow/state` for a draft that is no JSON object. */
export function changesOf(where: string, base: JsonObject, draft: unknown): Changes {
  if (!isObject(draft) || !isJson(draft))
    throw new BosunError(
      "flow/state",
      `${where}: its state must be an object of JSON values: no functions, dates, maps or NaN`,
    );
  const set = Object.entries(draft).filter(
    ([field, value]) => value !== undefined && !isDeepStrictEqual(value, base[field]),
  );
  const removed = Object.keys(base).filter(
    (field) => base[field] !== undefined && draft[field] === undefined,
  );
  return { set: Object.fromEntries(set), removed };
}

export function fieldsOf({ set, removed }: Changes): readonly string[] {
  return [...Object.keys(set), ...removed];
}

/** The fields of `changes` that are not as they were when the step began, and not as it has made them either. */
export function clashesOf(
  changes: Changes,
  { base, current }: { readonly base: JsonObject; readonly current: JsonObject },
): readonly Clash[] {
  if (base === current) return [];
  return fieldsOf(changes).flatMap((field) => {
    const clash = { field, base: base[field], current: current[field], draft: changes.set[field] };
    const isSame =
      isDeepStrictEqual(clash.current, clash.base) || isDeepStrictEqual(clash.current, clash.draft);
    return isSame ? [] : [clash];
  });
}

/** The state with the changes. `settled` = values of fields that clashed. */
export function withChanges(
  current: JsonObject,
  { set, removed }: Changes,
  settled: JsonObject = {},
): JsonObject {
  if (Object.keys(set).length === 0 && removed.length === 0) return current;
  const gone = new Set(removed);
  const kept = Object.entries(current).filter(([field]) => !gone.has(field));
  const after = { ...Object.fromEntries(kept), ...set, ...settled };
  return Object.fromEntries(Object.entries(after).filter(([, value]) => value !== undefined));
}

/** @throws BosunError `flow/state` with what is wrong, each with its place. @returns what the schema makes of it. */
export async function checkState(
  where: string,
  schema: Schema | undefined,
  state: unknown,
): Promise<JsonObject> {
  const checked = schema === undefined ? undefined : await validate(schema, state);
  if (checked?.type === "invalid")
    throw new BosunError(
      "flow/state",
      `${where}: the state is not what its schema asks for: ${checked.issues.join("; ")}`,
      { details: { issues: [...checked.issues] } },
    );
  const value = checked === undefined ? state : checked.value;
  if (isObject(value) && isJson(value)) return value;
  throw new BosunError("flow/state", `${where}: the state must be an object of JSON values`);
}
