// The fleet of one Bosun: where it is found, and whether its endpoints are what it says, asked before a run is paid for.

import { existsSync } from "node:fs";
import type { Clock } from "./clock.ts";
import type { BosunError } from "./error.ts";
import type { Fleet } from "./inference/fleet/fleet.ts";
import { FLEET_FILE } from "./inference/fleet/fleet-file.ts";
import { createEndpointModel } from "./inference/model/client.ts";
import type { ModelRef } from "./inference/model/endpoint.ts";
import type { Env } from "./inference/model/http.ts";
import type { Deployment } from "./inference/pool/deployment.ts";
import { type AskFacts, findContradictions } from "./inference/pool/fleet-check.ts";
import { createFleetWatch, fleetIn, type FleetWatch } from "./inference/pool/fleet-watch.ts";

/** What a user says of the fleet. */
export type FleetOptions = {
  /** A path, the data itself, or false for none. Default: BOSUN_FLEET, else bosun.fleet.yaml or bosun.config.ts in the working folder. */
  readonly fleet?: Fleet | string | false | undefined;
  /** Told of a new version of the file that is wrong, and of replicas that cannot be found; the old ones go on. Must not throw. */
  readonly onFleetProblem?: ((error: BosunError) => void) | undefined;
};

/** What a fleet is used in. */
export type FleetScene = {
  readonly env: Env;
  readonly clock: Clock;
  /** For a gateway, which does not ask itself. */
  readonly isGateway?: boolean | undefined;
};

/** May hold a fleet among other things, and none. */
const CONFIG_FILE = "bosun.config.ts";

/** @throws BosunError `config/invalid` for a fleet that is wrong. */
export function openFleet(
  { fleet, onFleetProblem }: FleetOptions,
  { env, clock, isGateway }: FleetScene,
): FleetWatch | undefined {
  const source = fleet === false ? undefined : (fleet ?? (env["BOSUN_FLEET"] || usualFile()));
  return source === undefined
    ? undefined
    : createFleetWatch({ source, clock, env, onProblem: onFleetProblem, isGateway });
}

function usualFile(): string | undefined {
  if (existsSync(FLEET_FILE)) return FLEET_FILE;
  return existsSync(CONFIG_FILE) && fleetIn(CONFIG_FILE) !== undefined ? CONFIG_FILE : undefined;
}

/** Looks at the endpoints of the fleet's models among these. @throws BosunError `config/invalid` for the first contradiction. */
export type FleetCheck = (refs: readonly ModelRef[], signal: AbortSignal) => Promise<void>;

/** How long a start waits at most for endpoints to tell what they are. */
const CHECK_MS = 5_000;

/** A check that asks each version of a deployment once. */
export function createFleetCheck(fleet: FleetWatch | undefined, scene: FleetScene): FleetCheck {
  const checked = new WeakSet<Deployment>();
  return async (refs, signal) => {
    const found = refs.map((ref) => (typeof ref === "string" ? fleet?.deployment(ref) : undefined));
    const fresh = new Set(found.filter((one) => one !== undefined && !checked.has(one)));
    if (fresh.size === 0) return;
    using deadline = scene.clock.deadline(CHECK_MS, signal, () => new Error("no answer in time"));
    const ask = askWith(scene);
    const asked = [...fresh].map(async (one) => {
      if (one === undefined) return [];
      const contradictions = await findContradictions(one, ask, deadline.signal);
      if (contradictions.length === 0) checked.add(one);
      return contradictions;
    });
    try {
      const [first] = (await Promise.all(asked)).flat();
      if (first) throw first;
    } catch (error) {
      if (signal.aborted) return; // the run itself ends as cancelled
      if (!deadline.expired) throw error;
      for (const one of fresh) if (one) checked.add(one); // who is silent contradicts nothing, and is waited for once
    }
  };
}

/** A client of its own for each question: the pool's are the calls'. */
export function askWith({ env, clock }: FleetScene): AskFacts {
  return async (endpoint, signal) => {
    const model = createEndpointModel({ endpoint, clock, env });
    try {
      return await model.facts(signal);
    } finally {
      model.close();
    }
  };
}
