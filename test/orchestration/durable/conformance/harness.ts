// What the conformance suite asks of an engine under test: how to make a place for its journal, and how to open it there.
//
// A place is where a journal lies: a data folder, a server. It is plain data, so that a child process can be told it.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openBlobs } from "../../../../src/blob.ts";
import type { Clock } from "../../../../src/clock.ts";
import type { DurableEngine, JournalProbe } from "../../../../src/orchestration/durable/engine.ts";
import { createRestateEngine } from "../../../../src/orchestration/durable/restate/engine.ts";
import { openSqliteEngine } from "../../../../src/orchestration/durable/sqlite/engine.ts";
import { startRestate } from "../restate/server.ts";

/** Where the journal lies. */
export type Place =
  | { readonly engine: "sqlite"; readonly folder: string }
  | {
      readonly engine: "restate";
      readonly folder: string;
      readonly ingressUrl: string;
      readonly adminUrl: string;
    };

/** How an engine is opened. */
export type OpenOptions = {
  readonly clock: Clock;
  readonly probe?: JournalProbe | undefined;
  readonly maxStepMs?: number | undefined;
  readonly checkReplay?: boolean | undefined;
  /** It only starts runs, which others execute. */
  readonly isClient?: boolean | undefined;
};

/** An engine under test. */
export type EngineKind = {
  readonly name: Place["engine"];
  /** Whether it can be opened on a clock other than the system's. */
  readonly takesClock: boolean;
  /** Whether it can execute a run once more from its journal and compare (`checkReplay`). */
  readonly checksReplay: boolean;
  /** Whether a process that stands still loses its runs to others after LEASE_MS. */
  readonly hasLeases: boolean;
  place(): Promise<Place & AsyncDisposable>;
  /** The same for tests whose runs and queues have names that others have too. Default: `place`. */
  ownPlace?(): Promise<Place & AsyncDisposable>;
  open(place: Place, options: OpenOptions): Promise<DurableEngine>;
};

/** How long a process may stand still before another one takes its runs, and how often each looks for news. */
export const LEASE_MS = 1_000;
const POLL_MS = 20;

const sqlite: EngineKind = {
  name: "sqlite",
  takesClock: true,
  checksReplay: true,
  hasLeases: true,
  async place() {
    const folder = await mkdtemp(join(tmpdir(), "bosun-conformance-"));
    return {
      engine: "sqlite",
      folder,
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };
  },
  open: async ({ folder }, { clock, probe, maxStepMs, checkReplay }) =>
    openSqliteEngine(folder, {
      clock,
      leaseMs: LEASE_MS,
      pollMs: POLL_MS,
      ...(probe && { probe }),
      ...(maxStepMs !== undefined && { maxStepMs }),
      ...(checkReplay && { checkReplay }),
    }),
};

/** One server for all places of a test process. */
let server: ReturnType<typeof startRestate> | undefined;

/** Ends what tests of this process share. */
export async function stopShared(): Promise<void> {
  const stopped = server;
  server = undefined;
  await (await stopped)?.stop();
}

const restate: EngineKind = {
  name: "restate",
  takesClock: false,
  hasLeases: false,
  checksReplay: false,
  async place() {
    const { ingressUrl, adminUrl } = await (server ??= startRestate());
    const folder = await mkdtemp(join(tmpdir(), "bosun-conformance-"));
    return {
      engine: "restate",
      folder,
      ingressUrl,
      adminUrl,
      [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
    };
  },
  async ownPlace() {
    const own = await startRestate();
    const { ingressUrl, adminUrl } = own;
    const folder = await mkdtemp(join(tmpdir(), "bosun-conformance-"));
    const end = async (): Promise<void> => {
      await own.stop();
      await rm(folder, { recursive: true, force: true });
    };
    return { engine: "restate", folder, ingressUrl, adminUrl, [Symbol.asyncDispose]: end };
  },
  async open(place, { clock, probe, maxStepMs, isClient = false }) {
    if (place.engine !== "restate") throw new Error(`${place.engine} is no place of a server`);
    const { ingressUrl, adminUrl, folder } = place;
    return createRestateEngine({
      ingressUrl,
      adminUrl,
      clock,
      isWorker: !isClient,
      pollMs: 50,
      blobs: openBlobs(folder),
      ...(probe && { probe }),
      ...(maxStepMs !== undefined && { maxStepMs }),
    });
  },
};

/** ENGINE=sqlite or ENGINE=restate takes one of them. */
export const ENGINES: readonly EngineKind[] = [sqlite, restate].filter(
  ({ name }) => (process.env["ENGINE"] ?? name) === name,
);

/** The engine of a place that a child process was told. */
export function kindOf(place: Place): EngineKind {
  const kind = ENGINES.find(({ name }) => name === place.engine);
  if (!kind) throw new Error(`no engine ${place.engine}`);
  return kind;
}
