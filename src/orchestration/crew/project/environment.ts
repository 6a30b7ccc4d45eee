// What a project's own .env and the environment above it say. Values may be keys: only names of models and addresses are ever shown.

import { statSync } from "node:fs";
import { join } from "node:path";
import { parseEnv } from "node:util";
import type { Env } from "../../../inference/model/http.ts";
import type { Noting, Place } from "./place.ts";
import { readSource } from "./source.ts";

/** The variables of a project. */
export type Environment = {
  /** Those that were given, over those of the project's .env. */
  readonly env: Env;
  /** The lines of the project's .env alone. */
  readonly own: Env;
  /** Where the project's .env sets a variable that counts; undefined for one that comes from elsewhere. */
  readonly placeOf: (name: string) => Place | undefined;
};

/**
 * Reads the project's .env, if there is one, below what is given.
 * @throws BosunError `crew/invalid` for a file that cannot be read.
 */
export function readEnvironment(root: string, given: Env): Environment {
  const isThere = statSync(join(root, ".env"), { throwIfNoEntry: false })?.isFile() ?? false;
  if (!isThere) return { env: given, own: {}, placeOf: () => undefined };
  const { file, text } = readSource(root, ".env");
  // What is Bosun's own stays with who runs it: a project does not move the store.
  const own = Object.fromEntries(
    Object.entries(parseEnv(text)).filter(([name]) => !name.startsWith("BOSUN_")),
  );
  const lines = text.split("\n");
  const lineOf = (name: string): number =>
    lines.findLastIndex((line) => new RegExp(`^\\s*(?:export\\s+)?${name}\\s*=`).test(line)) + 1;
  return {
    env: { ...own, ...given },
    own,
    placeOf: (name) =>
      own[name] === undefined || (given[name] !== undefined && given[name] !== own[name])
        ? undefined
        : { file, line: Math.max(1, lineOf(name)), column: 1 },
  };
}

/** In the order in which CrewAI looks. */
const MODEL_VARIABLES = ["MODEL", "MODEL_NAME", "OPENAI_MODEL_NAME"] as const;

/** The variable that names the model of agents which name none; undefined when there is none. */
export function modelVariable({
  env,
}: Environment): { readonly name: string; readonly model: string } | undefined {
  const name = MODEL_VARIABLES.find((one) => env[one]?.trim());
  return name && { name, model: env[name]?.trim() ?? "" };
}

const ADDRESSES = ["OPENAI_BASE_URL", "OPENAI_API_BASE"] as const;

/** Says where a project's .env sends calls, and whose key goes there. */
export function noteAddress({ env, placeOf }: Environment, note: Noting): void {
  const name = ADDRESSES.find((one) => env[one]);
  const place = name && placeOf(name);
  const url = URL.parse(env[name ?? ""] ?? "");
  if (!name || !place || !url) return;
  const isForeign = env["OPENAI_API_KEY"] !== undefined && placeOf("OPENAI_API_KEY") === undefined;
  const key = isForeign ? ", with your own OPENAI_API_KEY, which is not the project's" : "";
  note(
    place,
    name,
    isForeign ? "warning" : "note",
    `models without an address of their own are asked at ${url.host}${key}`,
  );
}
