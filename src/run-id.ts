// The names of runs.

import { randomBytes } from "node:crypto";
import type { Clock } from "./clock.ts";
import { BosunError } from "./error.ts";

/** @throws BosunError `usage` for a name that cannot be one, or that is taken. */
export function checkRunId(id: string, isTaken: boolean): void {
  if (!/^[\w-]{1,64}$/.test(id)) {
    throw new BosunError("usage", `a run id is 1 to 64 letters, digits, _ or -, got "${id}"`);
  }
  if (isTaken) throw new BosunError("usage", `there is a run "${id}" already. Give another run id`);
}

/** Sorts by time and can be typed: 20261120-115640-k3f9a0x2. */
export function newRunId(clock: Clock): string {
  const [date = "", time = ""] = new Date(clock.now()).toISOString().split("T");
  const random = randomBytes(8).readBigUInt64BE().toString(36).padStart(13, "0").slice(-10);
  return `${date.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}-${random}`;
}
