// Deployment: the endpoints that serve one model, what each of them holds, and how calls are spread over them. Plain data.

import type { FleetAccepts, ORDERS, ROUTES } from "../fleet/fleet.ts";
import type { Endpoint, ModelSettings } from "../model/endpoint.ts";
import type { Model } from "../model/model.ts";
import type { Capacity } from "./capacity.ts";
import type { Probe } from "./probe.ts";
import type { IdlePolicy } from "./sleeper.ts";

/** One endpoint of a deployment. */
export type PoolEndpoint = {
  /** In events, errors and tables; unique in its deployment. */
  readonly name: string;
  /** Where it is: a URL, or a Model in this process, which may tell about itself. */
  readonly at: Endpoint | (Model & Partial<Probe>);
  readonly capacity: Capacity;
  readonly accepts?: FleetAccepts | undefined;
  /** Of one whose workers leave when nobody asks them. */
  readonly idle?: IdlePolicy | undefined;
};

/** How an endpoint is chosen. */
export type RouteName = (typeof ROUTES)[number];

/** Who goes first: by what the orchestrator knows of whole runs, or by arrival. */
export type OrderName = (typeof ORDERS)[number];

/** Endpoints that serve one model. */
export type Deployment = {
  readonly type: "deployment";
  /** Its alias. */
  readonly name: string;
  readonly endpoints: readonly [PoolEndpoint, ...PoolEndpoint[]];
  /** How its model is asked, unless an agent or a task says otherwise. */
  readonly settings?: ModelSettings | undefined;
  /** Default "cost". */
  readonly route?: RouteName | undefined;
  /** Default "program". */
  readonly order?: OrderName | undefined;
  /** Calls that may wait for admission at once. Default 10,000. */
  readonly maxQueued?: number | undefined;
  /** A call that is late to its first token gets a second one elsewhere, at most one in twenty. Default false. */
  readonly hedge?: boolean | undefined;
  /** Shares of tenants by name, above 0; a tenant that is not named has 1. */
  readonly tenants?: Readonly<Record<string, number>> | undefined;
};
