// What the parts of a Restate engine share.

import type { Blobs } from "../../../blob.ts";
import type { Clock } from "../../../clock.ts";
import type { BosunError } from "../../../error.ts";
import type { Json } from "../../../json.ts";
import type { Flow } from "../durable.ts";
import type { ExecuteOptions, JournalProbe } from "../engine.ts";
import type { Http } from "./http.ts";
import type { RestateSdk } from "./sdk.ts";

export type EngineParts = {
  readonly sdk: RestateSdk;
  readonly http: Http;
  readonly clock: Clock;
  readonly blobs: Blobs;
  readonly maxStepMs: number;
  /** How long a run only waits before the server sends it to sleep. */
  readonly inactivityMs: number | undefined;
  /** How long the server keeps what an ended run came to. */
  readonly keepMs: number;
  readonly probe: JournalProbe | undefined;
  /** By name@version. */
  readonly flows: Map<string, Flow<Json, Json>>;
  /** What this process executes now, by run id. */
  readonly executions: Map<string, Executing>;
  /** What this process's callers asked of runs. */
  readonly locals: Map<string, LocalOptions>;
  /** Told of each run that this process stops executing without its end. */
  readonly onSuspend: (runId: string, reason: BosunError) => void;
  /** Why this process does not execute the run; undefined when it does. */
  readonly refusal: (runId: string) => BosunError | undefined;
};

/** An execution in this process. */
export type Executing = {
  readonly service: string;
  readonly phase: "queued" | "waiting" | "running" | "interrupted";
  readonly journal: { readonly isIdle: boolean; readonly answered: Set<string> };
  /** Nothing more begins; what is under way may still end. */
  stop(reason: BosunError): void;
  /** Ends what this process does of it. The run goes on elsewhere. */
  abandon(reason: BosunError): void;
  /** Another execution has begun in this process. */
  forget(reason: BosunError): void;
};

/** Options that are functions, or mean this process. */
export type LocalOptions = Pick<ExecuteOptions, "onSuspend" | "prepare" | "settle">;

/** Most bytes of a value in the journal; larger ones are blobs. */
export const MAX_VALUE_BYTES: number = 1_048_576;
