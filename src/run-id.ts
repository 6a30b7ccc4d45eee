// The names of runs.

import { randomUUID } from "node:crypto";
import type { Clock } from "./clock.ts";
import { BosunError } from "./error.ts";

/** @throws BosunError `usage` for a name that cannot be one, or that is taken. */
export function checkRunId(id: string, isTaken: boolean): void {
  if (!/^[\w-]{1,64}$/.test(id)) {
    throw new BosunError("usage", `a run id is 1 to 64 letters, digits, _ or -, got "${id}"`);
  }
  if (isTaken) throw new BosunError("usage", `there is a run "${id}" already. Give another run id`);
}

/** Sorts by time and can be typed: 20261120-115640-3f9a0c27b1. */
export function newRunId(clock: Clock): string {
  const [date = "", time = ""] = new Date(clock.now()).toISOString().split("T");
  const random = randomUUID().replaceAll("-", "").slice(0, 10); // 40 bits; Node keeps a stock of them, unlike of random bytes
  return `${date.replaceAll("-", "")}-${time.slice(0, 8).replaceAll(":", "")}-${random}`;
}
