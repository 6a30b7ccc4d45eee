// A fleet in use: its file is read again when it changes, and its deployments are made when somebody asks for them.
//
// Invariants
//   W1  What was good goes on: a new version that is wrong changes nothing and is reported, once.
//   W2  The same Deployment object comes back until something of it has changed, so that the pool sees a change by identity.
//   W3  Nothing waits and nothing runs by itself: a change is seen by the first call LOOK_MS after it.

import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import type { Clock } from "../../clock.ts";
import { BosunError, messageOf, toBosunError } from "../../error.ts";
import { isObject, ownValue } from "../../json.ts";
import type { Fleet } from "../fleet/fleet.ts";
import { parseFleet, toFleet } from "../fleet/fleet-file.ts";
import type { Env } from "../model/http.ts";
import type { Deployment } from "./deployment.ts";
import { createFileVersion } from "./file-version.ts";
import { toDeployment } from "./fleet-deployment.ts";
import { createReplicas, type Lookup } from "./replica.ts";

/** A fleet, and what it is used with. */
export type FleetWatchOptions = {
  /** Data, or the path of a YAML file, or of a module that exports `fleet` (that one is read once). */
  readonly source: Fleet | string;
  readonly clock: Clock;
  readonly env: Env;
  /** Told of a new version that is wrong, and of replicas that cannot be found. Must not throw. */
  readonly onProblem?: ((error: BosunError) => void) | undefined;
  /** It is the gateway's own: what the file says of a gateway does not count. Default false. */
  readonly isGateway?: boolean | undefined;
  /** How replicas are looked up. Default: the system's resolver. */
  readonly lookup?: Lookup | undefined;
};

export interface FleetWatch {
  /** The path that it was read from; undefined for data. */
  readonly path: string | undefined;
  /** As it is now. */
  fleet(): Fleet;
  /** What an alias means now; undefined when the fleet has no such model (W2). */
  deployment(alias: string): Deployment | undefined;
  /** The last thing that was wrong, until a good version came. */
  problem(): BosunError | undefined;
}

/** @throws BosunError `config/invalid` when the first version is wrong. */
export function createFleetWatch(options: FleetWatchOptions): FleetWatch {
  const { source, clock, env } = options;
  let problem: BosunError | undefined;
  const onProblem = (error: BosunError): void => {
    problem = error;
    options.onProblem?.(error);
  };
  const folder = typeof source === "string" ? dirname(resolve(source)) : ".";
  const replicas = createReplicas({ clock, folder, onProblem, lookup: options.lookup });
  const made = new Map<string, Made>();
  const written = createVersions(source, clock, {
    onProblem,
    onNew: () => (problem = undefined),
  });
  const version = options.isGateway ? withoutGateway(written) : written;

  const find = (alias: string): Deployment | undefined => {
    const fleet = version();
    const model = ownValue(fleet.models, alias);
    if (model === undefined) {
      made.delete(alias);
      return undefined;
    }
    const known = made.get(alias);
    const urls = (model.endpoints ?? []).map((one) => replicas.urlsOf(one));
    if (known?.fleet === fleet && urls.every((list, index) => list === known.urls[index]))
      return known.deployment;
    const fresh = toDeployment(fleet, [alias, model], {
      env,
      replicasOf: (one) => replicas.urlsOf(one),
    });
    const text = JSON.stringify(fresh);
    const deployment = known?.text === text ? known.deployment : fresh;
    made.set(alias, { fleet, urls, text, deployment });
    return deployment;
  };
  // Mistakes that only the environment shows are found now; names begin to be looked up.
  for (const alias of Object.keys(version().models)) find(alias);
  return {
    path: typeof source === "string" ? source : undefined,
    fleet: version,
    deployment: find,
    problem: () => problem,
  };
}

/** The same object for the same version (W2). */
function withoutGateway(version: () => Fleet): () => Fleet {
  let [seen, own]: [Fleet | undefined, Fleet | undefined] = [undefined, undefined];
  return () => {
    const fleet = version();
    if (own === undefined || seen !== fleet)
      [seen, own] = [fleet, { ...fleet, gateway: undefined }];
    return own;
  };
}

/** A deployment, and what it was made from. */
type Made = {
  readonly fleet: Fleet;
  readonly urls: readonly (readonly string[] | undefined)[];
  readonly text: string;
  readonly deployment: Deployment;
};

type Reports = {
  readonly onProblem: (error: BosunError) => void;
  readonly onNew: () => void;
};

/** The newest version that is right. */
function createVersions(
  source: Fleet | string,
  clock: Clock,
  { onProblem, onNew }: Reports,
): () => Fleet {
  if (typeof source !== "string") {
    const fleet = toFleet(source);
    return () => fleet;
  }
  if (MODULE.test(source)) {
    const fleet = toFleet(fleetIn(source), `${source}: fleet`);
    return () => fleet;
  }
  const file = createFileVersion(source, clock);
  let fleet: Fleet | undefined;
  return () => {
    try {
      const text = file.changed();
      if (text !== undefined) {
        fleet = parseFleet(source, text);
        onNew();
      }
    } catch (error) {
      const failure = toBosunError(error, "config/invalid", source);
      if (fleet === undefined) throw failure;
      onProblem(failure); // W1
    }
    if (fleet === undefined)
      throw new BosunError("config/invalid", `${source} could not be read before`);
    return fleet;
  };
}

const MODULE = /\.[cm]?[jt]s$/;

/** What a configuration module exports as `fleet`, or in its default export. */
export function fleetIn(path: string): unknown {
  let exported: unknown;
  try {
    exported = createRequire(import.meta.url)(resolve(path));
  } catch (cause) {
    throw new BosunError("config/invalid", `${path} cannot be loaded: ${messageOf(cause)}`, {
      cause,
    });
  }
  const module = isObject(exported) ? exported : {};
  const usual = isObject(module["default"]) ? module["default"] : {};
  return module["fleet"] ?? usual["fleet"];
}
