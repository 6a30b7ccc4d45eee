// The twins of a soak, in their own process: two servers, at a hundred times their speed, with faults by chance.

import { systemClock } from "../../src/clock.ts";
import { listen } from "../../src/inference/facade/listen.ts";
import { createFaults, parseFault } from "../../src/inference/twin/fault.ts";
import { createTwinServer } from "../../src/inference/twin/http/server.ts";
import { planTwin } from "../../src/inference/twin/setup.ts";
import { startTwin } from "../../src/inference/twin/start.ts";
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
  "engine-death; after=3; restart-ms=3000; p=0.001",
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

const twins: Twin[] = [];

async function serve(seed: number): Promise<string> {
  const faults = createFaults(FAULTS.map(parseFault), seed);
  const twin = startTwin(plan, { clock: systemClock, source, faults, speed: SPEED, seed });
  twins.push(twin);
  const { url } = await listen(createTwinServer(twin), { port: 0 });
  return `${url}/v1`;
}

answerParent({
  async start({ seed }: { readonly seed: number }): Promise<Started> {
    const urls = [await serve(seed), await serve(seed + 1)] as const;
    return { urls, kvTokens: plan.memory.kvTokens, maxNumSeqs: MAX_NUM_SEQS };
  },
  async held(): Promise<Held> {
    const { sockets, heapMb } = await readLeftover();
    const stats = twins.flatMap(({ replicas }) => replicas.map((replica) => replica.stats()));
    return {
      running: stats.reduce((sum, { numRequestsRunning }) => sum + numRequestsRunning, 0),
      waiting: stats.reduce((sum, { numRequestsWaiting }) => sum + numRequestsWaiting, 0),
      kvUsage: Math.max(...stats.map(({ kvCacheUsage }) => kvCacheUsage)),
      sockets,
      heapMb,
    };
  },
});
