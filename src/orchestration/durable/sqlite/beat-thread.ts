// The thread that beats: says again and again that its process lives.

import { DatabaseSync } from "node:sqlite";
import { workerData } from "node:worker_threads";
import { systemClock } from "../../../clock.ts";
import type { Beating } from "./lease.ts";

const { path, id, everyMs } = workerData as Beating; // `as`: lease.ts gives it

const database = new DatabaseSync(path, { timeout: everyMs });
const beat = database.prepare("UPDATE owners SET beat_at = ? WHERE id = ?");

const timer = systemClock.timer(0, () => {
  try {
    beat.run(systemClock.now(), id);
  } catch {
    // another process holds the file, or the disk is full: the next beat tries again, and the lease says for how long
  }
  timer.restart(everyMs);
});
