// Deployment: the endpoints that serve one model, what each of them holds, and how calls are spread over them. Plain data.

import type { Endpoint, ModelSettings } from "../model/endpoint.ts";
import type { Model } from "../model/model.ts";
import type { Capacity } from "./capacity.ts";
import type { Probe } from "./probe.ts";

/** Request fields that an endpoint takes; others refuse them or do not know them. */
export type Accepts = {
  /** vLLM with --scheduling-policy priority. Default false. */
  readonly priority?: boolean | undefined;
  /** Default false. */
  readonly sessionId?: boolean | undefined;
  /** vLLM, for a prefix cache apart per tenant. Default false. */
  readonly cacheSalt?: boolean | undefined;
};

/** One endpoint of a deployment. */
export type PoolEndpoint = {
  /** In events, errors and tables; unique in its deployment. */
  readonly name: string;
  /** Where it is: a URL, or a Model in this process, which may tell about itself. */
  readonly at: Endpoint | (Model & Partial<Probe>);
  readonly capacity: Capacity;
  readonly accepts?: Accepts | undefined;
};

/** How an endpoint is chosen. */
export type RouteName =
  | "round-robin"
  | "least-outstanding"
  | "power-of-two"
  | "least-kv"
  | "prefix-affinity"
  | "session"
  | "cost";

/** Who goes first: by what the orchestrator knows of whole runs, or by arrival. */
export type OrderName = "program" | "fcfs";

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
