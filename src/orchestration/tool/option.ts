// Options that a tool does not have: refused, because one that is ignored in silence was meant to do something.

import { BosunError } from "../../error.ts";

/** @throws BosunError `tool/invalid` that names the unknown option and those that there are. */
export function checkOptions(where: string, options: object, known: readonly string[]): void {
  const unknown = Object.keys(options).find((key) => !known.includes(key));
  if (unknown === undefined) return;
  const expected =
    known.length === 0 ? "there are no options" : `the options are ${known.join(", ")}`;
  throw new BosunError(
    "tool/invalid",
    `${where}: unknown option ${JSON.stringify(unknown)}; ${expected}`,
  );
}
