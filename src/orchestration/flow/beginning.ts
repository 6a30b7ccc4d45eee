// The state that a run of a flow begins with: the kickoff's inputs over the flow's own, as the schema lets them through.

import { BosunError } from "../../error.ts";
import type { Json, JsonObject } from "../../json.ts";
import { similarTo } from "../crew/similar.ts";
import { fieldTypesOf, isOfType, showTypes, typeOfJson } from "./field.ts";
import type { Flow } from "./flow.ts";
import { checkState, copyOf } from "./state.ts";

/**
 * A state of its own: handlers get the inputs too.
 * @throws BosunError `flow/state` for what the schema refuses, `flow/input` for an input that is likely to be a field's, written wrongly,
 *   and for one of another type than `initial` has there, where no schema says what is right.
 */
export async function beginningOf(flow: Flow, inputs: JsonObject): Promise<JsonObject> {
  const { initial = {}, state } = flow.options;
  const given = givenOf(inputs);
  const where = `flow "${flow.name}"`;
  if (state === undefined) {
    checkTypes(where, initial, given);
    await checkNames(flow, given, initial);
  }
  const begun = await checkState(where, state, { ...initial, ...given }).catch(
    async (error: unknown) => {
      await checkNames(flow, given, {}, error); // a schema that misses a field says less than the name that was meant
      throw error;
    },
  );
  if (state !== undefined) await checkNames(flow, given, begun);
  return copyOf(begun);
}

/** An input that is undefined is not given. */
function givenOf(inputs: JsonObject): JsonObject {
  const entries = Object.entries(inputs);
  if (!entries.some(([, value]) => value === undefined)) return inputs;
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

function checkTypes(where: string, initial: JsonObject, given: JsonObject): void {
  for (const [name, value = null] of Object.entries(given)) {
    const own: Json | undefined = Object.hasOwn(initial, name) ? initial[name] : undefined;
    if (own === undefined || own === null) continue;
    const types = [typeOfJson(own)];
    if (isOfType(value, types)) continue;
    throw new BosunError(
      "flow/input",
      `${where}: the input "${name}" is ${showTypes([typeOfJson(value)])}, and its initial state has ${showTypes(types)} there`,
    );
  }
}

/** Names that are not in `taken` and much like a field's: a slip of the hand would run with what the state begins with, and be paid for. */
async function checkNames(
  flow: Flow,
  given: JsonObject,
  taken: JsonObject,
  cause?: unknown,
): Promise<void> {
  const unknown = Object.keys(given).filter((name) => !Object.hasOwn(taken, name));
  if (unknown.length === 0) return;
  const fields = [...new Set([...(await fieldTypesOf(flow)).keys(), ...Object.keys(taken)])];
  for (const name of unknown) {
    if (fields.includes(name)) continue;
    const open = fields.filter((field) => !Object.hasOwn(given, field));
    const meant = similarTo(name, open);
    if (meant === undefined) continue;
    throw new BosunError(
      "flow/input",
      `flow "${flow.name}": its state has no field "${name}": did you mean "${meant}"? Its fields: ${fields.join(", ")}`,
      cause === undefined ? {} : { cause },
    );
  }
}
