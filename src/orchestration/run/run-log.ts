// What bodies, readers and reports have of a run's log. log.ts has its rules.

import type { BosunError } from "../../error.ts";
import type { Path } from "../../inference/model/model.ts";
import type { RunDelta, RunEvent, RunFact } from "./event.ts";
import type { RunState } from "./state.ts";

export interface RunLog {
  readonly runId: string;
  /** Where in the run it stands: before each path. Empty for the run itself. */
  readonly place: Path;
  /** How many facts earlier executions stored: they come first. */
  readonly replayed: number;
  /** The fold of all facts so far. */
  readonly state: RunState;
  emit(path: Path, fact: RunFact, attempt?: number): void;
  /** Whether somebody reads now. */
  isRead(): boolean;
  /** A piece of an answer. Costs nothing when nobody reads. */
  delta(path: Path, delta: Pick<RunDelta, "agent" | "channel" | "text">): void;
  /** Facts after `fromSeq`, then live ones with deltas, until run-end. Leaving the loop only detaches. */
  read(fromSeq: number, signal: AbortSignal): AsyncGenerator<RunEvent>;
  /** Resolves when every fact so far is kept. @throws BosunError `store/failed`. */
  flushed(): Promise<void>;
  /** The log of a crew's run inside this one: its events have this place before their paths, its state is what they tell. */
  within(place: Path): RunLog;
  /** The run stops here without an end: nothing more is accepted, and readers throw the reason once they have read all. */
  close(reason: BosunError): void;
}
