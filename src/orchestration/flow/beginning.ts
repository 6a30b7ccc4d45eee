// The state that a run of a flow begins with: the kickoff's inputs over the flow's own, as the schema lets them through.

import type { JsonObject } from "../../json.ts";
import type { Flow } from "./flow.ts";
import { checkState, copyOf } from "./state.ts";

/** A state of its own: handlers get the inputs too. @throws BosunError `flow/state`. */
export async function beginningOf(flow: Flow, inputs: JsonObject): Promise<JsonObject> {
  const { initial, state } = flow.options;
  return copyOf(await checkState(`flow "${flow.name}"`, state, { ...initial, ...inputs }));
}
