// What a model's alias means in one Bosun: what was given under it, a model of the fleet, the embedded model, else an endpoint.

import { BosunError, isBosunError } from "./error.ts";
import { nearestName } from "./inference/fleet/near.ts";
import type { Endpoint, ModelRef, ModelSettings } from "./inference/model/endpoint.ts";
import type { Env } from "./inference/model/http.ts";
import type { Model } from "./inference/model/model.ts";
import type { TokenPrice } from "./inference/model/price.ts";
import { defaultEndpoint, toEndpoint } from "./inference/model/preset.ts";
import type { Deployment } from "./inference/pool/deployment.ts";
import type { FleetWatch } from "./inference/pool/fleet-watch.ts";
import { ownValue } from "./json.ts";

/** The models that a Bosun was given. */
export type GivenModels = {
  readonly models?: Readonly<Record<string, Endpoint | Model>> | undefined;
  readonly model?: ModelRef | Model | undefined;
};

/** @throws BosunError `model/unknown` for an alias that nobody defined. */
export type Resolver = (alias: string) => Endpoint | Model | Deployment;

/** The endpoint of an alias; a model that is no endpoint, or several of them, stays its alias. */
export function settleAlias(ref: ModelRef, resolve: Resolver): ModelRef {
  if (typeof ref !== "string") return ref;
  const found = findMeaning(ref, resolve);
  return found === undefined || "call" in found || found.type === "deployment" ? ref : found;
}

/** How a model is asked unless an agent or a task says otherwise: what counts when a call is fitted. */
export function settingsOf(ref: ModelRef, resolve: Resolver): ModelSettings {
  if (typeof ref !== "string") return ref;
  const found = findMeaning(ref, resolve);
  if (found === undefined || "call" in found) return {};
  return found.type === "deployment" ? (found.settings ?? {}) : found;
}

/** Undefined for an alias that means nothing: the pool says it at the call, where a fallback may still answer. */
function findMeaning(alias: string, resolve: Resolver): ReturnType<Resolver> | undefined {
  try {
    return resolve(alias);
  } catch {
    return undefined; // said at the call
  }
}

/**
 * What a model's tokens cost: its own price, that of the fleet, nothing for the embedded one; undefined = not known. A fallback that
 * means nothing has none.
 */
export function priceOf(
  ref: ModelRef,
  resolve: Resolver,
  fleet: FleetWatch | undefined,
): TokenPrice | undefined {
  const found = typeof ref === "string" ? findMeaning(ref, resolve) : ref;
  if (found === undefined) return undefined;
  if ("call" in found || found.type !== "deployment") return found.usdPerMillionTokens;
  const written = fleet && ownValue(fleet.fleet().models, found.name)?.usdPerMillionTokens;
  if (written === undefined) return undefined;
  const { input, output, cachedInput: cached } = written;
  return { input, output, cached, source: "fleet" };
}

/** The name under which a model is served; undefined where nobody gave one. */
export function servedName(ref: ModelRef, resolve: Resolver): string | undefined {
  const found = typeof ref === "string" ? findMeaning(ref, resolve) : ref;
  if (found === undefined || "call" in found) return undefined;
  if (found.type !== "deployment") return found.model;
  const [{ at }] = found.endpoints;
  return "call" in at ? undefined : at.model;
}

/** What an alias means: what was given under it, a model of the fleet, the embedded model, else an endpoint. */
export function createResolver(
  { model, models = {} }: GivenModels,
  env: Env,
  fleet: FleetWatch | undefined,
): Resolver {
  const embedded = {
    ...lazyModel(async () =>
      (await import("./inference/local/extractive/extractive.ts")).createExtractive(),
    ),
    usdPerMillionTokens: EMBEDDED_PRICE,
  };
  return (alias) => {
    if (alias === GIVEN && isModel(model)) return model;
    const named = ownValue(models, alias) ?? fleet?.deployment(alias);
    if (named) return named;
    return alias === EMBEDDED ? embedded : toOther(alias, env, fleet);
  };
}

/** A name that is no alias. The error of one that means nothing says what the fleet has. */
function toOther(name: string, env: Env, fleet: FleetWatch | undefined): Endpoint {
  try {
    return toEndpoint(name, env);
  } catch (error) {
    if (fleet === undefined || !isBosunError(error) || error.code !== "model/unknown") throw error;
    const aliases = Object.keys(fleet.fleet().models);
    const near = nearestName(name, aliases);
    const meant = near === undefined ? "" : ` Did you mean "${near}"?`;
    throw new BosunError(
      "model/unknown",
      `no model is called "${name}".${meant} The fleet has ${aliases.slice(0, 20).join(", ")}`,
      { cause: error },
    );
  }
}

/** The alias of a model object given as `model`. */
const GIVEN = "given";
/** The alias of the embedded model. */
const EMBEDDED = "extractive";
/** It runs in this process, and is no neural network. */
const EMBEDDED_PRICE: TokenPrice = { input: 0, output: 0, source: "embedded" };

/** The model of agents that name none: the given one, the fleet's, the environment's, else the embedded one. */
export function defaultModelOf(
  { model }: GivenModels,
  env: Env,
  fleet: FleetWatch | undefined,
): ModelRef {
  if (isModel(model)) return GIVEN;
  const written = fleet?.fleet();
  const ofFleet = written && (written.default ?? Object.keys(written.models)[0]);
  return model ?? ofFleet ?? defaultEndpoint(env) ?? EMBEDDED;
}

/** The models that a call may reach, in order: each with the fallbacks that the fleet gives it, every one once. */
export function withFallbacks(
  refs: readonly [ModelRef, ...ModelRef[]],
  fleet: FleetWatch | undefined,
): readonly [ModelRef, ...ModelRef[]] {
  if (fleet === undefined) return refs;
  const { models } = fleet.fleet();
  const [first, ...others] = refs;
  const more = [first, ...others].flatMap((ref) =>
    typeof ref === "string" ? (ownValue(models, ref)?.fallback ?? []) : [],
  );
  return [first, ...new Set([...others, ...more].filter((ref) => ref !== first))];
}

function isModel(model: ModelRef | Model | undefined): model is Model {
  return typeof model === "object" && "call" in model;
}

/** A model whose code is loaded at its first call. */
function lazyModel(load: () => Promise<Model>): Model {
  let loaded: Promise<Model> | undefined;
  const model = (): Promise<Model> => (loaded ??= load());
  return {
    async *call(request, signal) {
      yield* (await model()).call(request, signal);
    },
    contextTokens: async (models, signal) => (await model()).contextTokens(models, signal),
  };
}
