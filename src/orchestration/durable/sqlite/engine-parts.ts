// What the parts of an sqlite engine share.

import type { Blobs } from "../../../blob.ts";
import type { Clock } from "../../../clock.ts";
import type { Json } from "../../../json.ts";
import type { Sqlite } from "../../../sqlite.ts";
import type { Flow } from "../durable.ts";
import type { JournalProbe } from "../engine.ts";
import type { DueTable } from "./due-table.ts";
import type { Lease } from "./lease.ts";
import type { QueueTable } from "./queue-table.ts";
import type { RunTable } from "./run-table.ts";
import type { SignalTable } from "./signal-table.ts";
import type { StepTable } from "./step-table.ts";
import type { Stored } from "./value.ts";
import type { Writer } from "./writer.ts";

export type EngineParts = {
  readonly clock: Clock;
  readonly sqlite: Sqlite;
  readonly writer: Writer;
  readonly lease: Lease;
  readonly runs: RunTable;
  readonly due: DueTable;
  readonly steps: StepTable;
  readonly signals: SignalTable;
  readonly queues: QueueTable;
  readonly blobs: Blobs;
  readonly maxStepMs: number;
  readonly probe: JournalProbe | undefined;
  readonly checkReplay: boolean;
  /** Notes that a run needs a blob; within a transaction. */
  readonly noteBlob: (run: number, stored: Stored) => void;
  /** The flow of that name and version, where this process knows it. */
  readonly flowOf: (name: string, version: string) => Flow<Json, Json> | undefined;
};
