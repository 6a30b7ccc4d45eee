// What a flow is made of, part by part, as short hashes: see crew/fingerprint.ts. Of handlers it knows that they are there, not their code.

import { type Fingerprint, fingerprintOf, hashOf } from "../crew/fingerprint.ts";
import type { Flow } from "./flow.ts";
import type { FlowStep } from "./step.ts";
import { showTrigger } from "./trigger.ts";

/** Of each flow once, not at each kickoff: a flow does not change. */
const known = new WeakMap<Flow, Fingerprint>();

export function flowFingerprint(flow: Flow): Fingerprint {
  const before = known.get(flow);
  if (before !== undefined) return before;
  const made = make(flow);
  known.set(flow, made);
  return made;
}

function make({ steps, options }: Flow): Fingerprint {
  const parts = Object.entries(steps).flatMap(([name, step]): [string, string][] => [
    [`step ${name}`, ofStep(step)],
    ...(step.options.crews ?? []).flatMap((crew) =>
      Object.entries(fingerprintOf(crew)).map(([part, hash]): [string, string] => [
        `crew ${crew.name}, ${part}`,
        hash,
      ]),
    ),
  ]);
  const { state, reducers = {} } = options;
  return {
    state: hashOf([state !== undefined, Object.keys(reducers).toSorted()]),
    ...Object.fromEntries(parts),
  };
}

function ofStep({ kind, on, labels, options }: FlowStep): string {
  const { input, onError, retries = 0 } = options;
  const trigger = on === undefined ? null : showTrigger(on);
  return hashOf([kind, trigger, labels, retries, input !== undefined, onError !== undefined]);
}
