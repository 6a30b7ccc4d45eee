// Contradictions of a fleet whose keys are all right by themselves. Pure. Each message has both values.

import { ownValue } from "../../json.ts";
import type { Fleet, FleetEndpoint, FleetModel } from "./fleet.ts";
import type { DataPath, ShapeFault } from "./fleet-shape.ts";
import { nearestName } from "./near.ts";

/** The first contradiction; undefined when there is none. */
export function findContradiction(fleet: Fleet): ShapeFault | undefined {
  const { models, default: first } = fleet;
  const known = Object.keys(models);
  if (first !== undefined && ownValue(models, first) === undefined)
    return at(["default"], `default names "${first}"${knownText(first, known)}`);
  for (const [alias, model] of Object.entries(models)) {
    const fault = findInModel(alias, model, fleet);
    if (fault) return fault;
  }
  return undefined;
}

function at(path: DataPath, message: string): ShapeFault {
  return { path, isKey: false, message };
}

function knownText(name: string, known: readonly string[]): string {
  const near = nearestName(name, known);
  const meant = near === undefined ? "" : ` Did you mean "${near}"?`;
  return `, which is no model of this fleet.${meant} It has ${known.slice(0, 20).join(", ")}`;
}

function findInModel(alias: string, model: FleetModel, fleet: Fleet): ShapeFault | undefined {
  const path = ["models", alias];
  const { endpoints, provider, maxModelLen, maxTokens, fallback = [] } = model;
  if (endpoints && provider)
    return at(
      [...path, "provider"],
      `both provider ${provider} and ${endpoints.length} endpoints are given. Remove one`,
    );
  if (!endpoints && !provider && fleet.gateway === undefined)
    return at(path, `model "${alias}" has no endpoints. Give it endpoints, or a provider`);
  if (maxModelLen !== undefined && maxTokens !== undefined && maxTokens >= maxModelLen)
    return at(
      [...path, "maxTokens"],
      `maxTokens ${maxTokens} leaves no room for a prompt in maxModelLen ${maxModelLen}`,
    );
  for (const [index, other] of fallback.entries()) {
    if (other === alias)
      return at([...path, "fallback", index], `"${alias}" cannot be its own fallback`);
    if (ownValue(fleet.models, other) === undefined)
      return at(
        [...path, "fallback", index],
        `fallback names "${other}"${knownText(other, Object.keys(fleet.models))}`,
      );
  }
  return findInEndpoints(model, [...path, "endpoints"]);
}

function findInEndpoints(model: FleetModel, path: DataPath): ShapeFault | undefined {
  const names = new Map<string, number>();
  const urls = new Map<string, number>();
  for (const [index, endpoint] of (model.endpoints ?? []).entries()) {
    const { url, name } = endpoint;
    const bare = url.replace(/\/+$/, "");
    const twin = urls.get(bare) ?? (name === undefined ? undefined : names.get(name));
    if (twin !== undefined) {
      const what = urls.has(bare) ? `url ${bare}` : `name "${name}"`;
      return at([...path, index], `${what} stands at endpoint ${twin + 1} and ${index + 1}`);
    }
    urls.set(bare, index);
    if (name !== undefined) names.set(name, index);
    const fault = findInEndpoint(endpoint, model, [...path, index]);
    if (fault) return fault;
  }
  return undefined;
}

function findInEndpoint(
  endpoint: FleetEndpoint,
  { maxModelLen }: FleetModel,
  path: DataPath,
): ShapeFault | undefined {
  const { scaler, maxWorkers, kvTokens, replicas, url } = endpoint;
  const alien = findAlien(endpoint, path);
  if (alien) return alien;
  if (scaler !== undefined && maxWorkers === undefined)
    return at([...path, "scaler"], `scaler ${scaler.type} is given without maxWorkers`);
  if (kvTokens !== undefined && maxModelLen !== undefined && kvTokens < maxModelLen)
    return at(
      [...path, "kvTokens"],
      `kvTokens ${kvTokens} is less than maxModelLen ${maxModelLen}: a call that fills the context could never start`,
    );
  if (replicas !== undefined && "dns" in replicas && url.startsWith("https:"))
    return at(
      [...path, "replicas", "dns"],
      `replicas are addresses, and the certificate of ${url} names a host. Use http, or replicas: { file }`,
    );
  return undefined;
}

/** What only vLLM's protocol and its hosts have, at an endpoint that speaks another. */
function findAlien(endpoint: FleetEndpoint, path: DataPath): ShapeFault | undefined {
  const { dialect, accepts = {} } = endpoint;
  if (dialect === undefined || VLLM.has(dialect)) return undefined;
  const field = (["priority", "cacheSalt"] as const).find((key) => accepts[key] === true);
  if (field !== undefined)
    return at(
      [...path, "accepts", field],
      `accepts.${field} is true, but only vLLM takes it and the dialect is ${dialect}`,
    );
  const kept = (["idleSeconds", "keepAwakeSeconds"] as const).find(
    (key) => endpoint[key] !== undefined,
  );
  if (kept === undefined) return undefined;
  return at(
    [...path, kept],
    `${kept} is given, but only runpod and vllm can be woken and the dialect is ${dialect}`,
  );
}

/** Runpod's workers are vLLM by default. */
const VLLM: ReadonlySet<string> = new Set(["vllm", "runpod"]);
