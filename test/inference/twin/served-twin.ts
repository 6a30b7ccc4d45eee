// A twin on a real port with the real engine: for clients that do not know that it is one.

import { systemClock } from "../../../src/clock.ts";
import { type Listening, listen } from "../../../src/inference/facade/listen.ts";
import { createFaults, parseFault } from "../../../src/inference/twin/fault.ts";
import { createTwinServer } from "../../../src/inference/twin/http/server.ts";
import { planTwin, type TwinSetup } from "../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import { type ScriptReply, scriptSource } from "../../../src/inference/twin/text/script.ts";
import type { TextSource } from "../../../src/inference/twin/text/source.ts";
import type { Twin } from "../../../src/inference/twin/twin.ts";

export const MODEL = "Qwen/Qwen3-8B";

export type ServedTwin = AsyncDisposable & {
  /** Up to /v1. */
  readonly url: string;
  readonly server: Listening;
  readonly twin: Twin;
  /** Requests that are in the engines. */
  inFlight(): number;
};

export type ServedOptions = Partial<TwinSetup> & {
  /** Default: filler of 60 tokens. */
  readonly source?: TextSource;
  readonly script?: readonly ScriptReply[];
  readonly faults?: readonly string[];
  readonly replicas?: number;
  /** Default 10: a test should not wait for a GPU that is not there. */
  readonly speed?: number;
};

export async function serveTwin(options: ServedOptions = {}): Promise<ServedTwin> {
  const { script, faults = [], replicas, speed = 10, serving, ...setup } = options;
  const source = options.source ?? (script ? scriptSource("script", script) : fillerSource(60));
  const plan = planTwin({
    gpu: "H100-SXM",
    model: MODEL,
    maxModelLen: 8_192,
    ...setup,
    serving: {
      enableAutoToolChoice: true,
      toolCallParser: "hermes",
      enablePromptTokensDetails: true,
      enablePerRequestMetrics: true,
      ...serving,
    },
  });
  const twin = startTwin(plan, {
    clock: systemClock,
    source,
    faults: createFaults(faults.map(parseFault)),
    replicas,
    speed,
  });
  const server = await listen(createTwinServer(twin), { port: 0 });
  return {
    url: `${server.url}/v1`,
    server,
    twin,
    inFlight: () =>
      twin.replicas.reduce((sum, replica) => {
        const { numRequestsRunning, numRequestsWaiting } = replica.stats();
        return sum + numRequestsRunning + numRequestsWaiting;
      }, 0),
    [Symbol.asyncDispose]: () => server.close(),
  };
}

/** Resolves as soon as it is true; the test's own time-out bounds it. */
export async function becomesTrue(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 2));
}
