// What is measured: each contender does the same work, in a process of its own, and returns the text that it came to.

import { existsSync } from "node:fs";
import { createBareClient } from "./bare.ts";
import { AGENTS, CALLS, type CannedAgent, MODEL } from "./canned.ts";

/** What a contender gets. */
export type Brief = {
  /** The server's URL up to the version. */
  readonly base: string;
  readonly model: string;
  readonly agents: readonly [CannedAgent, CannedAgent, CannedAgent];
};

/** A contender that is ready. */
export type Ready = {
  /** Does the work once and returns its last text. Any number at once. */
  readonly run: () => Promise<string>;
  /** Socket reads since the start, where the contender can tell. */
  readonly reads?: () => number;
};

export type Contender = {
  readonly name: string;
  /** What exactly it does, for the report. */
  readonly does: string;
  /** Model calls of one run. */
  readonly calls: number;
  readonly create: (brief: Brief) => Promise<Ready>;
};

/** A framework's file in bench/peers, which has its own packages. */
type Peer = Pick<Contender, "does" | "create"> & { readonly packages: readonly string[] };

/** Names of the frameworks, each a file in bench/peers. */
export const PEERS = ["ai", "langgraph", "mastra", "openai-agents"] as const;

/** Contenders of the three-agent run that need no framework; the first is what all are compared with. */
export const OWN_NAMES: readonly string[] = ["bare", "bosun", "bosun+store", "bosun.stream"];

/** Contenders of the single call, by name. */
export const CLIENT_NAMES: readonly string[] = ["bare-client", "bosun-client"];

/** Whether the packages of bench/peers are installed. */
export function arePeersInstalled(): boolean {
  return existsSync(new URL("../peers/node_modules", import.meta.url));
}

/** The URL of a framework's file, for an import. */
export function peerUrl(name: string): string {
  return new URL(`../peers/${name}.mjs`, import.meta.url).href;
}

/** Loads a contender; only its own packages come into the process. @throws Error for a name that nobody has. */
export async function loadContender(name: string): Promise<Contender> {
  const own = OWN[name];
  if (own) return { name, ...own };
  if (!PEERS.some((peer) => peer === name)) throw new Error(`no contender "${name}"`);
  const peer = (await import(peerUrl(name))) as Peer; // `as`: the files of bench/peers are written for it
  return { name, does: peer.does, calls: CALLS, create: peer.create };
}

/** The brief of every contender. */
export function briefOf(base: string): Brief {
  return { base, model: MODEL, agents: AGENTS };
}

const OWN: Readonly<Record<string, Omit<Contender, "name">>> = {
  bare: {
    does: "three calls in a loop: node:http, keep-alive agent, split at newlines, JSON.parse of every chunk, += of its text",
    calls: CALLS,
    async create({ base, model, agents }) {
      const client = createBareClient(base, model);
      return {
        reads: client.reads,
        async run() {
          let text = "";
          for (const { system, ask } of agents) text = await client.ask(system, ask(text));
          return text;
        },
      };
    },
  },
  bosun: {
    does: "crew.kickoff(), data: false; streams inside, nobody reads the deltas",
    calls: CALLS,
    create: bosunCrew({ store: false, read: false }),
  },
  "bosun+store": {
    does: "the same, every event kept in SQLite in a temporary folder",
    calls: CALLS,
    create: bosunCrew({ store: true, read: false }),
  },
  "bosun.stream": {
    does: "crew.stream(), data: false; for await over all events, text deltas included",
    calls: CALLS,
    create: bosunCrew({ store: false, read: true }),
  },
  "bare-client": {
    does: "one call of the bare loop",
    calls: 1,
    async create({ base, model, agents }) {
      const client = createBareClient(base, model);
      const [{ system, ask }] = agents;
      return { reads: client.reads, run: () => client.ask(system, ask("")) };
    },
  },
  "bosun-client": {
    does: "one call of createEndpointModel, for await over its events",
    calls: 1,
    create: async (brief) => (await import("./bosun.ts")).createBosunClient(brief),
  },
};

/** Loaded on demand: a framework's process must not hold Bosun too. */
function bosunCrew(options: {
  readonly store: boolean;
  readonly read: boolean;
}): Contender["create"] {
  return async (brief) => (await import("./bosun.ts")).createBosunCrew(brief, options);
}
