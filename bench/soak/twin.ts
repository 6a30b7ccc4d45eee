// The twins of a soak, in their own process, at a hundred times their speed, with faults by chance: two servers whose ports close now and
// then, and a serverless endpoint whose workers are taken away.

import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../../src/clock.ts";
import { type Listening, listen } from "../../src/inference/facade/listen.ts";
import { createFaults, parseFault } from "../../src/inference/twin/fault.ts";
import { createTwinServer } from "../../src/inference/twin/http/server.ts";
import { planTwin } from "../../src/inference/twin/setup.ts";
import { type ServerlessStart, startTwin } from "../../src/inference/twin/start.ts";
import { fillerSource } from "../../src/inference/twin/text/plain-source.ts";
import type { TextSource } from "../../src/inference/twin/text/source.ts";
import type { Twin } from "../../src/inference/twin/twin.ts";
import { answerParent } from "../overhead/child.ts";
import { readLeftover } from "./leftover.ts";

/** What a twin holds at one moment. */
export type Held = {
  readonly running: number;
  readonly waiting: number;
  /** 0 to 1, of the fuller one. */
  readonly kvUsage: number;
  readonly sockets: number;
  readonly heapMb: number;
};

/** Where they are, and what each holds. */
export type Started = {
  readonly urls: readonly [string, string];
  /** The serverless endpoint, as Runpod has it. */
  readonly spareUrl: string;
  readonly kvTokens: number;
  readonly maxNumSeqs: number;
};

/** Each with its chance: together a call in twelve. The engine's death takes all calls of its replica with it. */
const FAULTS = [
  "429; retry-after=0; p=0.01",
  "429; retry-after=1; p=0.002",
  "500; p=0.01",
  "503; p=0.015",
  "slow; ms=4000; p=0.01",
  "cut; after=1; p=0.005",
  "cut; after=6; p=0.01",
  "malformed; after=3; p=0.005",
  "stuck; after=2; p=0.004",
  "engine-death; after=3; restart-ms=3000; p=0.0007",
  "kv-squeeze; share=0.97; p=0.01",
  "finish; reason=length; p=0.005",
];

const SPEED = 100;

/** Answers of 8, 16, 24 or 32 tokens, by the length of what is asked. */
const LENGTHS = [fillerSource(8), fillerSource(16), fillerSource(24), fillerSource(32)];
const source: TextSource = {
  name: "filler",
  write(ask, signal) {
    const length = ask.request.messages.reduce((sum, { content }) => sum + content.length, 0);
    const chosen = LENGTHS[length % LENGTHS.length] ?? fillerSource(8);
    return chosen.write(ask, signal);
  },
};

const MAX_NUM_SEQS = 24;

const plan = planTwin({
  gpu: "L40S",
  model: "Qwen/Qwen3-8B",
  maxModelLen: 8_192,
  engine: { maxNumSeqs: MAX_NUM_SEQS },
  serving: { enableAutoToolChoice: true, toolCallParser: "hermes" },
});

/** A minute and a half until a worker is taken away; starts of a tenth of the real ones, so that some workers live. */
const SERVERLESS: ServerlessStart = {
  settings: {
    workersMax: 2,
    jobsPerWorker: 8,
    scaler: { type: "REQUEST_COUNT", requests: 6 },
    meanHoursToInterruption: 0.025,
  },
  coldStart: {
    stages: [
      { name: "provision", part: "initialise", meanMs: 5_000, cv: 0.5, source: "assumed" },
      { name: "weights", part: "start", meanMs: 6_000, cv: 0.5, source: "assumed" },
    ],
    flashBoot: undefined,
  },
};

type Place = { readonly twin: Twin; server: Listening };

const places: Place[] = [];

async function serve(seed: number, serverless?: ServerlessStart): Promise<string> {
  const faults = createFaults(FAULTS.map(parseFault), seed);
  const options = { clock: systemClock, source, faults, speed: SPEED, seed, serverless };
  const twin = startTwin(plan, options);
  const server = await listen(createTwinServer(twin), { port: 0 });
  places.push({ twin, server });
  return server.url;
}

answerParent({
  async start({ seed }: { readonly seed: number }): Promise<Started> {
    const urls = [`${await serve(seed)}/v1`, `${await serve(seed + 1)}/v1`] as const;
    const spareUrl = `${await serve(seed + 2, SERVERLESS)}/v2/spare/openai/v1`;
    return { urls, spareUrl, kvTokens: plan.memory.kvTokens, maxNumSeqs: MAX_NUM_SEQS };
  },
  /** A server is gone, with all its connections, and is back. */
  async outage({ at, ms }: { readonly at: number; readonly ms: number }): Promise<void> {
    const place = places[at];
    if (!place) throw new Error(`no server ${at}`);
    const { port } = place.server;
    await place.server.close();
    await sleep(ms);
    place.server = await listen(createTwinServer(place.twin), { port });
  },
  async held(): Promise<Held> {
    const { sockets, heapMb } = await readLeftover();
    const stats = places.flatMap(({ twin }) => twin.replicas.map((replica) => replica.stats()));
    return {
      running: stats.reduce((sum, { numRequestsRunning }) => sum + numRequestsRunning, 0),
      waiting: stats.reduce((sum, { numRequestsWaiting }) => sum + numRequestsWaiting, 0),
      kvUsage: Math.max(...stats.map(({ kvCacheUsage }) => kvCacheUsage)),
      sockets,
      heapMb,
    };
  },
});
