// A file that may change while a program runs: looked at when it is needed, at most once in a while.
//
// Not fs.watch: editors and Kubernetes put a new file in the old one's place, which a watch of the old one never sees, and a watch or
// a timer would keep a program alive that has nothing else to do. A look is one stat, some microseconds.

import { readFileSync, statSync } from "node:fs";
import type { Clock } from "../../clock.ts";
import { BosunError, messageOf } from "../../error.ts";

/** A file under observation. */
export interface FileVersion {
  /** Its text when it is another than at the last call, undefined when it is not. @throws BosunError `config/invalid`, once for each way in which it cannot be read. */
  changed(): string | undefined;
}

/** How long a change may stay unseen. */
export const LOOK_MS = 1_000;
/** Most bytes that are read. */
const MAX_BYTES = 1_048_576;

export function createFileVersion(path: string, clock: Clock): FileVersion {
  let lookedAt: number | undefined;
  let known: string | undefined;
  return {
    changed() {
      const now = clock.now();
      if (lookedAt !== undefined && now - lookedAt < LOOK_MS) return undefined;
      lookedAt = now;
      const before = known;
      try {
        const { mtimeMs, size, ino } = statSync(path);
        known = `${mtimeMs} ${size} ${ino}`;
        if (known === before) return undefined;
        if (size > MAX_BYTES) throw new Error(`it is over ${MAX_BYTES} bytes`);
        return readFileSync(path, "utf8");
      } catch (cause) {
        const why = messageOf(cause);
        if (before === why) return undefined;
        known = why;
        throw new BosunError("config/invalid", `${path} cannot be read: ${why}`, { cause });
      }
    },
  };
}
