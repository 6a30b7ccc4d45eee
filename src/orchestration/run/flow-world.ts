// What the bodies of flows reach besides their JSON inputs. The composition root makes it.

import type { Clock } from "../../clock.ts";
import type { BosunError } from "../../error.ts";
import type { JsonObject } from "../../json.ts";
import type { Path } from "../../inference/model/model.ts";
import type { Crew } from "../crew/crew.ts";
import type { Flow as DurableFlow } from "../durable/durable.ts";
import type { Flow } from "../flow/flow.ts";
import type { CrewInput } from "./crew.ts";
import type { RunFact } from "./event.ts";
import type { RunLog } from "./log.ts";
import type { Outcome } from "./progress.ts";
import type { RunContext } from "./world.ts";

/** What belongs to one run of a flow and is not JSON. */
export type FlowRun = {
  readonly flow: Flow;
  readonly inputs: JsonObject;
  readonly log: RunLog;
  /** See RunContext. */
  readonly asked: Set<string>;
  readonly noteFailure: (error: BosunError) => void;
};

/** A crew's run inside a flow. */
export type CrewCall = {
  readonly crew: Crew;
  readonly inputs: JsonObject;
  /** Of the crew's run: what its context is found by. */
  readonly runId: string;
  /** Of the flow's. */
  readonly rootId: string;
  readonly place: Path;
};

/** A crew's inputs once its hook has seen them. Plain JSON. */
export type CrewBeginning = {
  readonly inputs: JsonObject;
  readonly hookFacts: readonly RunFact[];
};

export type FlowWorld = {
  readonly clock: Clock;
  /** @throws when no such run is bound: a mistake of the program, not of the user. */
  readonly flowRunOf: (rootId: string) => FlowRun;
  readonly crewFlow: DurableFlow<CrewInput, Outcome>;
  /** Calls the crew's hook: once in a run. @throws BosunError as the crew's kickoff would. */
  begin(call: CrewCall, signal: AbortSignal): Promise<CrewBeginning>;
  /** Binds the crew's run: in each execution. @throws BosunError as the crew's kickoff would. */
  enter(call: CrewCall, beginning: CrewBeginning): Promise<RunContext>;
  /** The crew's run is over here. */
  leave(call: CrewCall, context: RunContext): void;
};
