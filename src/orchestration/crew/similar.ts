// What somebody meant who wrote a name that is not known.

import { nearestName, plainName } from "../../inference/fleet/near.ts";
import { ownValue } from "../../json.ts";

/** CrewAI's names that are another word here. */
const MEANT: Readonly<Record<string, string>> = {
  llm: "model",
  maxiter: "maxIterations",
  maxexecutiontime: "timeoutMs",
  outputpydantic: "output",
  outputjson: "output",
  asyncexecution: "async",
  guardrails: "guardrail",
  managerllm: "managerModel",
  manageragent: "manager",
  planningllm: "planningModel",
  maxretrylimit: "retries",
  guardrailmaxretries: "guardrailRetries",
  condition: "when",
};

/** The known name that somebody meant, by CrewAI's words, by case, or by a letter or two. */
export function similarTo(name: string, known: readonly string[]): string | undefined {
  const meant = ownValue(MEANT, plainName(name));
  return meant !== undefined && known.includes(meant) ? meant : nearestName(name, known);
}
