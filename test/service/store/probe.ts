// Folders and events for the tests of the store.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach } from "vitest";
import type { RunEvent, RunFact } from "../../../src/orchestration/run/event.ts";
import type { Store } from "../../../src/service/store/store.ts";

const folders: string[] = [];
/** A new folder, removed after the test. */
export const folder = (): string => {
  const made = mkdtempSync(join(tmpdir(), "bosun-store-"));
  folders.push(made);
  return made;
};
afterEach(() => {
  for (const made of folders.splice(0)) rmSync(made, { recursive: true, force: true });
});

export const START: Extract<RunFact, { type: "run-start" }> = {
  type: "run-start",
  crew: "report",
  process: "sequential",
  inputs: {},
  tasks: [],
  width: 1,
};
export const END: Extract<RunFact, { type: "run-end" }> = {
  type: "run-end",
  status: "done",
  raw: "",
};
export const eventOf = (runId: string, seq: number, fact: RunFact): RunEvent => ({
  ...fact,
  runId,
  path: [],
  attempt: 1,
  n: 0,
  seq,
  at: 1_000 + seq,
  replayed: false,
});

/** Records and waits until it is kept. */
export const keep = (store: Store, event: RunEvent): Promise<void> =>
  new Promise((resolve, reject) =>
    store.record(event, (error) => (error ? reject(error) : resolve())),
  );
