// The version of this installation.

import { readFileSync } from "node:fs";
import { isObject, parseJson } from "../json.ts";

/** As package.json has it. */
export function bosunVersion(): string {
  // src/cli and dist/cli lie equally deep under the package's root.
  const manifest = parseJson(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const version = isObject(manifest) ? manifest["version"] : undefined;
  return typeof version === "string" ? version : "unknown";
}
