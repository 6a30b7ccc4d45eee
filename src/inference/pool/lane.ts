// Lane: a deployment as calls see it now, with the state of each of its endpoints. Found for whatever a call names.
//
// States belong to servers, not to names: two aliases of one server share its ledger. A reloaded fleet gives a new lane over the
// old states; an endpoint that left gets no new calls, and those in flight end in peace.

import assert from "node:assert";
import type { Clock } from "../../clock.ts";
import { type Endpoint, type ModelRef, nameOf } from "../model/endpoint.ts";
import type { Model } from "../model/model.ts";
import type { Clients } from "./clients.ts";
import type { Deployment, PoolEndpoint } from "./deployment.ts";
import { createEndpointState, type EndpointState } from "./endpoint-state.ts";
import type { ForeignNotice } from "./foreign-load.ts";
import { createHedgeBudget, type HedgeBudget } from "./hedge.ts";
import { createHttpProbe } from "./http-probe.ts";
import { createOutliers, type Outliers } from "./outlier.ts";
import type { Probe } from "./probe.ts";
import { createRoute, type Route } from "./route.ts";
import type { Sleeper } from "./sleeper.ts";
import { putNewest } from "../../newest.ts";

/** One endpoint of a lane. */
export type Site = {
  readonly place: number;
  readonly endpoint: PoolEndpoint;
  readonly model: Model;
  readonly state: EndpointState;
};

export type Lane = {
  readonly deployment: Deployment;
  readonly sites: readonly [Site, ...Site[]];
  readonly route: Route;
  readonly outliers: Outliers;
  readonly hedges: HedgeBudget;
};

export interface Lanes {
  /** @throws BosunError `model/unknown` or `config/invalid` for what cannot be called. */
  of(ref: ModelRef): Lane;
  /** States of all servers that were called, the latest last. */
  states(): Iterable<EndpointState>;
  /** A server that may sleep, by its state's id; undefined for all others. */
  sleeperOf(id: string): Sleeper | undefined;
}

/** Most servers whose state is kept; idle ones go first. */
const MAX_STATES = 1_024;
/** Most aliases whose route is kept. */
const MAX_ROUTES = 1_024;

export type LaneOptions = {
  readonly clock: Clock;
  readonly clients: Clients;
  readonly resolve: (alias: string) => Endpoint | Model | Deployment;
  readonly onForeignLoad: ((notice: ForeignNotice) => void) | undefined;
};

export function createLanes({ clock, clients, resolve, onForeignLoad }: LaneOptions): Lanes {
  const states = new Map<string | Model, EndpointState>();
  const known = new WeakMap<Endpoint | Model | Deployment, Lane>();
  const routes = new Map<string, Route>();
  const sleepers = new Map<string, Sleeper>();
  let count = 0;

  // An endpoint that is written in place is asked nothing but calls: its user named no fleet.
  const probeOf = ({ at }: PoolEndpoint, isFleet: boolean): Partial<Probe> => {
    if ("call" in at) return at;
    const isAsked = isFleet && !at.gateway; // a gateway's endpoints are its own affair
    return isAsked ? createHttpProbe({ model: clients.of(at), clock, dialect: at.dialect }) : {};
  };
  const stateOf = (endpoint: PoolEndpoint, isFleet: boolean): EndpointState => {
    const { at, name } = endpoint;
    const key = "call" in at ? at : `${serverOf(at)} ${isFleet}`;
    const probe = probeOf(endpoint, isFleet);
    const found =
      states.get(key) ??
      createEndpointState({ id: `${count++}`, name, probe, clock, onForeignLoad });
    states.set(key, found);
    const isBusy = (): boolean => found.ledger.inFlight > 0;
    if (isFleet && canSleep(probe)) sleepers.set(found.id, { probe, idle: endpoint.idle, isBusy });
    if (states.size > MAX_STATES) for (const id of dropIdle(states)) sleepers.delete(id);
    found.configure(endpoint);
    return found;
  };
  const routeOf = ({ name, route = "cost" }: Deployment): Route => {
    const key = `${route} ${name}`;
    const found = routes.get(key) ?? createRoute(route);
    putNewest(routes, [key, found], MAX_ROUTES);
    return found;
  };
  const toLane = (deployment: Deployment, isFleet: boolean): Lane => {
    const [first, ...others] = deployment.endpoints.map((endpoint, place): Site => {
      const { at } = endpoint;
      const model = "call" in at ? at : clients.of(at);
      return { place, endpoint, model, state: stateOf(endpoint, isFleet) };
    });
    assert(first !== undefined, "a deployment has endpoints");
    const outliers = createOutliers(deployment.endpoints.map(({ name }) => name));
    const hedges = createHedgeBudget();
    return { deployment, sites: [first, ...others], route: routeOf(deployment), outliers, hedges };
  };
  return {
    of(ref) {
      const meant = typeof ref === "string" ? resolve(ref) : ref;
      const lane = known.get(meant);
      if (lane) return lane;
      const isFleet = isDeployment(meant);
      const made = toLane(isFleet ? meant : soloOf(meant, ref), isFleet);
      known.set(meant, made);
      return made;
    },
    states: () => states.values(),
    sleeperOf: (id) => sleepers.get(id),
  };
}

function isDeployment(meant: Endpoint | Model | Deployment): meant is Deployment {
  return !("call" in meant) && meant.type === "deployment";
}

/** An endpoint or a Model by itself is a deployment of one, without known bounds. */
function soloOf(at: Endpoint | Model, ref: ModelRef): Deployment {
  const name = nameOf("call" in at ? ref : at);
  return { type: "deployment", name, endpoints: [{ name, at, capacity: {} }] };
}

/** A server is its address and who asks; not the model, as adapters of one server share its cache. */
function serverOf({ url, apiKeyEnv, headers = {} }: Endpoint): string {
  const sorted = Object.entries(headers).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([url, apiKeyEnv, sorted]);
}

/** @returns the ids of those that went. */
function dropIdle(states: Map<string | Model, EndpointState>): readonly string[] {
  const gone: string[] = [];
  for (const [key, { id, ledger }] of states) {
    if (states.size <= MAX_STATES) break;
    if (ledger.inFlight > 0) continue; // one that is busy must get its reservations back (M3)
    states.delete(key);
    gone.push(id);
  }
  return gone;
}

function canSleep(probe: Partial<Probe>): probe is Probe {
  return probe.health !== undefined && probe.wake !== undefined;
}
