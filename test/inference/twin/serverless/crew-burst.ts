// A burst of crews on a serverless twin in virtual time, with what its provider saw of it.

import { createBosun } from "../../../../src/bosun.ts";
import { type VirtualClock, createVirtualClock } from "../../../../src/clock.ts";
import type { Model } from "../../../../src/inference/model/model.ts";
import type { Capacity } from "../../../../src/inference/pool/capacity.ts";
import { createPool } from "../../../../src/inference/pool/pool.ts";
import type { Probe } from "../../../../src/inference/pool/probe.ts";
import { createFaults } from "../../../../src/inference/twin/fault.ts";
import { createTwinModel } from "../../../../src/inference/twin/model.ts";
import type { Scaling } from "../../../../src/inference/twin/served.ts";
import type { ColdStart } from "../../../../src/inference/twin/serverless/cold-start.ts";
import type { EndpointSettings } from "../../../../src/inference/twin/serverless/settings.ts";
import { planTwin } from "../../../../src/inference/twin/setup.ts";
import { startTwin } from "../../../../src/inference/twin/start.ts";
import { fillerSource } from "../../../../src/inference/twin/text/plain-source.ts";
import type { Twin } from "../../../../src/inference/twin/twin.ts";
import { agent } from "../../../../src/orchestration/crew/agent.ts";
import { defineCrew } from "../../../../src/orchestration/crew/crew.ts";
import { task } from "../../../../src/orchestration/crew/task.ts";

/** 20 s until a worker is initialised, which nobody waits for here, and 30 s until it has started; exact. */
export const COLD_START: ColdStart = {
  stages: [
    { name: "image-pull", part: "initialise", meanMs: 20_000, cv: 0, source: "a test" },
    { name: "weights", part: "start", meanMs: 30_000, cv: 0, source: "a test" },
  ],
  flashBoot: undefined,
};

const NEVER = new AbortController().signal;

const writer = agent({ role: "Writer", goal: "write" });

/** Three calls, one after the other. */
const CREW = defineCrew({
  name: "report",
  tasks: ["first", "second", "third"].map((name) =>
    task({ name, description: `Write the ${name} part`, expectedOutput: "text", agent: writer }),
  ),
});

export type ServerlessTwin = {
  readonly clock: VirtualClock;
  readonly twin: Twin;
  readonly model: Model & Probe;
  readonly scaling: Scaling;
};

type ServerlessOptions = { readonly clock?: VirtualClock; readonly answerTokens?: number };

/** A twin whose workers are initialised and none of which runs. */
export async function serverlessTwin(
  settings: EndpointSettings,
  { clock = createVirtualClock(), answerTokens = 400 }: ServerlessOptions = {},
): Promise<ServerlessTwin> {
  const twin = startTwin(
    planTwin({ gpu: "H100-SXM", model: "Qwen/Qwen3-8B", maxModelLen: 8_192 }),
    {
      clock,
      source: fillerSource(answerTokens),
      faults: createFaults(),
      serverless: { settings, coldStart: COLD_START },
    },
  );
  const { scaling } = twin.replicas[0];
  if (!scaling) throw new Error("the twin is not serverless");
  await clock.sleep(60_000, NEVER);
  return { clock, twin, model: createTwinModel(twin), scaling };
}

/** What came of a burst. */
export type Burst = {
  readonly statuses: ReadonlySet<string>;
  readonly tookMs: number;
  /** Most workers that ran at once, seen once a second. */
  readonly mostWorkers: number;
  /** Most requests that the provider had, in its queue and on workers. */
  readonly mostInFlight: number;
};

/** A pool before the endpoint, which knows so much of it. */
export function poolOver({ clock, model }: ServerlessTwin, capacity: Capacity): Model {
  const endpoint = { name: "serverless", at: model, capacity };
  const deployment = { type: "deployment", name: "twin", endpoints: [endpoint] } as const;
  return createPool({ clock, resolve: () => deployment, random: () => 0.5 });
}

/** `crews` runs through `model`, one every `everyMs`: 0 = all at once. */
export async function runBurst(
  { clock, scaling }: ServerlessTwin,
  model: Model,
  { crews, everyMs = 0 }: { readonly crews: number; readonly everyMs?: number },
): Promise<Burst> {
  const startedAt = clock.now();
  const bosun = createBosun({ data: false, clock, env: {}, model });
  let [mostWorkers, mostInFlight] = [0, 0];
  const look = clock.timer(0, () => {
    const { workers, jobs } = scaling.health();
    mostWorkers = Math.max(mostWorkers, workers.running);
    mostInFlight = Math.max(mostInFlight, jobs.inQueue + jobs.inProgress);
    look.restart(1_000);
  });
  const started = await Promise.all(
    Array.from({ length: crews }, async (_, at) => {
      await clock.sleep(at * everyMs, NEVER);
      return bosun.start(CREW, { inputs: {} });
    }),
  );
  const states = await Promise.all(started.map(({ ended }) => ended));
  look[Symbol.dispose]();
  await bosun.close();
  const statuses = new Set(states.map(({ status }) => status));
  return { statuses, tookMs: clock.now() - startedAt, mostWorkers, mostInFlight };
}
