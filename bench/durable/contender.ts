// What is measured: engines that keep what steps come to. Each does the same runs, in a process of its own.

import { existsSync } from "node:fs";
import type { Place } from "./place.ts";

/** Steps of a run: in a row, or all at once. */
export type Shape = { readonly order: "row" | "fan"; readonly steps: number };

/** The function of every step: told whose step it is, it gives what is kept. */
export type Work = (runId: string, step: number) => Promise<string>;

/** A contender that is ready, on the journal of its place. */
export type Ready = {
  /** Does a run. Resolves when its end is kept. Any number at once. */
  readonly run: (runId: string, shape: Shape) => Promise<void>;
  /** Goes on with a run whose process is gone, and resolves at its end; undefined where that needs no word: opening does it. */
  readonly resume: ((runId: string, shape: Shape) => Promise<void>) | undefined;
  /** Bytes of the journal, with all that was written in it; undefined where that is not told. */
  readonly bytes: () => Promise<number | undefined>;
  /** Ends it; what is under way may be gone on with later. */
  readonly close: () => Promise<void>;
};

export type Contender = {
  readonly name: string;
  /** What exactly it does, for the report. */
  readonly does: string;
  readonly create: (place: Place, work: Work) => Promise<Ready>;
};

/** The inline engine first: what all are compared with. */
export const OWN_NAMES = ["none", "sqlite", "sqlite-power", "restate"] as const;

/** Others' journals, each a file in peers/, which has packages of its own. */
export const PEERS = ["dbos", "langgraph"] as const;

/** Loads a contender; only its own packages come into the process. @throws Error for a name that nobody has. */
export async function loadContender(name: string): Promise<Contender> {
  if (OWN_NAMES.some((own) => own === name))
    return (await import("./bosun.ts")).createOwnContender(name);
  if (!PEERS.some((peer) => peer === name)) throw new Error(`no contender "${name}"`);
  const peer = (await import(new URL(`peers/${name}.mjs`, import.meta.url).href)) as Omit<
    Contender,
    "name"
  >; // `as`: the files of peers/ are written for it
  return { name, does: peer.does, create: peer.create };
}

/** Whether the packages of peers/ are installed. */
export function arePeersInstalled(): boolean {
  return existsSync(new URL("peers/node_modules", import.meta.url));
}
