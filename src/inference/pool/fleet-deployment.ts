// Deployments of a fleet: what a user wrote of one model, as the pool needs it. Pure: addresses of replicas come in.

import type { Fleet, FleetEndpoint, FleetModel } from "../fleet/fleet.ts";
import { addressOf } from "../model/address.ts";
import { type Endpoint, endpoint, type ModelSettings } from "../model/endpoint.ts";
import { dialectOfHost } from "../model/facts.ts";
import type { Env } from "../model/http.ts";
import { toProviderEndpoint } from "../model/preset.ts";
import type { Capacity } from "./capacity.ts";
import type { Deployment, PoolEndpoint } from "./deployment.ts";
import type { IdlePolicy } from "./sleeper.ts";

/** What a deployment is made with besides the fleet. */
export type DeploymentScene = {
  /** Of a provider's address. */
  readonly env: Env;
  /** Base URLs of an endpoint's replicas; undefined where it has none, or nobody knows them yet. */
  readonly replicasOf: (endpoint: FleetEndpoint) => readonly string[] | undefined;
};

/** The deployment of a fleet's model, under its alias. @throws BosunError `config/invalid` for a URL that cannot be one. */
export function toDeployment(
  fleet: Fleet,
  [alias, model]: readonly [string, FleetModel],
  scene: DeploymentScene,
): Deployment {
  const { route, order, maxQueued, hedge } = model;
  return {
    type: "deployment",
    name: alias,
    endpoints: named(endpointsOf(fleet, [alias, model], scene)),
    settings: settingsIn(model),
    route,
    order,
    maxQueued,
    hedge,
    tenants: fleet.tenants,
  };
}

/** How a fleet's model is asked, unless an agent or a task says otherwise. */
function settingsIn(model: FleetModel): ModelSettings {
  const { temperature, topP, seed, stop, maxTokens, thinking, extraBody } = model;
  return { temperature, topP, seed, stop, maxTokens, thinking, extraBody };
}

/** The variable that holds a gateway's token, where it needs one. */
const GATEWAY_TOKEN = "BOSUN_GATEWAY_TOKEN";
/** Calls wait in the gateway, which knows their order, not for a connection to it. */
const GATEWAY_CONNECTIONS = 2_048;

/** An endpoint whose name may still be another's. */
type Unnamed = Omit<PoolEndpoint, "name" | "at"> & {
  readonly at: Endpoint;
  readonly name: string | undefined;
};

function endpointsOf(
  { gateway }: Fleet,
  [alias, model]: readonly [string, FleetModel],
  { env, replicasOf }: DeploymentScene,
): readonly [Unnamed, ...Unnamed[]] {
  const { maxModelLen, timeouts, provider, endpoints } = model;
  const shared = given({ maxModelLen, timeouts });
  // A gateway serves the models by their aliases, and admits and routes itself.
  if (gateway !== undefined) {
    const apiKeyEnv = env[GATEWAY_TOKEN] ? GATEWAY_TOKEN : undefined;
    const options = { ...shared, ...given({ apiKeyEnv }), maxConnections: GATEWAY_CONNECTIONS };
    const at = endpoint({ url: gateway, model: alias, gateway: true, ...options });
    return [{ at, name: undefined, capacity: {} }];
  }
  if (endpoints === undefined) {
    const at = toProviderEndpoint(provider ?? "openai", model.model ?? alias, env);
    return [{ at: { ...at, ...shared }, name: undefined, capacity: {} }];
  }
  const [first, ...others] = endpoints.flatMap((one) => {
    const urls = replicasOf(one) ?? [one.url];
    return urls.map((url) => toUnnamed(model, one, url));
  });
  return first ? [first, ...others] : [toUnnamed(model, endpoints[0], endpoints[0].url)];
}

function toUnnamed(model: FleetModel, one: FleetEndpoint, url: string): Unnamed {
  const { dialect, apiKeyEnv, headers, caFile, maxConnections } = one;
  const { maxModelLen, timeouts } = model;
  const connection = { dialect, apiKeyEnv, headers, caFile, maxConnections };
  const at = endpoint({
    url,
    ...given({ model: model.model, ...connection, maxModelLen, timeouts }),
  });
  const isReplica = url !== one.url;
  const name =
    isReplica && one.name !== undefined ? `${one.name}@${addressOf(url).host}` : one.name;
  return { at, name, capacity: capacityOf(one), accepts: one.accepts, idle: idleOf(one) };
}

/** Runpod's default idleTimeout (endpoint configurations, 2026-08-20). */
const IDLE_SECONDS = 5;
/** An L40S costs 0.16 USD for as long (0.00053 USD/s, serverless pricing, 2026-08-20). */
const KEEP_AWAKE_SECONDS = 300;

/** Only what is said to leave by itself, and Runpod's workers, do. */
function idleOf(one: FleetEndpoint): IdlePolicy | undefined {
  const { idleSeconds, keepAwakeSeconds } = one;
  const dialect = one.dialect ?? dialectOfHost(one.url);
  if (dialect !== "runpod" && idleSeconds === undefined && keepAwakeSeconds === undefined)
    return undefined;
  return {
    leavesAfterMs: (idleSeconds ?? IDLE_SECONDS) * 1_000,
    keptAwakeMs: (keepAwakeSeconds ?? KEEP_AWAKE_SECONDS) * 1_000,
  };
}

function capacityOf(one: FleetEndpoint): Capacity {
  const { kvTokens, maxNumSeqs, prefillTokens, share, maxWorkers } = one;
  const { requestsPerMinute, tokensPerMinute } = one;
  const rates = { requestsPerMinute, tokensPerMinute };
  return given({ kvTokens, maxNumSeqs, prefillTokens, ...rates, share, maxWorkers });
}

/** Gives each endpoint a name of its own: its host, with the path where hosts are equal. */
function named(endpoints: readonly [Unnamed, ...Unnamed[]]): Deployment["endpoints"] {
  const taken = new Set<string>();
  const toNamed = ({ name, at, ...rest }: Unnamed): PoolEndpoint => {
    const { host, path } = addressOf(at.url);
    const wanted = [name ?? host, `${host}${path}`, at.url];
    const free = wanted.find((one) => !taken.has(one)) ?? `${at.url}#${taken.size}`;
    taken.add(free);
    return { name: free, at, ...rest };
  };
  const [first, ...others] = endpoints;
  return [toNamed(first), ...others.map(toNamed)];
}

/** Without the fields that say nothing. */
function given<T extends object>(fields: T): Partial<T> {
  const said = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(said) as Partial<T>; // `as`: the same fields, fewer of them
}
