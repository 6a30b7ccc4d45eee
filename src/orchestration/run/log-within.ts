// The log of a crew's run inside a flow's: the same log, seen from one place.

import type { Path } from "../../inference/model/model.ts";
import type { RunEvent, RunFact } from "./event.ts";
import type { RunLog } from "./run-log.ts";
import { applyEvents, EMPTY_RUN, type RunState } from "./state.ts";

/** @param facts All that the log has. */
export function logWithin(log: RunLog, place: Path, facts: () => readonly RunEvent[]): RunLog {
  const whole = (path: Path): Path => [...place, ...path];
  return {
    runId: log.runId,
    place,
    replayed: log.replayed,
    get state() {
      return stateWithin(place, facts());
    },
    emit: (path, fact, attempt) => log.emit(whole(path), toOuter(fact), attempt),
    isRead: () => log.isRead(),
    delta: (path, delta) => log.delta(whole(path), delta),
    read: (fromSeq, signal) => log.read(fromSeq, signal),
    flushed: () => log.flushed(),
    within: (inner) => logWithin(log, whole(inner), facts),
    close: (reason) => log.close(reason),
  };
}

/** A crew's own beginning and end are not the run's. */
function toOuter(fact: RunFact): RunFact {
  if (fact.type === "run-start") return { ...fact, type: "crew-start" };
  return fact.type === "run-end" ? { ...fact, type: "crew-end" } : fact;
}

/** What the facts of one place tell, as if they were a run's own. Each is folded once, also when an earlier execution has stored it. */
function stateWithin(place: Path, facts: readonly RunEvent[]): RunState {
  const own = facts.filter(({ path }) => place.every((segment, index) => path[index] === segment));
  const inner = own.map((event, index): RunEvent => {
    const moved = { path: event.path.slice(place.length), seq: index + 1, replayed: false };
    if (event.type === "crew-start") return { ...event, ...moved, type: "run-start" };
    return event.type === "crew-end"
      ? { ...event, ...moved, type: "run-end" }
      : { ...event, ...moved };
  });
  return applyEvents(EMPTY_RUN, inner);
}
