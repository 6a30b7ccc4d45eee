// What the twin's tests share: a twin over fake replicas on a virtual clock.

import { type Clock, createVirtualClock } from "../../../src/clock.ts";
import { createFaults, type FaultRule } from "../../../src/inference/twin/fault.ts";
import { type FlagOptions, planFlags } from "../../../src/inference/twin/flag.ts";
import { fillerSource } from "../../../src/inference/twin/text/plain-source.ts";
import { type ScriptReply, scriptSource } from "../../../src/inference/twin/text/script.ts";
import { createTwin, type Twin } from "../../../src/inference/twin/twin.ts";
import { createFakeReplica, type FakeReplica, type FakeReplicaOptions } from "./fake-replica.ts";

export const MODEL = "Qwen/Qwen3-8B";

export type Bench = { readonly twin: Twin; readonly replica: FakeReplica; readonly clock: Clock };

export type BenchOptions = Partial<FlagOptions> & {
  readonly clock?: Clock;
  /** Default: filler of 20 tokens. */
  readonly script?: readonly ScriptReply[];
  readonly replica?: Omit<FakeReplicaOptions, "clock">;
  readonly faults?: readonly FaultRule[];
};

export function createBench(options: BenchOptions = {}): Bench {
  const { clock = createVirtualClock(), script, replica: times = {}, faults, ...flags } = options;
  const replica = createFakeReplica({ clock, ...times });
  const twin = createTwin({
    replicas: [replica],
    clock,
    flags: planFlags({
      model: MODEL,
      maxModelLen: 4_096,
      enableAutoToolChoice: true,
      toolCallParser: "hermes",
      ...flags,
    }),
    source: script ? scriptSource("script", script) : fillerSource(20),
    faults: createFaults(faults),
  });
  return { twin, replica, clock };
}
