// Whether the name of a model that was given on the command line can be one: said before a run is started and stored.

import { BosunError, isBosunError, messageOf } from "../error.ts";
import type { Env } from "../inference/model/http.ts";
import { similarTo } from "../orchestration/crew/similar.ts";
import { toEndpoint } from "../inference/model/preset.ts";

/**
 * Checks a name given with --model.
 * @param aliases those of the fleet, which win over every other meaning.
 * @throws BosunError `usage` for a name that is a slip of the hand, with what was meant; else what `toEndpoint` throws.
 */
export function checkModelName(name: string, env: Env, aliases: readonly string[] = []): void {
  if (name === EMBEDDED || aliases.includes(name)) return;
  if (name.trim() === "")
    throw wrong(name, "it is empty. Give a URL, as in http://localhost:8000/v1, or a name");
  if (LOCAL_HOST.test(name)) throw wrong(name, meant(name));
  const near = similarTo(name, [EMBEDDED, ...aliases]);
  if (near !== undefined) throw wrong(name, `did you mean ${near}?`);
  try {
    toEndpoint(name, env);
  } catch (error) {
    if (HOST.test(name)) throw wrong(name, meant(name));
    if (isBosunError(error)) throw error;
    throw new BosunError("usage", `--model ${name}: ${messageOf(error)}`, { cause: error });
  }
}

const EMBEDDED = "extractive";
/** No server's model is called so, whatever the environment names. */
const LOCAL_HOST = /^(?:localhost|\d+\.\d+\.\d+\.\d+)(?::\d+)?(?:\/.*)?$/i;
const HOST = /^[\w.-]+:\d{2,5}(?:\/.*)?$/;

function wrong(name: string, why: string): BosunError {
  return new BosunError("usage", `--model ${name === "" ? '""' : name}: ${why}`);
}

function meant(name: string): string {
  const [host = "", path = ""] = name.split(/\/(.*)/s);
  return `did you mean http://${host}/${path || "v1"}?`;
}
